"""Leaving: this device signs out, or the account ends (encryption rules 2 and 4)."""

from __future__ import annotations

import asyncio

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.client.api.account_key import AccountKey
from coterie.client.api.new_identity import NewIdentity
from coterie.client.api.own_devices import CHANGE_SECONDS
from coterie.client.changes import RevokeDevice
from coterie.client.commands import EndAccount
from coterie.client.events import AccountChangeAnswered


class Leaving(NewIdentity):
    """After each of these this profile only shows what it has; Me.wipe() removes it."""

    async def sign_out(self, *, password: str = "", recovery_key: str | None = None) -> None:
        """Take this device off the account's list, for everybody to see; what is stored here stays.

        Raises Refused(wrong-credentials, too-many-tries), Unavailable where the server does not answer: the
        device is listed until another one of the account removes it.
        """
        key = await self._key(password, recovery_key)
        try:
            await self.change_account((RevokeDevice(self.device),), key)
        except Refused as refused:
            if refused.code is not Code.REVOKED:
                raise

    @property
    def is_last_device(self) -> bool:
        """Whether nobody but this one is listed, as far as is known here: who signs out needs a passphrase or
        the recovery key to come back."""
        devices = self.devices()
        return bool(devices) and all(each.revoked or each.this for each in devices)

    async def delete_account(self, *, password: str = "", recovery_key: str | None = None) -> None:
        """End the account for ever: the server keeps nothing of it but the proof that it is over, nobody gets
        its name again, others see that it is gone. What is stored here stays.

        Raises as sign_out().
        """
        key = await self._key(password, recovery_key)
        async with self._changing:
            try:
                async with asyncio.timeout(CHANGE_SECONDS):
                    answer = await self._ended_once(key)
                    while answer.code is Code.STALE_MANIFEST:
                        answer = await self._ended_once(key)
            except TimeoutError:
                raise Unavailable(Code.UNREACHABLE, "no answer to the end of the account") from None
            except Refused as refused:
                if refused.code is not Code.DELETED:
                    raise
                return
        if answer.code is not None:
            raise Refused(answer.code, retry_after_seconds=answer.retry_after_ms / 1000)

    async def _ended_once(self, key: AccountKey) -> AccountChangeAnswered:
        return await self._asked_once(key, EndAccount)

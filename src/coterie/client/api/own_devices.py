"""Managing the account's own devices from one of them that is signed in (encryption rules 2, 8 and 20)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.api.account_key import AccountKey, key_of
from coterie.client.api.verifying import Verifying
from coterie.client.changes import Change, LoseDevice, RenameDevice, RevokeDevice, UnmarkDevice
from coterie.client.commands import ChangeAccount, Command, OwnDeviceConfirmed
from coterie.client.events import AccountChangeAnswered
from coterie.client.runtime import Runtime
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.manifest import SignedManifest

CHANGE_SECONDS = 30.0
"""How long a change of the account may take, races with other devices included."""


class OwnDevices(Verifying):
    """Every change is one manifest: it returns once that is in the ledger and proven here.

    Each takes the password again, or the recovery key. All raise Refused: wrong-credentials,
    needs-recovery-key (no password opens the account's keys on this device), unknown-device, too-many-tries
    (so many changes a day); Unavailable where the server does not answer in time: then the change may still
    be taken, and asking for it again does no harm.
    """

    def __init__(self, store: ClientStore, runtime: Runtime, place: ProfilePlace) -> None:
        super().__init__(store, runtime)
        self._place = place
        self._changing = asyncio.Lock()
        self._asked = b""
        self._answer: asyncio.Future[AccountChangeAnswered] | None = None

    async def rename_device(
        self, device: DeviceId, name: str, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        """Raises Refused(empty, too-large) for a name that no device can have."""
        if not name.strip():
            raise Refused(Code.EMPTY, "a device without a name")
        if len(name.encode("utf-8", "surrogatepass")) > limits.DEVICE_NAME_BYTES:
            raise Refused(Code.TOO_LARGE, "a device name beyond the limit")
        await self.change_account((RenameDevice(device, name),), await self._key(password, recovery_key))

    async def revoke_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        """From the next message on it gets no key and no message; it cannot connect and learns why."""
        self._require_other(device)
        await self.change_account((RevokeDevice(device),), await self._key(password, recovery_key))

    async def lose_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        """A lost or stolen one: revoked, and every sending session of this device ends at once. From now on
        renewal_due says that password and recovery key are to be changed."""
        self._require_other(device)
        await self.change_account((LoseDevice(device),), await self._key(password, recovery_key))

    async def confirm_device(self, device: DeviceId) -> None:
        """The person says of a device of questions(): that was me. Needs no password: nothing is signed.

        Raises Refused(unknown-device) where nothing is asked about it."""
        self._require_asked(device)
        await self._runtime.tell(OwnDeviceConfirmed(device))

    async def deny_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        """The person says of a device of questions(): that was not me. It is treated as a stolen one: whoever
        added it had the password or the recovery key."""
        self._require_asked(device)
        await self.lose_device(device, password=password, recovery_key=recovery_key)

    async def unmark_device(
        self, device: DeviceId, *, password: str = "", recovery_key: str | None = None
    ) -> None:
        """End the mark of a device that came in by recovery, and so that of what it will approve.

        Raises Refused(bad-manifest) where this device is marked itself.
        """
        await self.change_account((UnmarkDevice(device),), await self._key(password, recovery_key))

    @property
    def renewal_due(self) -> bool:
        """Whether a device was lost, and password and recovery key have not been changed since."""
        exposed, row = self._store.setting(Setting.EXPOSED_VAULT), self._store.account(self.account)
        if exposed is None or row is None:
            return False
        return SignedManifest.unpack(row.manifest).manifest.vault_hash == exposed

    async def change_account(
        self,
        changes: tuple[Change, ...],
        key: AccountKey,
        timeout_seconds: float = CHANGE_SECONDS,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Have changes signed by this device and taken by the server, again where another device was
        quicker. check: raises where it is not to be signed any more."""
        async with self._changing:
            try:
                async with asyncio.timeout(timeout_seconds):
                    answer = await self._signed_once(changes, key, check)
                    while answer.code is Code.STALE_MANIFEST:
                        answer = await self._signed_once(changes, key, check)
            except TimeoutError:
                raise Unavailable(Code.UNREACHABLE, "no answer to a change of the account") from None
        if answer.code is not None:
            raise Refused(answer.code, retry_after_seconds=answer.retry_after_ms / 1000)

    async def _signed_once(
        self, changes: tuple[Change, ...], key: AccountKey, check: Callable[[], None]
    ) -> AccountChangeAnswered:
        def command(change: bytes, identity: IdentityKeys) -> Command:
            check()
            return ChangeAccount(change, changes, identity)

        return await self._asked_once(key, command)

    async def _asked_once(
        self, key: AccountKey, command: Callable[[bytes, IdentityKeys], Command]
    ) -> AccountChangeAnswered:
        """The answer to one command about the account, which gets a number of its own. One signature: the
        private keys are opened for it and let go."""
        await self.wait_live(CHANGE_SECONDS)
        answer: asyncio.Future[AccountChangeAnswered] = asyncio.get_running_loop().create_future()
        self._asked, self._answer = secrets.token_bytes(16), answer
        identity = (await asyncio.to_thread(key.secret)).identity
        try:
            await self._runtime.tell(command(self._asked, identity))
        finally:
            del identity
        await self._wait(answer.done, CHANGE_SECONDS)
        return answer.result()

    def _answered(self, answer: AccountChangeAnswered) -> None:
        """One of an earlier start is nobody's."""
        if answer.change == self._asked and self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)

    async def _key(self, password: str, recovery_key: str | None) -> AccountKey:
        return await key_of(self._store, self._place, self.account, password, recovery_key)

    def _require_other(self, device: DeviceId) -> None:
        if device == self.device:
            raise Refused(Code.USAGE, "a device does not revoke itself")

    def _require_asked(self, device: DeviceId) -> None:
        if device not in {each.id for each in self.questions()}:
            raise Refused(Code.UNKNOWN_DEVICE)

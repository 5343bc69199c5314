"""Another identity for one's own account, after a device was lost that could open its keys (rule 8).

Who has such a device and its password has the private keys for ever: revoked, it can still sign in the
account's name for whoever believes it. From here on another identity is the account, with another password
and another recovery key, and what the one before signs counts for nothing. Everybody sees it: for others it
is somebody to accept, or to verify anew.
"""

from __future__ import annotations

import asyncio
import secrets

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import AccountId
from coterie.base.signing import account_id
from coterie.client.api.account_key import AccountKey, password_keys
from coterie.client.api.credentials import Credentials, Made, new_vault, with_door
from coterie.client.api.doors import open_both
from coterie.client.api.own_devices import CHANGE_SECONDS
from coterie.client.api.passwords import check_password
from coterie.client.api.stretching import stretched
from coterie.client.commands import ReplaceIdentity
from coterie.client.events import AccountChangeAnswered
from coterie.client.store.keys import (
    KeyFile,
    StoreWrapKind,
    open_database_key,
    read_key_file,
    wrap_database_key,
)
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, verifier_id, wrap_secret
from coterie.e2ee.password import Argon2Parameters, PasswordKeys
from coterie.e2ee.recovery import RecoveryKey


class NewIdentity(Credentials):
    """The person gives the password that opens this profile, and the one that is to open it from then on."""

    async def replace_identity(
        self, password: str, new: str, *, wrap: bool | None = None, recovery_key: str | None = None
    ) -> None:
        """Go on under another identity. recovery_key: where no password opens the account's keys on this
        device. The new recovery key stands in recovery_key until recovery_key_shown().

        Returns once this device has followed. Raises Refused (weak-password, wrong-credentials,
        needs-recovery-key, reset-pending, stale-manifest, too-many-tries), Unavailable.
        """
        await self.wait_live(CHANGE_SECONDS)
        await self._wait(lambda: self._core.own_vault.is_newest, CHANGE_SECONDS)
        before = self.account
        key = await self._key(password, recovery_key)
        kind = self._wrapping(new, wrap)
        if kind is not WrapKind.PASSPHRASE:
            check_password(new, self.name, wrapping=kind is WrapKind.PASSWORD)
        file = read_key_file(self._place)
        old, parameters = await asyncio.to_thread(password_keys, file, password), Argon2Parameters()
        keys_now = await stretched(new, file.founding, file.name, file.random, parameters)
        database_key = open_database_key(file, StoreWrapKind.PASSWORD, old.store)
        recovery = RecoveryKey.generate()
        secret = await asyncio.to_thread(AccountSecret.generate)
        await self.wait_live(CHANGE_SECONDS)
        await self._wait(self._doors_settled, CHANGE_SECONDS)
        self._require_same(before)
        for door in (
            wrap_database_key(database_key, keys_now.store, StoreWrapKind.PASSWORD),
            wrap_database_key(database_key, recovery.store_key, StoreWrapKind.RECOVERY),
        ):
            file = with_door(file, door, parameters)
        made = _made(secret, self._vault(), keys_now, recovery, kind, file)
        open_both(self._store, self._place, self._doors(made))
        await self._replaced(key, secret, made)
        await self._wait(self._doors_settled, CHANGE_SECONDS)

    async def _replaced(self, key: AccountKey, secret: AccountSecret, made: Made) -> None:
        """Have the heir taken, again where another device was quicker, and follow it."""
        async with self._changing:
            try:
                async with asyncio.timeout(CHANGE_SECONDS):
                    while True:
                        answer = await self._succeeded_once(key, secret, made)
                        if answer is None or answer.code is not Code.STALE_MANIFEST:
                            break
            except TimeoutError:
                raise Unavailable(Code.UNREACHABLE, "no answer to a new identity") from None
            finally:
                self._doors_settled()
        if answer is not None and answer.code is not None:
            raise Refused(answer.code, retry_after_seconds=answer.retry_after_ms / 1000)
        self._require_same(account_id(secret.identity.public))

    def _require_same(self, account: AccountId) -> None:
        if self.account != account:
            raise Refused(Code.STALE_MANIFEST, "another device has given the account another identity")

    async def _succeeded_once(
        self, key: AccountKey, secret: AccountSecret, made: Made
    ) -> AccountChangeAnswered | None:
        """What the server said; None where this device goes on in another account by now."""
        await self.wait_live(CHANGE_SECONDS)
        before = self.account
        if before != key.account:
            return None
        answer: asyncio.Future[AccountChangeAnswered] = asyncio.get_running_loop().create_future()
        self._asked, self._answer = secrets.token_bytes(16), answer
        identity = (await asyncio.to_thread(key.secret)).identity
        change = made.change
        command = ReplaceIdentity(
            self._asked,
            identity,
            secret.identity,
            change.vault,
            change.auth_key,
            change.recovery_auth_key,
        )
        try:
            await self._runtime.tell(command)
        finally:
            del identity, command
        await self._wait(lambda: answer.done() or self.account != before, CHANGE_SECONDS)
        if not answer.done():
            await self.wait_live(CHANGE_SECONDS)
            return None
        return answer.result()


def _made(
    secret: AccountSecret,
    before: Vault,
    by: PasswordKeys,
    recovery: RecoveryKey,
    kind: WrapKind | None,
    key_file: KeyFile,
) -> Made:
    """The vault of the new account. Its random part is that of the one before: what devices of this person
    stretch their passwords with."""
    account = AccountId(account_id(secret.identity.public))
    wrapped = [wrap_secret(secret, recovery.wrap_key, WrapKind.RECOVERY, account, before.random)]
    if kind is not None:
        wrapped.append(wrap_secret(secret, by.wrap, kind, account, before.random))
    own = wrap_secret(secret, by.wrap, WrapKind.PASSWORD, account, before.random)
    change = new_vault(
        before,
        wrapped=tuple(wrapped),
        verifiers=(verifier_id(by.auth), verifier_id(recovery.auth_key)),
        auth_key=by.auth,
        recovery_auth_key=recovery.auth_key,
    )
    return Made(change, key_file, Vault(before.random, (own,), ()).pack(), recovery.words())

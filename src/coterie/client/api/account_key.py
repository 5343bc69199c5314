"""Opening the account's private keys on this device, for one signature at a time (encryption rule 1).

The person gives the password again. A device that keeps no private keys under a password of its own needs the
recovery key instead.
"""

from __future__ import annotations

import asyncio

from coterie.base.codes import Code
from coterie.base.errors import Refused, SealBroken
from coterie.base.ids import AccountId
from coterie.base.quiet import Quiet
from coterie.client.api.stretching import stretch
from coterie.client.store.keys import KeyFile, read_key_file
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, open_secret
from coterie.e2ee.password import Argon2Parameters, PasswordKeys
from coterie.e2ee.recovery import RecoveryKey


class AccountKey(Quiet, frozen=True):
    """What opens the account's secret in a vault."""

    account: AccountId
    vault: Vault
    kind: WrapKind
    wrap: bytes

    def secret(self) -> AccountSecret:
        """Takes 0.1 s for the checks of a private key. Raises Refused(wrong-credentials)."""
        try:
            return open_secret(self.vault, self.kind, self.wrap, self.account)
        except SealBroken:
            raise Refused(Code.WRONG_CREDENTIALS) from None


def password_keys(file: KeyFile, password: str) -> PasswordKeys:
    """The keys of a password as this profile stretches it: 0.1 to 0.2 s, so off a running event loop.

    Raises Refused(empty, too-large, usage).
    """
    parameters = Argon2Parameters(file.memory_kib, file.passes, file.lanes)
    return stretch(password, file.founding, file.name, file.random, parameters)


async def key_of(
    store: ClientStore, place: ProfilePlace, account: AccountId, password: str, recovery_key: str | None
) -> AccountKey:
    """By the recovery key where it is given, else by the password that opens this profile.

    Raises Refused(wrong-credentials), and Refused(needs-recovery-key) where this device keeps no private keys
    that a password opens.
    """
    if recovery_key is not None:
        key = _by_recovery_key(store, account, recovery_key)
    else:
        own = store.setting(Setting.OWN_SECRET)
        if own is None:
            raise Refused(Code.NEEDS_RECOVERY_KEY)
        keys = await asyncio.to_thread(password_keys, read_key_file(place), password)
        key = AccountKey(account, Vault.unpack(own), WrapKind.PASSWORD, keys.wrap)
    await asyncio.to_thread(key.secret)
    return key


def _by_recovery_key(store: ClientStore, account: AccountId, words: str) -> AccountKey:
    vault = store.setting(Setting.VAULT)
    try:
        key = RecoveryKey.from_words(words)
        return AccountKey(account, Vault.unpack(vault or b""), WrapKind.RECOVERY, key.wrap_key)
    except SealBroken:
        raise Refused(Code.WRONG_CREDENTIALS, "not a recovery key") from None

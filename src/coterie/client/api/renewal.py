"""A copy of a profile becomes a device of its own (encryption rule 28).

The keys that opened the profile are kept for this until it was connected once: they prove the password to the
server, and open the account's private keys, which sign the new device into the manifest.
"""

from __future__ import annotations

import msgspec

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Refused, SealBroken, SecurityStop
from coterie.base.ids import AccountId
from coterie.client.api.enrolment import NewDevice
from coterie.client.api.vault_door import added, ask_salt, ask_vault, check_secret, check_vault
from coterie.client.core.profile import Profile
from coterie.client.link import Connection
from coterie.client.signing_in import Successor
from coterie.client.store.records import AccountRow, BecomeDevice, PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, open_secret
from coterie.e2ee.password import PasswordKeys
from coterie.ledger.manifest import SignedManifest


class Renewal:
    """Good for one profile that was opened by its password."""

    def __init__(self, store: ClientStore, keys: PasswordKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._sure_from = store.last_order() + 1

    async def prepare(self, connection: Connection, profile: Profile) -> Successor:
        """Log in again and draw a new device; nothing is stored yet.

        Raises Refused(restored-profile) where this machine's password is no longer the account's,
        SecurityStop where the server's answer contradicts itself or what is known here.
        """
        salt = await ask_salt(connection, profile.name)
        try:
            answer = await ask_vault(connection, profile.name, self._keys.auth)
        except Refused as refused:
            if refused.code is Code.WRONG_CREDENTIALS:
                raise Refused(Code.RESTORED_PROFILE, "the password has changed since") from None
            raise
        opened = check_vault(answer, salt, profile.name)
        _check_not_older(self._store.account(profile.account), opened.before)
        secret = self._secret(profile.account)
        check_secret(secret, opened.before)
        root = self._store.setting(Setting.PICKLE_ROOT) or b""
        device = NewDevice(profile.account, profile.device_name, self._clock, root)
        new = msgspec.structs.replace(profile, device=device.id)
        records = (
            BecomeDevice(device.id, profile.device, self._sure_from),
            PutSetting(Setting.PROFILE, new.pack()),
            PutSetting(Setting.VAULT, opened.vault.pack()),
            PutSetting(Setting.DEVICE_UNCONFIRMED, b"1"),
            *device.records,
        )
        return Successor(new, records, added(device, opened, secret, self._clock), self._sure_from)

    def _secret(self, account: AccountId) -> AccountSecret:
        """From this machine's own wrapping. The server's is not needed: the password opened this store."""
        try:
            vault = Vault.unpack(self._store.setting(Setting.OWN_SECRET) or b"")
            return open_secret(vault, WrapKind.PASSWORD, self._keys.wrap, account)
        except SealBroken:
            raise Refused(Code.RESTORED_PROFILE, "the account's keys are not on this machine") from None


def _check_not_older(known: AccountRow | None, newest: SignedManifest) -> None:
    """An own manifest that goes backwards is an alarm (encryption rule 20)."""
    if known is None:
        return
    seq = newest.manifest.seq
    if seq < known.seq or (seq == known.seq and newest.pack() != known.manifest):
        raise SecurityStop(Code.LEDGER_SPLIT, "an own manifest that is older than the one known here")

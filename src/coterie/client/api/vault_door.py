"""The account's vault: asking the server for it, checking all it says, adding a device by what is in it.

Shared by logging in and by a copy of a profile that becomes a device of its own (encryption rules 5, 6, 28).
"""

from __future__ import annotations

import msgspec

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken, SecurityStop
from coterie.base.ids import AccountId, UserName
from coterie.base.signing import account_id, verify_identity
from coterie.client.api.enrolment import NewDevice, manifest_with
from coterie.client.link import Connection
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, open_secret, vault_hash
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import AddDevice, LoginProve, LoginStart, Salt, VaultOpened


class Opened(msgspec.Struct, frozen=True):
    """A vault, and the newest manifest, which names it; neither is proven to be the account's yet. resets: as
    in VaultOpened."""

    before: SignedManifest
    vault: Vault
    resets: int


async def ask_salt(connection: Connection, name: UserName) -> Salt:
    """Begin a login. Raises Refused, RemoteError, Unavailable."""
    salt = await connection.ask(LoginStart(1, name))
    if not isinstance(salt, Salt):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no salt")
    return salt


async def ask_vault(connection: Connection, name: UserName, auth_key: bytes) -> VaultOpened:
    """Prove an auth key. Raises Refused(wrong-credentials), RemoteError, Unavailable."""
    opened = await connection.ask(LoginProve(2, name, auth_key))
    if not isinstance(opened, VaultOpened):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no vault")
    return opened


def check_vault(opened: VaultOpened, salt: Salt, name: UserName) -> Opened:
    """Vault, manifest, salt and name belong together; every contradiction is a security stop."""
    before = SignedManifest.unpack(opened.manifest)
    manifest = before.manifest
    try:
        vault = Vault.unpack(opened.vault)
    except SealBroken:
        raise SecurityStop(Code.SEAL_BROKEN, "not a vault") from None
    if (
        vault_hash(opened.vault) != manifest.vault_hash
        or vault.random != salt.random
        or manifest.name != name
    ):
        raise SecurityStop(Code.IDENTITY_CHANGED, "the vault is not the one of the manifest")
    return Opened(before, vault, opened.resets)


def check_secret(secret: AccountSecret, before: SignedManifest) -> None:
    """The manifest is that of the identity whose private keys these are, and signed by it."""
    public = secret.identity.public
    if account_id(public) != before.manifest.account or before.manifest.identity != public.pack():
        raise SecurityStop(Code.IDENTITY_CHANGED, "the manifest is another identity's")
    try:
        verify_identity(public, before.payload, before.identity_signature)
    except SealBroken:
        raise SecurityStop(Code.IDENTITY_CHANGED, "a manifest that its identity did not sign") from None


def secret_by_password(vault: Vault, wrap_key: bytes, account: AccountId) -> AccountSecret | None:
    """What the password's own wrapping holds; None where the vault has none.

    Raises SecurityStop where it has one that this key, which the server has accepted, does not open.
    """
    wrapped = {each.kind for each in vault.wrapped}
    for kind in (WrapKind.PASSPHRASE, WrapKind.PASSWORD):
        if kind in wrapped:
            try:
                return open_secret(vault, kind, wrap_key, account)
            except SealBroken:
                raise SecurityStop(Code.SEAL_BROKEN, "a wrapping that the proven key does not open") from None
    return None


def added(device: NewDevice, opened: Opened, secret: AccountSecret, clock: Clock) -> AddDevice:
    """The frame that makes a device one of the account's."""
    manifest = manifest_with(device, opened.before, secret.identity, clock.wall_ms(), opened.resets)
    return AddDevice(5, manifest.pack(), device.prekeys)

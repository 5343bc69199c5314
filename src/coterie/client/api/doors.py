"""The ways in: sign up, log in on a further machine, open a profile that is here (encryption rules 5-8)."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Any

from coterie.base import limits
from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken, SecurityStop, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.base.invite import Invite
from coterie.base.names import canonical
from coterie.base.signing import IdentityKeys, account_id, require_primitives
from coterie.client.api.enrolment import (
    DoorKeys,
    NewDevice,
    first_manifest,
    keep_profile,
    manifest_with,
    profile_of,
)
from coterie.client.api.me import Me
from coterie.client.api.passwords import check_password
from coterie.client.core.profile import unpack_profile
from coterie.client.link import Address, Connection
from coterie.client.store.keys import StoreWrapKind, open_database_key, read_key_file
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace, find_profile, new_profile, remove_profile
from coterie.client.store.records import DropSetting, PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, open_secret, verifier_id, wrap_secret
from coterie.e2ee.password import PasswordKeys, stretch
from coterie.e2ee.recovery import RecoveryKey, new_passphrase
from coterie.ledger.manifest import SignedManifest
from coterie.wire import codec
from coterie.wire.frames import (
    Accepted,
    AddDevice,
    ClientFrame,
    LoginProve,
    LoginStart,
    Salt,
    SignUp,
    VaultOpened,
)

TRIES = 5
"""How often a request whose answer was lost is asked again."""


async def sign_up(
    *,
    server: str,
    name: str,
    password: str | None = None,
    home: Path,
    generate_passphrase: bool = False,
    wrap_with_password: bool = False,
    device_name: str = "",
) -> Me:
    """Make an account on a server, and this machine its first device.

    server: an invite link, or HOST:PORT. Raises Refused (name-taken, bad-name, weak-password, sign-up-closed,
    needs-invite, too-many-tries, profile-exists), Unavailable, SecurityStop(identity-changed).
    """
    require_primitives()
    clock = SystemClock()
    wanted = canonical(name)
    passphrase = new_passphrase() if generate_passphrase else None
    if passphrase is None:
        check_password(password or "", wanted, wrapping=wrap_with_password)
    word = passphrase or password or ""
    invite = Invite.parse(server)
    connection = await Connection.open(Address(invite.host, invite.port, invite.fingerprint), clock)
    founding = connection.statement.server
    address = Address(invite.host, invite.port, founding)
    try:
        place, lock = await _new_place(home, wanted, founding, clock)
    except BaseException:
        connection.close()
        raise
    identity, recovery = IdentityKeys.generate(), RecoveryKey.generate()
    random = secrets.token_bytes(16)
    keys = _stretch(word, founding, wanted, random)
    device = NewDevice(account_id(identity.public), device_name, clock)
    kind = WrapKind.PASSPHRASE if passphrase else WrapKind.PASSWORD if wrap_with_password else None
    vault = _vault(identity, device.account, keys, recovery, random, kind)
    frame = SignUp(
        request=1,
        name=wanted,
        manifest=first_manifest(device, wanted, identity, vault.hash, clock.wall_ms()).pack(),
        vault=vault.pack(),
        auth_key=keys.auth,
        recovery_auth_key=recovery.auth_key,
        prekeys=device.prekeys,
        token=invite.token,
    )
    extra = (
        PutSetting(Setting.VAULT, frame.vault),
        PutSetting(Setting.PENDING_SIGN_UP, codec.encode(frame)),
        PutSetting(Setting.PENDING_RECOVERY_KEY, recovery.words().encode()),
    )
    store = keep_profile(
        place, profile_of(wanted, device, address, connection), device, _door_keys(keys, recovery, random), extra
    )
    try:
        await _ask_until_answered(connection, address, frame, clock)
    except Refused:
        store.close()
        lock.release()
        remove_profile(place)
        raise
    except BaseException:
        store.close()
        lock.release()
        raise
    me = _enter(store, lock, clock)
    me.passphrase = passphrase
    return me


async def log_in(
    *,
    server: str,
    name: str,
    password: str,
    home: Path,
    recovery_key: str | None = None,
    device_name: str = "",
) -> Me:
    """Make this machine a device of an existing account.

    With a generated passphrase that is enough; with a password of one's own also the recovery key
    (Refused(needs-recovery-key) says so). Raises Refused(wrong-credentials, too-many-tries, too-many-devices,
    profile-exists), Unavailable, SecurityStop where the server's answer contradicts itself.
    """
    require_primitives()
    clock = SystemClock()
    wanted = canonical(name)
    recovery = _recovery(recovery_key)
    invite = Invite.parse(server)
    address = Address(invite.host, invite.port, invite.fingerprint)
    device: NewDevice | None = None
    for left in reversed(range(TRIES)):
        connection = await Connection.open(address, clock)
        try:
            address = Address(invite.host, invite.port, connection.statement.server)
            return await _log_in_once(connection, address, wanted, password, recovery, home, device_name, clock)
        except Unavailable as error:
            if not left or error.code is not Code.UNREACHABLE:
                raise
        except Refused as error:
            if not left or error.code is not Code.STALE_MANIFEST:
                raise
        finally:
            connection.close()
    raise Unavailable(Code.UNREACHABLE, "no answer from the server")


async def _log_in_once(
    connection: Connection,
    address: Address,
    name: UserName,
    password: str,
    recovery: RecoveryKey | None,
    home: Path,
    device_name: str,
    clock: Clock,
) -> Me:
    founding = connection.statement.server
    salt = await connection.ask(LoginStart(1, name))
    if not isinstance(salt, Salt):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no salt")
    keys = stretch(
        password, founding, name, salt.random, memory_kib=salt.memory_kib, passes=salt.passes, lanes=salt.lanes
    )
    opened = await connection.ask(LoginProve(2, name, keys.auth))
    if not isinstance(opened, VaultOpened):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no vault")
    secret, before, vault = _open_vault(opened, salt, name, keys, recovery)
    device = NewDevice(account_id(secret.identity.public), device_name, clock)
    manifest = manifest_with(device, before, secret.identity, clock.wall_ms())
    place, lock = await _new_place(home, name, founding, clock)
    store: ClientStore | None = None
    try:
        profile = profile_of(name, device, address, connection)
        extra = (PutSetting(Setting.VAULT, vault.pack()),)
        store = keep_profile(place, profile, device, _door_keys(keys, recovery, salt.random), extra)
        answer = await connection.ask(AddDevice(3, manifest.pack(), device.prekeys))
        if not isinstance(answer, Accepted):
            raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the new device")
    except BaseException:
        if store is not None:
            store.close()
        lock.release()
        remove_profile(place)
        raise
    return _enter(store, lock, clock)


class Opening:
    """What open() returns: use it with `async with`, or await it and close the result yourself."""

    def __init__(self, home: Path, profile: str | None, password: str) -> None:
        self._home = home
        self._profile = profile
        self._password = password
        self._me: Me | None = None

    def __await__(self) -> Generator[Any, None, Me]:
        return self._open().__await__()

    async def __aenter__(self) -> Me:
        self._me = await self._open()
        return self._me

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._me is not None:
            await self._me.close()

    async def _open(self) -> Me:
        require_primitives()
        clock = SystemClock()
        place = find_profile(self._home, self._profile)
        lock = await ProfileLock.acquire(place, clock)
        try:
            key_file = read_key_file(place)
            keys = stretch(
                self._password,
                key_file.founding,
                key_file.name,
                key_file.random,
                memory_kib=key_file.memory_kib,
                passes=key_file.passes,
                lanes=key_file.lanes,
            )
            database_key = open_database_key(key_file, StoreWrapKind.PASSWORD, keys.store)
            return _enter(ClientStore.open(place, database_key), lock, clock)
        except BaseException:
            lock.release()
            raise


def open(home: Path, *, profile: str | None = None, password: str) -> Opening:
    """Open a profile of this machine; works without a network.

    Raises (on entering) Refused: no-profile, wrong-credentials, usage (several profiles); Unavailable:
    profile-in-use, disk, newer-schema.
    """
    return Opening(home, profile, password)


async def _new_place(
    home: Path, name: UserName, founding: AccountId, clock: Clock
) -> tuple[ProfilePlace, ProfileLock]:
    place = new_profile(home, name, founding)
    return place, await ProfileLock.acquire(place, clock)


async def _ask_until_answered(
    connection: Connection, address: Address, frame: ClientFrame, clock: Clock
) -> None:
    """Ask; where the answer is lost, connect and ask the same again: a repeat changes nothing."""
    for left in reversed(range(TRIES)):
        try:
            answer = await connection.ask(frame)
            if not isinstance(answer, Accepted):
                raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the sign-up")
            return
        except Unavailable:
            if not left:
                raise
        finally:
            connection.close()
        await clock.wait_until(clock.monotonic_seconds() + limits.BACKOFF_FIRST_SECONDS)
        connection = await _reach(address, clock)


async def _reach(address: Address, clock: Clock) -> Connection:
    for left in reversed(range(TRIES)):
        try:
            return await Connection.open(address, clock)
        except Unavailable:
            if not left:
                raise
        await clock.wait_until(clock.monotonic_seconds() + 2 * limits.BACKOFF_FIRST_SECONDS)
    raise Unavailable(Code.UNREACHABLE)


def _enter(store: ClientStore, lock: ProfileLock, clock: Clock) -> Me:
    """Start a profile; hand out the recovery key if it was never shown."""
    try:
        profile = unpack_profile(store.setting(Setting.PROFILE))
        words = store.setting(Setting.PENDING_RECOVERY_KEY)
        me = Me(store, lock, profile, clock)
    except BaseException:
        store.close()
        raise
    me.recovery_key = words.decode() if words else None
    return me


def _stretch(word: str, founding: AccountId, name: UserName, random: bytes) -> PasswordKeys:
    return stretch(
        word,
        founding,
        name,
        random,
        memory_kib=limits.ARGON2_MEMORY_KIB,
        passes=limits.ARGON2_PASSES,
        lanes=limits.ARGON2_LANES,
    )


def _door_keys(keys: PasswordKeys, recovery: RecoveryKey | None, random: bytes) -> DoorKeys:
    return DoorKeys(
        password_store=keys.store,
        recovery_store=recovery.store_key if recovery else b"",
        random=random,
        memory_kib=limits.ARGON2_MEMORY_KIB,
        passes=limits.ARGON2_PASSES,
        lanes=limits.ARGON2_LANES,
    )


def _vault(
    identity: IdentityKeys,
    account: AccountId,
    keys: PasswordKeys,
    recovery: RecoveryKey,
    random: bytes,
    kind: WrapKind | None,
) -> Vault:
    """The account's secret, wrapped by the recovery key and, where asked for, by the password."""
    secret = AccountSecret(identity, secrets.token_bytes(32))
    wrapped = [wrap_secret(secret, recovery.wrap_key, WrapKind.RECOVERY, account, random)]
    if kind is not None:
        wrapped.append(wrap_secret(secret, keys.wrap, kind, account, random))
    return Vault(random, tuple(wrapped), (verifier_id(keys.auth), verifier_id(recovery.auth_key)))


def _recovery(words: str | None) -> RecoveryKey | None:
    if words is None:
        return None
    try:
        return RecoveryKey.from_words(words)
    except SealBroken:
        raise Refused(Code.WRONG_CREDENTIALS, "not a recovery key") from None


def _open_vault(
    opened: VaultOpened, salt: Salt, name: UserName, keys: PasswordKeys, recovery: RecoveryKey | None
) -> tuple[AccountSecret, SignedManifest, Vault]:
    """The account's secret; every contradiction in what the server gave is a security stop."""
    before = SignedManifest.unpack(opened.manifest)
    manifest = before.manifest
    vault = Vault.unpack(opened.vault)
    if vault.hash != manifest.vault_hash or vault.random != salt.random or manifest.name != name:
        raise SecurityStop(Code.IDENTITY_CHANGED, "the vault is not the one of the manifest")
    account = AccountId(manifest.account)
    secret = None
    for kind, key in _ways(vault, keys, recovery):
        try:
            secret = open_secret(vault, kind, key, account)
        except SealBroken:
            continue
        break
    if secret is None:
        raise Refused(Code.NEEDS_RECOVERY_KEY if recovery is None else Code.WRONG_CREDENTIALS)
    if account_id(secret.identity.public) != account or manifest.identity != secret.identity.public.pack():
        raise SecurityStop(Code.IDENTITY_CHANGED, "the manifest is another identity's")
    return secret, before, vault


def _ways(
    vault: Vault, keys: PasswordKeys, recovery: RecoveryKey | None
) -> tuple[tuple[WrapKind, bytes], ...]:
    wrapped = {each.kind for each in vault.wrapped}
    ways = tuple((kind, keys.wrap) for kind in (WrapKind.PASSPHRASE, WrapKind.PASSWORD) if kind in wrapped)
    return (*ways, (WrapKind.RECOVERY, recovery.wrap_key)) if recovery else ways


def shown(store: ClientStore) -> None:
    """The recovery key was handed to the person: forget it."""
    store.begin()
    store.apply((DropSetting(Setting.PENDING_RECOVERY_KEY),))
    store.commit()

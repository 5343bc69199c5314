"""This machine becomes a device of an account that exists (encryption rules 5, 6, 8).

The new device's keys are committed before the server hears of them; where the answer is lost, the login is
repeated with the same device and finds itself in the manifest.
"""

from __future__ import annotations

from pathlib import Path

from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Refused, RemoteError, SealBroken, SecurityStop, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.base.invite import parse_invite
from coterie.base.names import canonical
from coterie.base.quiet import Quiet
from coterie.base.signing import account_id, require_primitives
from coterie.client.api.enrolment import DoorKeys, NewDevice, keep_profile, own_secret, profile_of
from coterie.client.api.me import Me
from coterie.client.api.opening import enter
from coterie.client.api.sign_up import TRIES, reach
from coterie.client.api.stretching import stretch
from coterie.client.api.vault_door import (
    Opened,
    added,
    ask_salt,
    ask_vault,
    check_secret,
    check_vault,
    secret_by_password,
)
from coterie.client.link import Address, Connection
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import ProfilePlace, new_profile, remove_profile, require_new
from coterie.client.store.records import PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, open_secret
from coterie.e2ee.password import Argon2Parameters, PasswordKeys
from coterie.e2ee.recovery import RecoveryKey
from coterie.wire.frames import Accepted, Salt, VaultOpened


async def log_in(
    *,
    server: str,
    name: str,
    password: str,
    home: Path,
    recovery_key: str | None = None,
    device_name: str = "",
    clock: Clock | None = None,
) -> Me:
    """Make this machine a device of an existing account.

    With a generated passphrase that is enough; with a password of one's own also the recovery key
    (Refused(needs-recovery-key) says so). Who has forgotten the password gets in by the recovery key, and the
    password given is from then on that of this machine's profile alone. Raises Refused(wrong-credentials,
    too-many-tries, too-many-devices, profile-exists), Unavailable, SecurityStop where the server's answer
    contradicts itself. clock: the machine's own, unless a trial brings another.
    """
    require_primitives()
    keys = _recovery(recovery_key)
    login = _Login(canonical(name), password, keys, home, device_name, clock or SystemClock())
    invite = parse_invite(server)
    connection = await Connection.open(Address(invite.host, invite.port, invite.fingerprint), login.clock)
    try:
        address = Address(invite.host, invite.port, connection.statement.server)
        for left in reversed(range(TRIES)):
            try:
                await login.once(connection, address)
                break
            except CoterieError as error:
                again = isinstance(error, Unavailable) or error.code is Code.STALE_MANIFEST
                if not left or not again:
                    raise
            connection.close()
            connection = await reach(address, login.clock)
    except BaseException:
        login.undo()
        raise
    finally:
        connection.close()
    return login.enter()


class _Account(Quiet, frozen=True):
    """What the vault gave."""

    secret: AccountSecret
    opened: Opened
    keys: PasswordKeys
    parameters: Argon2Parameters


class _Login:
    """One login, over as many connections as it takes."""

    def __init__(
        self,
        name: UserName,
        password: str,
        recovery: RecoveryKey | None,
        home: Path,
        device_name: str,
        clock: Clock,
    ) -> None:
        self.clock = clock
        self._name = name
        self._password = password
        self._recovery = recovery
        self._home = home
        self._device_name = device_name
        self._password_proven = True
        self._device: NewDevice | None = None
        self._place: ProfilePlace | None = None
        self._lock: ProfileLock | None = None
        self._store: ClientStore | None = None

    async def once(self, connection: Connection, address: Address) -> None:
        """Prove the password, open the vault, add the device. A repeat goes on with the same device."""
        account = await self._prove(connection)
        if self._device is None:
            self._device = await self._keep(account, connection, address)
        if account.opened.before.manifest.entry(self._device.id) is not None:
            return
        frame = added(self._device, account.opened, account.secret, self.clock)
        answer = await connection.ask(frame)
        if not isinstance(answer, Accepted):
            raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the new device")

    def enter(self) -> Me:
        if self._store is None or self._lock is None:
            raise Unavailable(Code.UNREACHABLE, "no answer from the server")
        return enter(self._store, self._lock, self.clock)

    def undo(self) -> None:
        """Leave nothing behind of a login that failed."""
        if self._store is not None:
            self._store.close()
        if self._lock is not None:
            self._lock.release()
        if self._place is not None:
            remove_profile(self._place)

    async def _prove(self, connection: Connection) -> _Account:
        salt = await ask_salt(connection, self._name)
        parameters = Argon2Parameters(salt.memory_kib, salt.passes, salt.lanes)
        founding = connection.statement.server
        try:
            keys = stretch(self._password, founding, self._name, salt.random, parameters)
        except SealBroken:
            raise SecurityStop(Code.SEAL_BROKEN, "the server asks for a weaker password hash") from None
        opened = await self._ask_vault(connection, keys.auth)
        return self._open_vault(opened, salt, keys, parameters)

    async def _ask_vault(self, connection: Connection, auth_key: bytes) -> VaultOpened:
        """By the password, else by the recovery key where there is one (encryption rule 6)."""
        try:
            return await ask_vault(connection, self._name, auth_key)
        except Refused as refused:
            if self._recovery is None or refused.code is not Code.WRONG_CREDENTIALS:
                raise
        self._password_proven = False
        await ask_salt(connection, self._name)
        return await ask_vault(connection, self._name, self._recovery.auth_key)

    def _open_vault(
        self, opened: VaultOpened, salt: Salt, keys: PasswordKeys, parameters: Argon2Parameters
    ) -> _Account:
        """The account's secret; every contradiction in what the server gave is a security stop."""
        found = check_vault(opened, salt, self._name)
        secret = self._secret(found.vault, keys, AccountId(found.before.manifest.account))
        check_secret(secret, found.before)
        return _Account(secret, found, keys, parameters)

    def _secret(self, vault: Vault, keys: PasswordKeys, account: AccountId) -> AccountSecret:
        """By the password's wrapping where there is one, else by the recovery key's."""
        by_password = secret_by_password(vault, keys.wrap, account) if self._password_proven else None
        if by_password is not None:
            return by_password
        if self._recovery is None:
            raise Refused(Code.NEEDS_RECOVERY_KEY)
        try:
            return open_secret(vault, WrapKind.RECOVERY, self._recovery.wrap_key, account)
        except SealBroken:
            raise Refused(Code.WRONG_CREDENTIALS, "not this account's recovery key") from None

    async def _keep(self, account: _Account, connection: Connection, address: Address) -> NewDevice:
        """Make the device and commit its profile."""
        founding = connection.statement.server
        place = new_profile(self._home, self._name, founding)
        self._lock = await ProfileLock.acquire(place, self.clock)
        require_new(place)
        self._place = place
        device = NewDevice(account_id(account.secret.identity.public), self._device_name, self.clock)
        recovery_store = self._recovery.store_key if self._recovery else b""
        doors = DoorKeys(account.keys.store, recovery_store, account.opened.vault.random, account.parameters)
        profile = profile_of(self._name, device, address, connection)
        extra = (
            PutSetting(Setting.VAULT, account.opened.vault.pack()),
            own_secret(account.secret, account.keys, account.opened.vault.random),
            PutSetting(Setting.DEVICE_UNCONFIRMED, b"1"),
        )
        self._store = keep_profile(place, profile, device, doors, extra)
        return device


def _recovery(words: str | None) -> RecoveryKey | None:
    if words is None:
        return None
    try:
        return RecoveryKey.from_words(words)
    except SealBroken:
        raise Refused(Code.WRONG_CREDENTIALS, "not a recovery key") from None

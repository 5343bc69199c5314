"""Changing what opens an account: its password, its recovery key, whether the password alone is enough
elsewhere (encryption rules 5, 6 and 27).

Each is a new vault in the account's next manifest, with the auth keys that the server checks logins by: all
of it in one transaction there. Other devices of the account learn of it; what opens them stays what it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.quiet import Quiet
from coterie.client.api.account_key import AccountKey, password_keys
from coterie.client.api.doors import Doors, close_one, doors_pending, open_both
from coterie.client.api.own_devices import CHANGE_SECONDS, OwnDevices
from coterie.client.api.passwords import check_password
from coterie.client.api.stretching import stretched
from coterie.client.changes import KeepName, NewVault
from coterie.client.store import keys
from coterie.client.store.keys import (
    KeyFile,
    StoreWrap,
    StoreWrapKind,
    open_database_key,
    read_key_file,
    wrap_database_key,
)
from coterie.client.store.records import Setting
from coterie.e2ee.identity import (
    AccountSecret,
    Vault,
    WrapKind,
    Wrapped,
    vault_hash,
    verifier_id,
    wrap_secret,
)
from coterie.e2ee.password import Argon2Parameters, PasswordKeys
from coterie.e2ee.recovery import RecoveryKey, is_passphrase

TRIES = 5
"""How often a vault is made anew because another device was quicker."""
_UNANSWERED = (Setting.PENDING_MANIFEST, Setting.PENDING_SUCCESSION)
BY_PASSWORD = (WrapKind.PASSPHRASE, WrapKind.PASSWORD)


class Made(Quiet, frozen=True):
    """A vault that is to take the place of another, and what opens this profile then."""

    change: NewVault
    key_file: KeyFile
    own_secret: bytes
    recovery_key: str = ""


class Credentials(OwnDevices):
    """Every method takes the password that opens this profile. All raise what change_account() raises; where
    one was interrupted, old and new both open this profile until it is known what became of it."""

    recovery_key: str | None

    async def change_password(self, password: str, new: str, *, wrap: bool | None = None) -> None:
        """Another password for the account and for this device; other devices keep theirs.

        wrap: whether the new one alone is enough on a new machine; None: a generated passphrase is, one of
        one's own where the old one of one's own was. Raises Refused: weak-password, empty, too-large.
        """
        key = await self._key(password, None)
        kind = self._wrapping(new, wrap)
        if kind is not WrapKind.PASSPHRASE:
            check_password(new, self.name, wrapping=kind is WrapKind.PASSWORD)
        file = read_key_file(self._place)
        old = await asyncio.to_thread(password_keys, file, password)
        parameters = Argon2Parameters()
        keys_now = await stretched(new, file.founding, file.name, file.random, parameters)
        database_key = open_database_key(file, StoreWrapKind.PASSWORD, old.store)
        door = wrap_database_key(database_key, keys_now.store, StoreWrapKind.PASSWORD)

        def made(vault: Vault, secret: AccountSecret) -> Made:
            return Made(
                change=new_vault(
                    vault,
                    wrapped=(*_without(vault, *BY_PASSWORD), *self._wrapped(secret, vault, keys_now, kind)),
                    verifiers=(verifier_id(keys_now.auth), vault.verifiers[1]),
                    auth_key=keys_now.auth,
                ),
                key_file=with_door(file, door, parameters),
                own_secret=self._own_secret(secret, keys_now, vault.random),
            )

        await self._replace_vault(key, made)

    async def wrap_with_password(self, password: str, *, wrap: bool) -> None:
        """Whether the account's password alone is enough on a new machine from now on. Whoever holds the
        server can try to guess one that is: it has to be strong.

        Raises Refused(weak-password), and wrong-credentials where another device has changed the account's
        password since: change it here first.
        """
        key = await self._key(password, None)
        kind = self._wrapping(password, wrap)
        if kind is WrapKind.PASSWORD:
            check_password(password, self.name, wrapping=True)
        file = read_key_file(self._place)
        keys_now = await asyncio.to_thread(password_keys, file, password)

        def made(vault: Vault, secret: AccountSecret) -> Made:
            if vault.verifiers[0] != verifier_id(keys_now.auth):
                del secret
                raise Refused(Code.WRONG_CREDENTIALS, "another device has changed the account's password")
            wrapped = (*_without(vault, *BY_PASSWORD), *self._wrapped(secret, vault, keys_now, kind))
            return Made(
                change=new_vault(vault, wrapped=wrapped, verifiers=vault.verifiers),
                key_file=file,
                own_secret=self._store.setting(Setting.OWN_SECRET) or b"",
            )

        await self._replace_vault(key, made)

    async def new_recovery_key(self, password: str) -> None:
        """Another recovery key: the old one opens the account no more. The words stand in recovery_key until
        recovery_key_shown()."""
        key = await self._key(password, None)
        recovery = RecoveryKey.generate()
        file = read_key_file(self._place)
        old = await asyncio.to_thread(password_keys, file, password)
        database_key = open_database_key(file, StoreWrapKind.PASSWORD, old.store)
        door = wrap_database_key(database_key, recovery.store_key, StoreWrapKind.RECOVERY)

        def made(vault: Vault, secret: AccountSecret) -> Made:
            new = wrap_secret(secret, recovery.wrap_key, WrapKind.RECOVERY, self.account, vault.random)
            return Made(
                change=new_vault(
                    vault,
                    wrapped=(new, *_without(vault, WrapKind.RECOVERY)),
                    verifiers=(vault.verifiers[0], verifier_id(recovery.auth_key)),
                    recovery_auth_key=recovery.auth_key,
                ),
                key_file=with_door(file, door, Argon2Parameters(file.memory_kib, file.passes, file.lanes)),
                own_secret=self._store.setting(Setting.OWN_SECRET) or b"",
                recovery_key=recovery.words(),
            )

        await self._replace_vault(key, made)

    async def keep_name(self, password: str) -> None:
        """Say no to whoever would begin this account's name anew (NameReset): the next manifest cancels
        it."""
        await self.change_account((KeepName(),), await self._key(password, None))

    @property
    def wrapped_with_password(self) -> bool:
        """Whether the account's password alone is enough on a new machine, as far as is known here."""
        return any(each.kind in BY_PASSWORD for each in self._vault().wrapped)

    async def _replace_vault(self, key: AccountKey, made: Callable[[Vault, AccountSecret], Made]) -> None:
        """Have a vault taken that is made from the newest one; made once more where that was replaced."""
        await self.wait_live(CHANGE_SECONDS)
        for left in reversed(range(TRIES)):
            await self._wait(self._doors_settled, CHANGE_SECONDS)
            await self._wait(lambda: self._core.own_vault.is_newest, CHANGE_SECONDS)
            secret = await asyncio.to_thread(key.secret)
            try:
                new = made(self._vault(), secret)
            finally:
                del secret
            open_both(self._store, self._place, self._doors(new))
            try:
                await self.change_account((new.change,), key)
            except Refused as refused:
                self._doors_settled()
                if not left or refused.code is not Code.STALE_MANIFEST:
                    raise
            else:
                break
        await self._wait(self._doors_settled, CHANGE_SECONDS)

    def _doors_settled(self) -> bool:
        """Close one of both doors, once it is known what became of the change; whether none is open too much.

        Asked on each answer, and whenever everything is proven on a new connection: after a change that was
        interrupted the newest vault says whether it was taken.
        """
        doors = doors_pending(self._store)
        if doors is None:
            return True
        unanswered = any(self._store.setting(each) is not None for each in _UNANSWERED)
        if unanswered or self._changing.locked() or not self._vault_is_known:
            return False
        taken = doors.verifier in self._vault().verifiers
        close_one(self._store, self._place, doors, taken=taken)
        if taken and doors.recovery_key:
            self.recovery_key = doors.recovery_key.decode()
        return True

    @property
    def _vault_is_known(self) -> bool:
        trust = self._core.trust
        return trust.current and not trust.lacks(self.account) and self._core.own_vault.is_newest

    def _vault(self) -> Vault:
        return Vault.unpack(self._store.setting(Setting.VAULT) or b"")

    def _doors(self, new: Made) -> Doors:
        """Of two devices that give the account one and the same password at once, only the recovery key says
        whose vault was taken."""
        new_key = new.change.recovery_auth_key or new.change.auth_key
        return Doors(
            verifier=verifier_id(new_key) if new_key else b"",
            key_file_before=keys.pack(read_key_file(self._place)),
            key_file_after=keys.pack(new.key_file),
            own_secret_before=self._store.setting(Setting.OWN_SECRET) or b"",
            own_secret_after=new.own_secret,
            recovery_key=new.recovery_key.encode(),
        )

    def _wrapping(self, password: str, wrap: bool | None) -> WrapKind | None:
        """What a password is to wrap the account's secret as, if it does."""
        if wrap is False:
            return None
        if is_passphrase(password):
            return WrapKind.PASSPHRASE
        as_before = any(each.kind == WrapKind.PASSWORD for each in self._vault().wrapped)
        return WrapKind.PASSWORD if wrap or as_before else None

    def _wrapped(
        self, secret: AccountSecret, vault: Vault, by: PasswordKeys, kind: WrapKind | None
    ) -> tuple[Wrapped, ...]:
        if kind is None:
            return ()
        return (wrap_secret(secret, by.wrap, kind, self.account, vault.random),)

    def _own_secret(self, secret: AccountSecret, by: PasswordKeys, random: bytes) -> bytes:
        """As enrolment.own_secret()."""
        wrapped = wrap_secret(secret, by.wrap, WrapKind.PASSWORD, self.account, random)
        return Vault(random, (wrapped,), ()).pack()


def new_vault(
    before: Vault,
    *,
    wrapped: tuple[Wrapped, ...],
    verifiers: tuple[bytes, ...],
    auth_key: bytes = b"",
    recovery_auth_key: bytes = b"",
) -> NewVault:
    """The random part stays: what the recovery key wraps is bound to it, and nobody but its owner opens
    that."""
    vault = Vault(before.random, wrapped, verifiers).pack()
    return NewVault(vault, vault_hash(before.pack()), auth_key, recovery_auth_key)


def _without(vault: Vault, *kinds: WrapKind) -> tuple[Wrapped, ...]:
    """Kinds of newer versions stay."""
    return tuple(each for each in vault.wrapped if each.kind not in kinds)


def with_door(file: KeyFile, door: StoreWrap, parameters: Argon2Parameters) -> KeyFile:
    """The key file with this wrapping in place of the others of its kind."""
    return KeyFile(
        name=file.name,
        founding=file.founding,
        random=file.random,
        memory_kib=parameters.memory_kib,
        passes=parameters.passes,
        lanes=parameters.lanes,
        wraps=(*(each for each in file.wraps if each.kind is not door.kind), door),
    )

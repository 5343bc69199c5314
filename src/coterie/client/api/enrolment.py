"""Making a device and its profile: everything that sign-up and login share."""

from __future__ import annotations

import platform
import secrets

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.ids import NO_HASH, AccountId, DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.base.reset_code import ResetCode
from coterie.base.signing import IdentityKeys, account_id
from coterie.client.core.prekeys import PrekeyMaker, fallback_records
from coterie.client.core.profile import Profile
from coterie.client.link import Address, Connection
from coterie.client.store.keys import (
    KeyFile,
    StoreWrap,
    StoreWrapKind,
    new_database_key,
    wrap_database_key,
    write_key_file,
)
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import AccountSecret, Vault, WrapKind, wrap_secret
from coterie.e2ee.password import Argon2Parameters, PasswordKeys
from coterie.e2ee.vodo import DeviceKeys, pickle_key
from coterie.ledger.manifest import (
    FIRST,
    RECOVERY,
    DeviceEntry,
    Manifest,
    SignedManifest,
    sign_manifest,
)


class DrawnDevice:
    """A device before it is known whose it will be: its id, name and keys."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.id = DeviceId(secrets.token_bytes(16))
        self.name = name or machine_name()
        self.keys = DeviceKeys.create()
        self.created_ms = clock.wall_ms()


class NewDevice:
    """A device that no server knows yet: its keys, its signed prekeys and what to keep of them."""

    def __init__(
        self,
        account: AccountId,
        name: str,
        clock: Clock,
        pickle_root: bytes = b"",
        drawn: DrawnDevice | None = None,
    ) -> None:
        """pickle_root: of the store that it goes into, 32 bytes; drawn where there is none yet. drawn: where
        id and keys are known already."""
        now_ms = clock.wall_ms()
        drawn = drawn or DrawnDevice(name, clock)
        self.account = account
        self.id = drawn.id
        self.name = drawn.name
        self.keys = drawn.keys
        self.created_ms = drawn.created_ms
        maker = PrekeyMaker(self.keys, account, self.id, 1)
        x_wing, private = maker.x_wing(now_ms)
        fallback = maker.fallback(now_ms)
        self.prekeys = (*maker.one_time(limits.ONE_TIME_KEYS, now_ms), fallback, x_wing)
        root = pickle_root or secrets.token_bytes(32)
        self.records: tuple[Record, ...] = (
            PutSetting(Setting.PICKLE_ROOT, root),
            PutSetting(Setting.DEVICE_PICKLE, self.keys.pickle(pickle_key(root, b"device"))),
            *fallback_records(fallback),
            PutSetting(Setting.TOPPED_UP_MS, now_ms.to_bytes(8, "big")),
            maker.counter(),
            private,
        )

    def entry(self, *, approved_by: bytes, marked: bool) -> DeviceEntry:
        """This device in a manifest."""
        return DeviceEntry(
            id=self.id,
            name=self.name,
            curve25519=self.keys.curve25519,
            ed25519=self.keys.ed25519,
            created_ms=self.created_ms,
            revoked_ms=0,
            approved_by=approved_by,
            marked=marked,
        )


def first_manifest(
    device: NewDevice,
    name: UserName,
    identity: IdentityKeys,
    vault_hash: bytes,
    now_ms: int,
    reset: ResetCode | None = None,
) -> SignedManifest:
    """The first manifest of a new account: this device alone. reset: where its name begins anew."""
    manifest = Manifest(
        account=device.account,
        name=name,
        seq=reset.seq + 1 if reset else 1,
        previous=reset.previous if reset else NO_HASH,
        devices=(device.entry(approved_by=FIRST, marked=False),),
        vault_hash=vault_hash,
        time_ms=now_ms,
        identity=identity.public.pack(),
    )
    return sign_manifest(manifest, identity, device.id, device.keys)


def manifest_with(
    device: NewDevice, before: SignedManifest, identity: IdentityKeys, now_ms: int, resets: int = 0
) -> SignedManifest:
    """The successor that adds this device by passphrase or recovery key, and marks it so. resets: of the name
    in between, which it cancels."""
    manifest = msgspec.structs.replace(
        before.manifest,
        seq=before.manifest.seq + 1 + resets,
        previous=before.hash,
        devices=(*before.manifest.devices, device.entry(approved_by=RECOVERY, marked=True)),
        time_ms=max(now_ms, before.manifest.time_ms),
    )
    return sign_manifest(manifest, identity, device.id, device.keys)


class DoorKeys(Quiet, frozen=True):
    """What opens this profile from now on. recovery_store: b"" where the recovery key was not given."""

    password_store: bytes
    recovery_store: bytes
    random: bytes
    parameters: Argon2Parameters


def keep_profile(
    place: ProfilePlace,
    profile: Profile,
    device: NewDevice,
    keys: DoorKeys,
    extra: tuple[Record, ...],
) -> ClientStore:
    """Write key file and store of a new profile: committed before anything is sent (docs/protocol.md 3)."""
    database_key = new_database_key()
    wraps: list[StoreWrap] = [wrap_database_key(database_key, keys.password_store, StoreWrapKind.PASSWORD)]
    if keys.recovery_store:
        wraps.append(wrap_database_key(database_key, keys.recovery_store, StoreWrapKind.RECOVERY))
    key_file = KeyFile(
        name=profile.name,
        founding=profile.server,
        random=keys.random,
        memory_kib=keys.parameters.memory_kib,
        passes=keys.parameters.passes,
        lanes=keys.parameters.lanes,
        wraps=tuple(wraps),
    )
    store = ClientStore.open(place, database_key)
    try:
        store.begin()
        store.apply((PutSetting(Setting.PROFILE, profile.pack()), *device.records, *extra))
        store.commit()
        write_key_file(place, key_file)
    except BaseException:
        store.close()
        raise
    return store


def profile_of(name: UserName, device: NewDevice, address: Address, connection: Connection) -> Profile:
    """Who this device will be, and the server that has just proven itself."""
    statement = connection.statement
    return Profile(
        name=name,
        account=device.account,
        device=device.id,
        device_name=device.name,
        host=address.host,
        port=address.port,
        server=statement.server,
        founding_ledger=statement.founding_ledger,
        ledger=statement.ledger,
        ledger_key=statement.ledger_key,
    )


def machine_name() -> str:
    """What a device is called unless its owner says otherwise: its system, not its host name."""
    return f"{platform.system() or 'unknown'} computer"


def own_secret(secret: AccountSecret, keys: PasswordKeys, random: bytes) -> PutSetting:
    """The account's private keys for this machine, under the password that opens its store (rule 1)."""
    account = account_id(secret.identity.public)
    wrapped = wrap_secret(secret, keys.wrap, WrapKind.PASSWORD, account, random)
    return PutSetting(Setting.OWN_SECRET, Vault(random, (wrapped,), ()).pack())

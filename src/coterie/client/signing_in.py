"""From nothing to a connection that is signed in, for the runtime (docs/protocol.md 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import CoterieError, Refused, RemoteError
from coterie.client.core.keyring import Keyring
from coterie.client.core.profile import Profile, Run, ServerProof
from coterie.client.journal import Journal
from coterie.client.link import Address, Connection
from coterie.client.store.records import DropSetting, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.wire import codec
from coterie.wire.frames import Accepted, AddDevice, ProveDevice, Ready, Welcome


class Successor(msgspec.Struct, frozen=True):
    """The device that a copied profile becomes: what to save, and then to tell the server. Messages of order
    sure_from and above were written in this copy alone."""

    profile: Profile
    records: tuple[Record, ...]
    frame: AddDevice
    sure_from: int


class Renewal(Protocol):
    """Makes a copied profile a device of its own."""

    async def prepare(self, connection: Connection, profile: Profile) -> Successor: ...


async def connect(
    store: ClientStore, profile: Profile, clock: Clock, journal: Journal | None = None
) -> Connection:
    """A connection to the profile's server, which has proven itself."""
    known = store.setting(Setting.IDENTITY) or b""
    address = Address(profile.host, profile.port, profile.server, known)
    return await Connection.open(address, clock, journal)


async def sign_in(
    connection: Connection, store: ClientStore, profile: Profile, keys: Keyring, run: Run
) -> Ready:
    """Prove this device. Raises Refused, RemoteError, Unavailable."""
    await _finish_sign_up(connection, store)
    if store.setting(Setting.RESTORED) is not None:
        raise Refused(Code.RESTORED_PROFILE, "what came out of a backup has no keys of a device")
    answer = await connection.ask(_proof(connection, profile, keys, run))
    if not isinstance(answer, Ready):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no Ready")
    return answer


def keep_proof(store: ClientStore, welcome: Welcome) -> None:
    """Keep how the server proved itself, for ledger files; written where it is news."""
    packed = ServerProof(welcome.identity, welcome.chain, welcome.statement).pack()
    if store.setting(Setting.SERVER_PROOF) != packed:
        save(store, (PutSetting(Setting.SERVER_PROOF, packed),))


async def add(connection: Connection, frame: AddDevice) -> None:
    """Have a device accepted."""
    if not isinstance(await connection.ask(frame), Accepted):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the new device")


def is_copy(error: CoterieError, store: ClientStore) -> bool:
    """Whether the server says that this store is a copy of a device that goes on elsewhere; or does not know
    its device, and none of its answers ever said that it does (encryption rule 28)."""
    if not isinstance(error, Refused):
        return False
    if error.code is Code.UNKNOWN_DEVICE:
        return store.setting(Setting.DEVICE_UNCONFIRMED) is not None
    return error.code in (Code.COPIED_PROFILE, Code.RESTORED_PROFILE)


def save(store: ClientStore, records: Sequence[Record]) -> None:
    """One transaction, outside a turn."""
    store.begin()
    try:
        store.apply(records)
        store.commit()
    except BaseException:
        store.rollback()
        raise


async def _finish_sign_up(connection: Connection, store: ClientStore) -> None:
    """A sign-up whose answer was lost is asked again; a repeat changes nothing on the server."""
    pending = store.setting(Setting.PENDING_SIGN_UP)
    if pending is None:
        return
    answer = await connection.ask(codec.decode_client(pending)[0])
    if not isinstance(answer, Accepted):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no answer to the sign-up")
    save(store, (DropSetting(Setting.PENDING_SIGN_UP),))


def _proof(connection: Connection, profile: Profile, keys: Keyring, run: Run) -> ProveDevice:
    said = (
        connection.welcome.challenge,
        connection.tls_key,
        profile.account,
        profile.device,
        run.number,
        run.nonce,
    )
    signature = keys.device.sign(prefix(Domain.PROVE_DEVICE) + msgspec.msgpack.encode(said))
    return ProveDevice(1, profile.account, profile.device, run.number, run.nonce, signature)

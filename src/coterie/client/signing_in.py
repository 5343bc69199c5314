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
from coterie.client.core.lives import Lives, NewLife
from coterie.client.core.profile import Profile, Run, ServerProof
from coterie.client.core.switchboard import Switchboard
from coterie.client.core.sync import is_overtaken
from coterie.client.journal import Journal
from coterie.client.link import Address, Connection
from coterie.client.store.records import DropSetting, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.wire import codec
from coterie.wire.frames import Accepted, AddDevice, OfferManifests, ProveDevice, Ready, ShowHead, Welcome


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
    connection: Connection,
    store: ClientStore,
    profile: Profile,
    keys: Keyring,
    run: Run,
    offer: OfferManifests | None = None,
) -> Ready:
    """Prove this device. offer: this account, for a restored server that does not know it any more.
    Raises Refused, RemoteError, Unavailable."""
    await _finish_sign_up(connection, store)
    if store.setting(Setting.RESTORED) is not None:
        raise Refused(Code.RESTORED_PROFILE, "what came out of a backup has no keys of a device")
    proof = _proof(connection, profile, keys, run)
    try:
        answer = await connection.ask(proof)
    except Refused as refused:
        if refused.code is not Code.UNKNOWN_DEVICE or offer is None:
            raise
        await connection.ask(offer)
        answer = await connection.ask(proof)
    if not isinstance(answer, Ready):
        raise RemoteError(Code.UNEXPECTED_FRAME, "no Ready")
    return answer


def keep_proof(store: ClientStore, welcome: Welcome) -> None:
    """Keep how the server proved itself, for ledger files; written where it is news."""
    packed = ServerProof(welcome.identity, welcome.chain, welcome.statement, welcome.restores).pack()
    if store.setting(Setting.SERVER_PROOF) != packed:
        save(store, (PutSetting(Setting.SERVER_PROOF, packed),))


def begin_life(core: Switchboard, store: ClientStore, connection: Connection, now_ms: int) -> NewLife | None:
    """Where the server was restored from a copy: have it on disk what that means, before anything is said to
    it. None where it was not. Raises SecurityStop, Unavailable."""
    lives = Lives(store, core.profile, core.people)
    life = lives.begun(connection.statement, connection.welcome.restores, core.trust.view, now_ms)
    if life is not None:
        save(store, life.outcome.save)
    return life


async def enter(
    connection: Connection, store: ClientStore, core: Switchboard, run: Run, *, first: bool
) -> Ready:
    """Sign in at a server that may not know that it was restored, or may not know this device any more.
    first: nobody has connected since this store was opened, so that it may be a copy.
    Raises Refused, RemoteError, Unavailable."""
    await show_head(connection, store)
    offer = core.trust.returning.own_offer(1)
    ready = await sign_in(connection, store, core.profile, core.keyring, run, offer)
    if first and is_overtaken(store, ready, connection.welcome.incarnation):
        raise Refused(Code.RESTORED_PROFILE, "this device has acknowledged more than this store has")
    return ready


async def show_head(connection: Connection, store: ClientStore) -> None:
    """What the server signed last as far as is known here: where it is a copy that does not know that, it
    hangs up and begins anew. Raises Unavailable then, RemoteError."""
    head = store.setting(Setting.HEAD)
    if head is not None:
        await connection.ask(ShowHead(1, head))


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

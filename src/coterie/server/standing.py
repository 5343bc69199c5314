"""What a server needs that may not be the only one on its database: the others, and what all have alike."""

from __future__ import annotations

from pathlib import Path

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.ledger.statements import ServerStatement, SignedStatement
from coterie.server.certificate import ensure_certificate, write_certificate
from coterie.server.neighbours import Beside
from coterie.server.realm import Realm
from coterie.server.restoring import open_or_begin_life
from coterie.server.settings import ServerSettings
from coterie.server.store.protocol import ALONE_SECONDS, Store
from coterie.server.store.records import PutFact
from coterie.server.wakeups.address import require_buses
from coterie.server.wakeups.hints import Wakeups
from coterie.server.wakeups.protocol import Bus

CERTIFICATE = "certificate"
"""Fact: the servers' own certificate and its private key, PEM; where they have none of the operator's."""


def beside_others(store: Store, settings: ServerSettings, clock: Clock) -> Beside | None:
    """None where there can be no others: the data is a file."""
    if not settings.database:
        return None
    from coterie.server.store.postgres.store import PostgresStore

    assert isinstance(store, PostgresStore), "its address says so"
    return Beside(store.shared, Wakeups(_bus(settings), clock))


def _bus(settings: ServerSettings) -> Bus:
    """Raises Refused(usage)."""
    if settings.wakeups:
        from coterie.server.wakeups.nats import NatsBus

        require_buses(settings.wakeups)
        return NatsBus(settings.wakeups)
    from coterie.server.wakeups.pgnotify import NotifyBus

    return NotifyBus(settings.database)


async def ensure_shared_certificate(store: Store, path: Path) -> None:
    """The certificate that all servers of this database have is at path. The first one makes it, or gives the
    one that it has. Raises Unavailable(disk)."""
    kept = await store.fact(CERTIFICATE)
    if kept is None:
        ensure_certificate(path)
        await store.commit([PutFact(CERTIFICATE, path.read_bytes(), once=True)])
        kept = await store.fact(CERTIFICATE)
    if kept is None:
        raise Unavailable(Code.DISK, "the database lacks the certificate that was just kept there")
    if not path.exists() or path.read_bytes() != kept:
        write_certificate(path, kept)


async def open_with_certificate(store: Store, tls_key: bytes, open_signup: bool, now_ms: int) -> Realm:
    """open_or_begin_life(). Where the newest statement names another certificate, this server is alone from
    then on, until it has made the next one: two that go by different ones would turn people away from each
    other. Raises Unavailable; Refused(usage) where others go by another certificate."""
    realm = await open_or_begin_life(store, tls_key, open_signup, now_ms)
    said = ServerStatement.unpack(SignedStatement.unpack(realm.statement).payload)
    if said.tls_key == tls_key:
        return realm
    try:
        await store.alone(ALONE_SECONDS)
    except Unavailable as error:
        if error.code is not Code.PROFILE_IN_USE:
            raise
        raise Refused(
            Code.USAGE, "other servers of this database go by another certificate: all need the same"
        ) from error
    return await open_or_begin_life(store, tls_key, open_signup, now_ms)

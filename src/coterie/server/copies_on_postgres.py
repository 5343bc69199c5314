"""A PostgreSQL that its operator put back from a copy (`coterie admin restore --database`).

Copies of it are made and put back by its own programs (docs/operating.md, Copies); what is left to say is
that the data is one, so that the next start begins another life (restoring.py).
"""

from __future__ import annotations

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server import restoring
from coterie.server.founding import SECRETS
from coterie.server.store.address import require_address

MADE_ELSEWHERE = (
    "a PostgreSQL is copied by its own programs, pg_basebackup or pg_dump: see Copies in docs/operating.md"
)
_PEOPLE = "SELECT count(*) FROM accounts WHERE name IS NOT NULL"


class CopyInPlace(msgspec.Struct, frozen=True):
    """made_ms: when what it knows was signed last; people: how many accounts it holds."""

    made_ms: int
    people: int


async def mark_copy(url: str, now_ms: int) -> CopyInPlace:
    """The data in this database was put back from a copy. Its servers have to be stopped.

    Raises Unavailable: disk (no server's data there, or it cannot be used), profile-in-use; Refused: usage;
    too-many-tries, as put_back() does.
    """
    require_address(url)
    from coterie.server.store.postgres.beside import on_postgres
    from coterie.server.store.postgres.line import Hold
    from coterie.server.store.postgres.store import PostgresStore

    async with on_postgres(url) as statements:
        people = await statements.number(_PEOPLE)
    store = await PostgresStore.open(url, Hold.ALONE)
    try:
        if await store.fact(SECRETS) is None:
            raise Unavailable(Code.DISK, "there is no server in this database")
        realm = await restoring.mark_copy(store, now_ms)
    finally:
        await store.close()
    return CopyInPlace(realm.ledger.time_ms, people)

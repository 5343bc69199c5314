"""Which database a server's data lies in: the file in its folder, or a PostgreSQL that it names."""

from __future__ import annotations

from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.address import require_address
from coterie.server.store.protocol import Store
from coterie.server.store.soundness import require_sound
from coterie.server.store.sqlite import SqliteStore

_ELSEWHERE = "database-elsewhere"
"""Beside the file: the data lies in a PostgreSQL, whose address, maybe with a password, is not here."""


async def open_store(file: Path, url: str, *, alone: bool = True) -> Store:
    """url: "" for the file. alone: no other server may be there; else several may serve one PostgreSQL.

    A server never begins a second time because it was started without its database, or with another: a folder
    goes on with the kind that it began with.

    Raises Unavailable (disk, damaged, newer-schema, profile-in-use), Refused(usage).
    """
    if not url:
        if is_elsewhere(file):
            raise Unavailable(
                Code.DISK, "the data of this server lies in PostgreSQL: name it with --database"
            )
        require_sound(file)
        return SqliteStore(file)
    require_address(url)
    if file.exists():
        raise Unavailable(
            Code.DISK, "this folder has the server's data itself: copy it with coterie admin copy"
        )
    from coterie.server.store.postgres.line import Hold
    from coterie.server.store.postgres.store import PostgresStore

    store = await PostgresStore.open(url, Hold.ALONE if alone else Hold.BESIDE)
    carried_over(file)
    return store


def is_elsewhere(file: Path) -> bool:
    """Whether the data of the server whose file this would be lies in a PostgreSQL."""
    return file.with_name(_ELSEWHERE).exists()


def carried_over(file: Path) -> None:
    """From now on the data is not in this file."""
    file.with_name(_ELSEWHERE).touch()

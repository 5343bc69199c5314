"""Moving a stopped server from the file in its folder to a PostgreSQL (`coterie admin copy`)."""

from __future__ import annotations

from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.folder import DataFolder, database_of, sync_folder
from coterie.server.store.address import require_address
from coterie.server.store.database import Database
from coterie.server.store.opening import carried_over
from coterie.server.store.soundness import require_sound

KEPT = "carried-over-server.db"


async def carry_over(path: Path, url: str) -> int:
    """How many rows the PostgreSQL has now, each compared. The next start needs its address; the file stays
    beside, under another name, and is never served again. Cut off anywhere, it can be done again.

    Raises Unavailable: disk (no server there, a running one, or a database that is not empty), damaged,
    profile-in-use; Refused(usage).
    """
    require_address(url)
    file = database_of(path)
    if not file.exists():
        raise Unavailable(Code.DISK, "there is no server in this folder")
    folder = DataFolder.open(path)
    try:
        require_sound(file)
        source = Database(file)
        try:
            count = await _carried(source, url)
        finally:
            source.close()
        carried_over(file)
        file.rename(file.with_name(KEPT))
        sync_folder(path)
    finally:
        folder.close()
    return count


async def _carried(source: Database, url: str) -> int:
    from coterie.server.store.postgres.line import Hold
    from coterie.server.store.postgres.store import PostgresStore

    store = await PostgresStore.open(url, Hold.ALONE)
    try:
        return await store.take_over(source)
    finally:
        await store.close()

"""Who posts to everyone when more than 1000 devices listen (encryption rule 15): named by the operator."""

from __future__ import annotations

from pathlib import Path

import apsw

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import UserName
from coterie.server.store.database import Database, database_fault


def name_speaker(path: Path, name: UserName, *, speaks: bool) -> None:
    """Make somebody a speaker, or no longer, in a server's database; counts from their next message on, also
    where the server runs.

    Raises Refused(unknown-person), and Unavailable(disk) where there is no such database.
    """
    if not path.exists():
        raise Unavailable(Code.DISK, "there is no server in this folder")
    database = Database(path)
    try:
        row = database.one("SELECT no FROM accounts WHERE name = ?", (name,))
        if row is None:
            raise Refused(Code.UNKNOWN_PERSON)
        if speaks:
            database.run("INSERT OR IGNORE INTO speakers VALUES (?)", row)
        else:
            database.run("DELETE FROM speakers WHERE account_no = ?", row)
    except apsw.Error as error:
        raise database_fault(error) from error
    finally:
        database.close()

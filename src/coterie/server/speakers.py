"""Who posts to everyone when more than 1000 devices listen (encryption rule 15): named by the operator."""

from __future__ import annotations

from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import UserName
from coterie.server.store.operating import beside


async def name_speaker(file: Path, name: UserName, *, speaks: bool, url: str = "") -> None:
    """Make somebody a speaker, or no longer, in a server's database; counts from their next message on, also
    where the server runs. url: as of beside().

    Raises Refused(unknown-person), and Unavailable(disk) where there is no such database.
    """
    async with beside(file, url) as statements:
        row = await statements.one("SELECT no FROM accounts WHERE name = ?", (name,))
        if row is None:
            raise Refused(Code.UNKNOWN_PERSON)
        if speaks:
            await statements.run("INSERT INTO speakers VALUES (?) ON CONFLICT DO NOTHING", row)
        else:
            await statements.run("DELETE FROM speakers WHERE account_no = ?", row)

"""`coterie restore FILE`: a backup becomes an account of this machine; none that is there is replaced."""

from __future__ import annotations

from pathlib import Path

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.backup_shapes import RestoreShape
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.api.backups import restore


def run(given: Arguments, output: Output) -> int:
    return session.run(_restore(given, output))


async def _restore(given: Arguments, output: Output) -> int:
    place = await restore(session.home_of(given), Path(given.file))
    output.show(
        RestoreShape(restored=place.name, profile=place.folder.name),
        f"{place.name} is on this machine again, and opens by the password of the backup. "
        "At its first connection it becomes a device of its own.",
    )
    return Exit.DONE

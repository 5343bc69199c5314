"""`coterie backup FILE`: this account in one file, sealed as the store is."""

from __future__ import annotations

from pathlib import Path

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.backup_shapes import BackupShape
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.api.backups import back_up


def run(given: Arguments, output: Output) -> int:
    return session.run(_backup(given, output, session.password_of(given)))


async def _backup(given: Arguments, output: Output, password: str) -> int:
    size = await back_up(session.home_of(given), Path(given.file), profile=given.profile, password=password)
    output.show(BackupShape(file=given.file, bytes=size), f"{given.file}: {size} bytes")
    return Exit.DONE

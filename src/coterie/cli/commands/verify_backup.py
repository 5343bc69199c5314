"""`coterie verify-backup FILE`: would it do, if everything else were lost?"""

from __future__ import annotations

from pathlib import Path

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.backup_shapes import BackupContentsShape
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.secret_input import read_password, read_recovery_key
from coterie.cli.shapes import iso
from coterie.client.api.backups import verify_backup
from coterie.screens.form_texts import FormText


def run(given: Arguments, output: Output) -> int:
    return session.run(_verify(given, output))


async def _verify(given: Arguments, output: Output) -> int:
    file = Path(given.file)
    if given.recovery_key_file is not None:
        found = await verify_backup(file, recovery_key=read_recovery_key(given.recovery_key_file))
    else:
        found = await verify_backup(
            file, password=read_password(given, FormText.PASSWORD_OR_PASSPHRASE.value)
        )
    held = found.holdings
    shape = BackupContentsShape(
        backup=given.file,
        account=found.name,
        server=found.server,
        made_at=iso(found.made_ms),
        messages=held.messages,
        conversations=held.conversations,
        people=held.people,
    )
    output.show(
        shape,
        f"A good backup of {found.name} on {found.server}, made {shape.made_at}: {held.messages} messages in "
        f"{held.conversations} conversations, {held.people} people.",
    )
    return Exit.DONE

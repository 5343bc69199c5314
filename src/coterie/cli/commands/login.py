"""`coterie login NAME --server INVITE`: this machine becomes a device of an existing account."""

from __future__ import annotations

import coterie
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.commands import login_approved
from coterie.cli.commands.enrol import show_account
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.secret_input import read_password, read_recovery_key
from coterie.screens.form_texts import FormText


def run(given: Arguments, output: Output) -> int:
    if given.approve:
        return login_approved.run(given, output)
    recovery_key = None if given.recovery_key_file is None else read_recovery_key(given.recovery_key_file)
    password = read_password(given, FormText.PASSWORD_OR_PASSPHRASE.value)
    return session.run(_log_in(given, output, password, recovery_key))


async def _log_in(given: Arguments, output: Output, password: str, recovery_key: str | None) -> int:
    me = await coterie.log_in(
        server=given.server,
        name=given.name,
        password=password,
        home=session.home_of(given),
        recovery_key=recovery_key,
        device_name=given.device_name,
    )
    async with me:
        await show_account(me, output)
    return Exit.DONE

"""`coterie keep-name`: say no to whoever would begin this account's name anew with another identity."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.cli import session
from coterie.cli.account_shapes import KeptNameShape
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.screens.i18n import Text


def run(given: Arguments, output: Output) -> int:
    password = session.password_of(given)
    return session.run(_keep(given, output, password))


async def _keep(given: Arguments, output: Output, password: str) -> int:
    async with session.opened(given, password) as me:
        await me.wait_live(session.PATIENCE_SECONDS)
        if me.reset_at_ms is None:
            raise Refused(Code.NOTHING_TO_CONFIRM)
        await me.keep_name(password)
        output.show(KeptNameShape(account=me.name, kept=True), Text.OWN_RESET_CANCELLED.value)
    return Exit.DONE

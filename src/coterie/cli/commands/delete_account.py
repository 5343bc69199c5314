"""`coterie delete-account`: the account ends for ever; this machine keeps nothing of it."""

from __future__ import annotations

from coterie.base.names import canonical
from coterie.cli import session
from coterie.cli.account_shapes import LeftShape
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.cli.questions import typed

ASK = "This ends the account for ever. Type its name to go on"


def run(given: Arguments, output: Output) -> int:
    password = session.password_of(given)
    return session.run(_delete(given, output, password))


async def _delete(given: Arguments, output: Output, password: str) -> int:
    async with session.opened(given, password) as me:
        if not given.yes:
            answer = typed(ASK)
            if answer is None:
                raise UsageError("", "no terminal to ask on: give --yes")
            if not answer.strip() or canonical(answer.strip()) != me.name:
                raise UsageError("", "that is not the name of this account: nothing was changed")
        await me.delete_account(password=password)
        await me.wipe()
        shape = LeftShape(account=me.name, removed=True, deleted=True, wiped=True)
        output.show(shape, f"{me.name} is deleted")
    return Exit.DONE

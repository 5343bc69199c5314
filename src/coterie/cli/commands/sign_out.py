"""`coterie sign-out`: this device leaves its account; what is on this machine goes, or stays."""

from __future__ import annotations

from coterie.cli import session
from coterie.cli.account_shapes import LeftShape
from coterie.cli.arguments import Arguments
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.cli.questions import confirmed

ASK = "Remove all that is on this machine, messages too?"
LAST = (
    "This is the account's last device: to come back you need its passphrase, or the recovery key. "
    "Messages that are only here are lost."
)
NOT_REMOVED = "The account still lists this device: remove it from another one (coterie devices revoke)."


def run(given: Arguments, output: Output) -> int:
    password = session.password_of(given)
    return session.run(_sign_out(given, output, password))


async def _sign_out(given: Arguments, output: Output, password: str) -> int:
    async with session.opened(given, password) as me:
        if not given.offline:
            await me.wait_live()
        if me.is_last_device:
            output.tell(LAST)
        wipe = given.wipe if given.wipe is not None else confirmed(ASK)
        if wipe is None:
            raise UsageError("", "no terminal to ask on: give --wipe or --keep")
        if not given.offline:
            await me.sign_out(password=password)
        if wipe:
            await me.wipe()
        output.show(
            LeftShape(account=me.name, removed=not given.offline, deleted=False, wiped=wipe),
            NOT_REMOVED if given.offline else f"{me.name} is signed out here",
        )
    return Exit.DONE

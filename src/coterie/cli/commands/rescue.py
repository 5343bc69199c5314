"""`coterie rescue`: what can be read of a damaged account here takes its place; the damaged folder stays."""

from __future__ import annotations

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.backup_shapes import RescueShape
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.api.rescuing import rescue


def run(given: Arguments, output: Output) -> int:
    return session.run(_rescue(given, output, session.password_of(given)))


async def _rescue(given: Arguments, output: Output, password: str) -> int:
    saved = await rescue(session.home_of(given), profile=given.profile, password=password)
    held = saved.holdings
    shape = RescueShape(
        rescued=saved.name,
        messages=held.messages,
        conversations=held.conversations,
        people=held.people,
        missed=saved.missed,
        kept=str(saved.kept),
    )
    output.show(
        shape,
        f"Saved: {held.messages} messages in {held.conversations} conversations, {held.people} people. "
        f"Rows that could not be read: {saved.missed}, or more. The damaged folder is {saved.kept}. "
        "At its first connection what was saved becomes a device of its own.",
    )
    return Exit.DONE

"""`coterie search WORDS`: messages on this machine that hold all the words, newest first."""

from __future__ import annotations

from coterie.cli import session
from coterie.cli.arguments import FOUND, Arguments
from coterie.cli.chat_shapes import message_shape
from coterie.cli.commands.message_lines import message_line
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.screens.moments import Calendar


def run(given: Arguments, output: Output) -> int:
    return session.run(_search(given, output))


async def _search(given: Arguments, output: Output) -> int:
    limit = FOUND if given.limit is None else given.limit
    async with session.opened(given) as me:
        calendar = Calendar()
        for message in me.search(" ".join(given.words), limit=limit):
            output.show(message_shape(message), message_line(message, calendar))
    return Exit.DONE

"""`coterie people`: everybody on this server; who is there now, where the server can be asked."""

from __future__ import annotations

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import person_shape
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.events import Person
from coterie.screens.i18n import Text, presence_of


def run(given: Arguments, output: Output) -> int:
    return session.run(_people(given, output))


async def _people(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        if await session.live_if_possible(me):
            await session.presence_if_possible(me)
        for person in me.people():
            output.show(person_shape(person), _sentence(person))
    return Exit.DONE


def _sentence(person: Person) -> str:
    marks = [presence_of(person).value]
    if person.verified:
        marks.append(Text.VERIFIED.value)
    if person.me:
        marks.append(Text.YOU.value)
    return f"{person.name}  {', '.join(marks)}"

"""`coterie listen`: events as they come; what nobody on this machine has read yet comes first."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from coterie.base.ids import ConversationId
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.commands.event_lines import EventLines
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.api.me import Me
from coterie.client.events import Conversation, Event, LinkChanged, LinkState, Message, MessageArrived

_PAGE = 500


def run(given: Arguments, output: Output) -> int:
    return session.run(_listen(given, output))


async def _listen(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        marks = _ReadMarks(me)
        listener = _Listener(me, EventLines(output), marks, given.count)
        with suppress(TimeoutError):
            async with asyncio.timeout(given.for_seconds), asyncio.TaskGroup() as tasks:
                keeper = tasks.create_task(marks.keep())
                await listener.listen()
                keeper.cancel()
        await marks.store()
    return Exit.DONE


class _ReadMarks:
    """What was printed counts as read and is not printed again; it is stored while more is printed.

    A process that is killed between the two prints a message again at its next start, under the same id.
    """

    def __init__(self, me: Me) -> None:
        self._me = me
        self._orders: dict[ConversationId, int] = {}
        self._printed = asyncio.Event()

    def printed(self, message: Message) -> None:
        self._orders[message.conversation] = message.order
        self._printed.set()

    async def keep(self) -> None:
        while True:
            await self._printed.wait()
            self._printed.clear()
            await self.store()

    async def store(self) -> None:
        """Store every mark that is new. One that is interrupted is stored by the next call."""
        while self._orders:
            conversation, order = next(iter(self._orders.items()))
            await self._me.mark_read(conversation, order)
            if self._orders[conversation] == order:
                del self._orders[conversation]


class _Listener:
    """Prints until there were enough messages."""

    def __init__(self, me: Me, lines: EventLines, marks: _ReadMarks, count: int | None) -> None:
        self._me = me
        self._lines = lines
        self._marks = marks
        self._left = count

    async def listen(self) -> None:
        """From the look into the store to the first event nothing is awaited, so nothing is missed."""
        for message in unread(self._me):
            if self._left == 0:
                return
            self._print(MessageArrived(message))
        if self._left == 0:
            return
        async for event in self._me.events():
            self._print(event)
            if self._left == 0:
                return
            if isinstance(event, LinkChanged) and event.state is LinkState.STOPPED:
                await self._me.wait_live(0)

    def _print(self, event: Event) -> None:
        self._lines.show(event)
        if isinstance(event, MessageArrived):
            self._marks.printed(event.message)
            if self._left is not None:
                self._left -= 1


def unread(me: Me) -> list[Message]:
    """What came to this machine and was not read here, in the order in which it came."""
    found = [message for each in me.conversations() if each.unread for message in _unread_of(me, each)]
    return sorted(found, key=lambda message: message.order)


def _unread_of(me: Me, conversation: Conversation) -> list[Message]:
    found: list[Message] = []
    before: int | None = None
    while page := me.history(conversation.id, limit=_PAGE, before=before):
        found += (each for each in page if each.order >= conversation.first_unread_order and not each.own)
        before = page[0].order
        if before <= conversation.first_unread_order:
            break
    return found

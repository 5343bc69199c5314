"""`coterie listen`: events as they come; what came while nobody listened and nobody read comes first."""

from __future__ import annotations

import asyncio
import select
import sys
from contextlib import suppress

from coterie.base.ids import ConversationId
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.commands.event_lines import EventLines
from coterie.cli.commands.listened import Listened
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.client.api.me import Me
from coterie.client.events import Conversation, Event, LinkChanged, LinkState, Message, MessageArrived
from coterie.client.store.profiles import find_profile

ATOMIC_BYTES = 4096
"""What a pipe takes whole."""
_PAGE = 500


def run(given: Arguments, output: Output) -> int:
    return session.run(_listen(given, output))


async def _listen(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        with Listened(find_profile(session.home_of(given), given.profile).folder) as listened:
            marks = _ReadMarks(me)
            listener = _Listener(me, output, listened, marks, given.count)
            with suppress(TimeoutError):
                async with asyncio.timeout(given.for_seconds), asyncio.TaskGroup() as tasks:
                    keeper = tasks.create_task(marks.keep())
                    await listener.listen()
                    keeper.cancel()
            await marks.store()
    return Exit.DONE


class _ReadMarks:
    """What was printed counts as read; that is stored while more is printed."""

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

    def __init__(
        self, me: Me, output: Output, listened: Listened, marks: _ReadMarks, count: int | None
    ) -> None:
        self._me = me
        self._output = output
        self._lines = EventLines(output)
        self._listened = listened
        self._marks = marks
        self._left = count

    async def listen(self) -> None:
        """From the look into the store to the first event nothing is awaited, so nothing is missed."""
        for message in waiting(self._me, self._listened.order):
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
        if not isinstance(event, MessageArrived):
            self._lines.show(event)
            return
        line = self._lines.message(event)
        data = f"{line}\n".encode()
        if len(data) <= ATOMIC_BYTES and has_room():
            self._listened.print_now(event.message.order, sys.stdout.fileno(), data)
        else:
            self._output.line(line)
            self._listened.printed(event.message.order)
        self._marks.printed(event.message)
        if self._left is not None:
            self._left -= 1


def has_room() -> bool:
    """Whether a short line can be written to standard output now, whole and without waiting.

    A longer one, or one that has to wait for its reader, is noted as printed only after it is.
    """
    try:
        return bool(select.select((), (sys.stdout.fileno(),), (), 0)[1])
    except (OSError, ValueError):
        return False


def waiting(me: Me, listened: int) -> list[Message]:
    """What came to this machine, was not read here and not printed before, in the order in which it came.

    listened: the order of the last message printed. Messages of one's own other devices are read by nobody:
    they count where anything was ever printed.
    """
    found = [
        message
        for conversation in me.conversations()
        for message in _above(me, conversation, listened)
        if not message.own or (listened and message.sender_device != me.device)
    ]
    return sorted(found, key=lambda message: message.order)


def _above(me: Me, conversation: Conversation, listened: int) -> list[Message]:
    last = 0 if conversation.last is None else conversation.last.order
    first_unread = conversation.first_unread_order or last + 1
    found: list[Message] = []
    before: int | None = None
    while last > listened and (page := me.history(conversation.id, limit=_PAGE, before=before)):
        found += (each for each in page if each.order > listened and (each.own or each.order >= first_unread))
        before = page[0].order
        if before <= (listened or first_unread):
            break
    return found

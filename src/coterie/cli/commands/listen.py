"""`coterie listen`: events as they come; what came while nobody listened and nobody read comes first."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from coterie.base.ids import ConversationId
from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.commands.event_lines import EventLines
from coterie.cli.commands.listened import Listened
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.standard_output import Printer
from coterie.client.api.me import Me
from coterie.client.events import (
    Conversation,
    Event,
    LinkChanged,
    LinkState,
    Message,
    MessageArrived,
    OwnDeviceQuestion,
)
from coterie.client.store.profiles import find_profile

_PAGE = 500
_EVENTS_AT_HAND = 1000


def run(given: Arguments, output: Output) -> int:
    return session.run(_listen(given, output))


async def _listen(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        with Listened(find_profile(session.home_of(given), given.profile).folder) as listened:
            listener = _Listener(me, EventLines(output), listened, given.count)
            with suppress(TimeoutError):
                async with asyncio.timeout(given.for_seconds):
                    await listener.run()
            await listener.marks.store()
    return Exit.DONE


class _ReadMarks:
    """What was printed counts as read; that is stored while more is printed."""

    def __init__(self, me: Me) -> None:
        self._me = me
        self._orders: dict[ConversationId, int] = {}
        self._printed = asyncio.Event()

    def printed(self, message: Message) -> None:
        before = self._orders.get(message.conversation, 0)
        self._orders[message.conversation] = max(before, message.order)
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

    def __init__(self, me: Me, lines: EventLines, listened: Listened, count: int | None) -> None:
        self.marks = _ReadMarks(me)
        self._me = me
        self._lines = lines
        self._listened = listened
        self._left = count
        self._printer = Printer()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(_EVENTS_AT_HAND)

    async def run(self) -> None:
        """Take up events while lines are printed, however long somebody takes to read them."""
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(each) for each in (self._take_up(), self.marks.keep())]
            await asyncio.sleep(0)
            await self._print_all()
            for task in beside:
                task.cancel()

    async def _take_up(self) -> None:
        async for event in self._me.events():
            await self._events.put(event)
        await self._events.put(None)

    async def _print_all(self) -> None:
        """First from the store; an event about what was found there says nothing new. One whose place is
        further up came late: it was awaited, and its place kept."""
        found = waiting(self._me, self._listened.order)
        known = {(message.conversation, message.sender_device, message.id) for message in found}
        for message in found:
            if self._left == 0:
                return
            await self._print_message(MessageArrived(message))
        asked = {device.id for device in self._me.questions()}
        for device in self._me.questions():
            await self._printer.line(self._lines.question(device))
        while self._left != 0 and (event := await self._events.get()) is not None:
            if isinstance(event, MessageArrived):
                message = event.message
                if (message.conversation, message.sender_device, message.id) not in known:
                    await self._print_message(event)
                continue
            if isinstance(event, OwnDeviceQuestion):
                if event.device.id in asked:
                    continue
                asked.add(event.device.id)
            if line := self._lines.line(event):
                await self._printer.line(line)
            if isinstance(event, LinkChanged) and event.state is LinkState.STOPPED:
                await self._me.wait_live(0)

    async def _print_message(self, event: MessageArrived) -> None:
        before = self._listened.order

        def note() -> None:
            self._listened.order = max(before, event.message.order)

        try:
            await self._printer.line(self._lines.line(event), note)
        except OSError:
            self._listened.order = before
            raise
        self.marks.printed(event.message)
        if self._left is not None:
            self._left -= 1


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

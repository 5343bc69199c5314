"""Each line of standard input as a message: many on their way at once, told of in their order."""

from __future__ import annotations

import asyncio

from coterie.base.errors import Refused
from coterie.cli.commands.outgoing import StuckCodes, post, raise_if_stopped, show_sent, stuck_codes
from coterie.cli.failures import Exit, refuse, sentence_of
from coterie.cli.output import Output
from coterie.cli.standard_input import as_text, read_lines
from coterie.client.api.me import Me
from coterie.client.events import MessageState, Sent

POSTED_AT_ONCE = 256
ON_THEIR_WAY = 4096
"""Messages posted and not yet told of; reading goes on when there are fewer."""

_Posted = tuple[int, Sent | Refused]
"""The line's number, and the message or why there is none."""


class LineSender:
    """run() once. timeout_seconds: how long the server may acknowledge nothing."""

    def __init__(self, me: Me, target: str, output: Output, timeout_seconds: float) -> None:
        self._me = me
        self._target = target
        self._output = output
        self._timeout_seconds = timeout_seconds
        self._posted: asyncio.Queue[_Posted | None] = asyncio.Queue(ON_THEIR_WAY)
        self._stalled = False
        self._refused = False

    async def run(self) -> Exit:
        """Refused where a line was, else unavailable where one is still in the outbox."""
        async with stuck_codes(self._me) as stuck, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._post_all())
            while (posted := await self._posted.get()) is not None:
                await self._tell(*posted, stuck)
        await raise_if_stopped(self._me)
        if self._refused:
            return Exit.REFUSED
        return Exit.UNAVAILABLE if self._stalled else Exit.DONE

    async def _post_all(self) -> None:
        number = 0
        async for lines in read_lines():
            numbered = [(number + at, line) for at, line in enumerate(lines, 1) if line]
            number += len(lines)
            for start in range(0, len(numbered), POSTED_AT_ONCE):
                some = numbered[start : start + POSTED_AT_ONCE]
                for posted in await asyncio.gather(*(self._post(*each) for each in some)):
                    await self._posted.put(posted)
        await self._posted.put(None)

    async def _post(self, number: int, line: bytes) -> _Posted:
        try:
            return number, await post(self._me, self._target, as_text(line))
        except Refused as error:
            return number, error

    async def _tell(self, number: int, posted: Sent | Refused, stuck: StuckCodes) -> None:
        if isinstance(posted, Refused):
            self._refused = True
            refuse(posted.code.value, sentence_of(posted), self._output, number)
            return
        patience_seconds = 0.0 if self._stalled else self._timeout_seconds
        sent = await self._me.acknowledged(posted, patience_seconds)
        self._stalled = self._stalled or sent.state is MessageState.QUEUED
        show_sent(sent, self._output, stuck)

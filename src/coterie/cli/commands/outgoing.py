"""What becomes of messages on their way: posting, and how each ends on standard output."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import ConversationId
from coterie.cli.chat_shapes import sent_shape
from coterie.cli.failures import Exit, sentence
from coterie.cli.output import Output, complain
from coterie.client.api.me import Me
from coterie.client.events import LinkState, MessageState, SendingStuck, Sent

StuckCodes = dict[ConversationId, Code]
"""Why the server refuses what waits for a conversation."""


async def post(me: Me, target: str, text: str) -> Sent:
    """Put one message into the outbox. To everyone, "@bob hi" is for bob alone.

    Raises Refused(unknown-person, empty, too-large); Unavailable where a name is not known here and
    the server cannot be asked.
    """
    conversation = me.resolve(target)
    if conversation != me.everyone:
        return await me.post(target, text)
    try:
        return await me.say(text, conversation)
    except Refused as error:
        if error.code is Code.UNKNOWN_PERSON and me.link is not LinkState.LIVE:
            raise Unavailable(Code.UNREACHABLE, "nobody of that name is known here yet") from None
        raise


@asynccontextmanager
async def stuck_codes(me: Me) -> AsyncIterator[StuckCodes]:
    """Collects, while it is open, why messages do not go."""
    codes: StuckCodes = {}

    async def watch() -> None:
        async for event in me.events():
            if isinstance(event, SendingStuck):
                codes[event.conversation] = event.code

    async with asyncio.TaskGroup() as tasks:
        watcher = tasks.create_task(watch())
        await asyncio.sleep(0)
        yield codes
        watcher.cancel()


def show_sent(sent: Sent, output: Output, stuck: StuckCodes) -> Exit:
    """Print the message's id and how far it has come; unavailable where it is still in the outbox."""
    if sent.state is not MessageState.QUEUED:
        output.show(sent_shape(sent), f"{sent.id.hex()} {sent.state.value}")
        return Exit.DONE
    why = stuck.get(sent.conversation)
    output.show(sent_shape(sent, why.value if why else None), f"{sent.id.hex()} {sent.state.value}")
    if not output.as_json:
        complain(sentence(why or Code.QUEUED))
    return Exit.UNAVAILABLE


async def raise_if_stopped(me: Me) -> None:
    """Where the connection ended for good, raise why."""
    if me.link is LinkState.STOPPED:
        await me.wait_live(0)

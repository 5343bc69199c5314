"""`coterie read TARGET`: messages of one conversation, from this machine's store, newest last."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import ConversationId
from coterie.cli import session
from coterie.cli.arguments import HISTORY, Arguments
from coterie.cli.chat_shapes import message_shape
from coterie.cli.commands.message_lines import message_line
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.client.api.me import Me
from coterie.screens.moments import Calendar

_PAGE = 500


def run(given: Arguments, output: Output) -> int:
    return session.run(_read(given, output))


async def _read(given: Arguments, output: Output) -> int:
    limit = HISTORY if given.limit is None else given.limit
    async with session.opened(given) as me:
        conversation = await _resolve(me, given.target)
        before = None if given.before is None else _order_of(me, conversation, given.before)
        calendar = Calendar()
        for message in me.history(conversation, limit=limit, before=before):
            output.show(message_shape(message), message_line(message, calendar))
    return Exit.DONE


async def _resolve(me: Me, target: str) -> ConversationId:
    """Without the server, unless it has to be asked for the name."""
    try:
        return me.resolve(target)
    except Unavailable as error:
        if error.code is not Code.UNREACHABLE or not await session.live_if_possible(me):
            raise
    return me.resolve(target)


def _order_of(me: Me, conversation: ConversationId, wanted: str) -> int:
    """Where a message stands. Raises UsageError where it is not in this conversation."""
    before: int | None = None
    while page := me.history(conversation, limit=_PAGE, before=before):
        for message in page:
            if message.id.hex() == wanted.lower():
                return message.order
        before = page[0].order
    raise UsageError("", "no message of this conversation has the id given with --before")

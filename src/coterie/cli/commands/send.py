"""`coterie send TARGET TEXT`: one message, or each line of standard input as one."""

from __future__ import annotations

import asyncio

from coterie.cli import session
from coterie.cli.arguments import Arguments
from coterie.cli.commands.line_sender import LineSender
from coterie.cli.commands.outgoing import post, raise_if_stopped, show_sent, stuck_codes
from coterie.cli.output import Output
from coterie.cli.parser import UsageError
from coterie.cli.standard_input import read_text
from coterie.client.commands import EVERYONE

_STDIN = "-"


def run(given: Arguments, output: Output) -> int:
    if given.lines:
        return session.run(_send_lines(given, output))
    target, text = _said(given)
    return session.run(_send(given, output, target, text))


def _said(given: Arguments) -> tuple[str, str]:
    """Where to and what; "@bob hi" in one word is what a person types into the app. Raises UsageError."""
    if given.text == _STDIN:
        return given.target, read_text()
    if given.text is not None:
        return given.target, given.text
    if given.target.startswith("@") and len(given.target.split(maxsplit=1)) > 1:
        return EVERYONE, given.target
    raise UsageError("", "what is the message? Give TEXT, or - for standard input, or --lines")


async def _send(given: Arguments, output: Output, target: str, text: str) -> int:
    async with session.opened(given) as me, stuck_codes(me) as stuck:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + given.timeout_seconds
        await session.live_if_possible(me, given.timeout_seconds)
        sent = await post(me, target, text)
        sent = await me.acknowledged(sent, max(0.0, deadline - loop.time()))
        code = show_sent(sent, output, stuck)
        await raise_if_stopped(me)
    return code


async def _send_lines(given: Arguments, output: Output) -> int:
    async with session.opened(given) as me:
        await session.live_if_possible(me, given.timeout_seconds)
        me.resolve(given.target)
        return await LineSender(me, given.target, output, given.timeout_seconds).run()

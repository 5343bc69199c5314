"""The bot parrot: answers every direct message with what was said.

The function parrot is the whole bot; the rest gives it an account. `python -m coterie.cli.parrot --help`
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path

import coterie
from coterie.cli import session
from coterie.cli.failures import Exit, report, set_up_logging
from coterie.cli.output import Output, complain
from coterie.cli.parser import Parser, UsageError


async def parrot(me: coterie.Me) -> None:
    """Repeat what people say, until the server wants no more of it."""
    async for event in me.events():
        match event:
            case coterie.MessageArrived(message=message) if message.conversation != me.everyone:
                if message.readable and not message.own:
                    await event.reply(message.text)
            case coterie.LinkChanged(state=coterie.LinkState.STOPPED):
                await me.wait_live(0)
            case _:
                pass


READY = "ready"
"""What it prints once it answers."""
_PASSWORD_FILE = "password"
_START_SECONDS = 30.0


async def enter(home: Path, server: str, name: str) -> coterie.Me:
    """Its account: made at the first start, opened at each later one."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = _password(home / _PASSWORD_FILE)
    if coterie.profiles(home):
        return await coterie.open(home, password=password, server=server)
    me = await coterie.sign_up(server=server, name=name, password=password, home=home)
    await me.recovery_key_shown()
    return me


def _password(file: Path) -> str:
    """Random, and readable by its owner alone; on the disk before anything depends on it."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text("ascii").strip()
    password = secrets.token_urlsafe(24)
    with os.fdopen(handle, "w", encoding="ascii") as new:
        new.write(password + "\n")
        new.flush()
        os.fsync(new.fileno())
    return password


async def _live(home: Path, server: str, name: str) -> int:
    async with await enter(home, server, name) as me, asyncio.TaskGroup() as tasks:
        answering = tasks.create_task(parrot(me))
        await me.wait_live(_START_SECONDS)
        Output(as_json=False).line(READY)
        await answering
    return Exit.DONE


def main() -> int:
    """Gives the exit code."""
    parser = Parser(prog="python -m coterie.cli.parrot", description="A bot that repeats what people say.")
    parser.add_argument("--home", type=Path, required=True, metavar="DIR")
    parser.add_argument("--server", required=True, metavar="INVITE")
    parser.add_argument("--name", default="parrot")
    try:
        given = parser.parse_args()
    except UsageError as error:
        complain(error.hint)
        return Exit.USAGE
    set_up_logging(verbose=False)
    try:
        return session.run(_live(given.home, given.server, given.name))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, a person sees one sentence
        return report(error, Output(as_json=False), verbose=False)


if __name__ == "__main__":
    sys.exit(main())

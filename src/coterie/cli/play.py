"""A conversation of alice, bob and carol: three real clients, each its own process, on a real server.

Played where nobody can look at a window. Printed line by line, with what the server holds of it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.cli.processes import LINE_BYTES, Program
from coterie.cli.stored import files_holding, stored_lines

HELLO_BOB: Final = "Hi bob! Nobody but you can read this. \N{SLIGHTLY SMILING FACE}"
ANSWER: Final = "Just you and me, and no one in between."
HELLO_ALL: Final = "Hello everyone, the coterie is open."
WHILE_AWAY: Final = "When you are back: the cake is in the second drawer."
FOR_NOBODY: Final = "this was meant for bob alone"
SAID: Final = (HELLO_BOB, ANSWER, HELLO_ALL, WHILE_AWAY, FOR_NOBODY)
STEP_SECONDS: Final = 30.0
"""For anything a client is asked to do."""


class Line(msgspec.Struct, frozen=True):
    """What the play needs of the JSON lines of the command line."""

    event: str = ""
    id: str = ""
    conversation: str = ""
    sender: str = msgspec.field(name="from", default="")
    text: str = ""
    state: str = ""
    name: str = ""
    online: bool = False
    error: str = ""
    message: str = ""
    account_id: str = ""


_line = msgspec.json.Decoder(Line)


class Player:
    """One person with a home of their own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.home = folder / name
        self._log = folder / f"{name}.log"
        self._password_file = folder / f"{name}.password"
        handle = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24) + "\n")

    def _words(self, *command: str) -> tuple[str, ...]:
        where = ("--home", str(self.home), "--password-file", str(self._password_file))
        return ("coterie.cli", "--json", *where, *command)

    async def run(self, *command: str) -> list[Line]:
        """One command, to its end; its lines. Raises Unavailable where it takes too long."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *self._words(*command), stdin=DEVNULL, stdout=PIPE, limit=LINE_BYTES
        )
        try:
            async with asyncio.timeout(STEP_SECONDS):
                out, _ = await process.communicate()
        except TimeoutError:
            raise Unavailable(Code.UNREACHABLE, f"`coterie {command[0]}` took too long") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return [_line.decode(line) for line in out.splitlines()]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Ear]:
        """`coterie listen`, until the end of the block; live when it begins."""
        program = await Program.start(self._log, *self._words("listen"))
        ear = Ear(program)
        try:
            await ear.hear(lambda line: line.event == "link" and line.state == "live")
            yield ear
        finally:
            await program.stop()


class Ear:
    """What a listening client prints."""

    def __init__(self, program: Program) -> None:
        self._program = program

    async def hear(self, wanted: Callable[[Line], bool]) -> Line:
        """The next line of that kind."""
        while not wanted(line := _line.decode(await self._program.line())):
            pass
        return line

    async def message(self) -> Line:
        return await self.hear(lambda line: line.event == "message")


class Play:
    """run() once, in an empty folder."""

    def __init__(self, folder: Path, server: Path, invite: str, say: Callable[[str], None]) -> None:
        self._alice, self._bob, self._carol = (Player(folder, name) for name in ("alice", "bob", "carol"))
        self._server = server
        self._invite = invite
        self._say = say

    async def run(self) -> None:
        """All scenes. Raises Unavailable where one does not go as it must."""
        await self._sign_up()
        async with self._carol.listening() as carol:
            async with self._bob.listening() as bob:
                await self._people()
                await self._to_one(bob)
                await self._to_all(bob, carol)
            await self._to_somebody_away()
            self._stored()
            await self._back()
        await self._to_nobody()
        self._searched()

    async def _sign_up(self) -> None:
        self._scene("Three people sign up, each with keys of their own")
        for player in (self._alice, self._bob, self._carol):
            (line,) = await player.run("signup", player.name, "--server", self._invite)
            _must(not line.error, line)
            self._say(f"  {player.name} is account {line.account_id[:16]}...")

    async def _people(self) -> None:
        self._scene("bob and carol are listening; alice looks who is there")
        for line in await self._alice.run("people"):
            self._say(f"  {line.name}: {'online' if line.online else 'offline'}")

    async def _to_one(self, bob: Ear) -> None:
        self._scene("alice writes to bob alone")
        await self._send(self._alice, "@bob", HELLO_BOB)
        self._heard("bob", await bob.message(), HELLO_BOB)

    async def _to_all(self, bob: Ear, carol: Ear) -> None:
        self._scene("alice writes to everyone")
        await self._send(self._alice, "everyone", HELLO_ALL)
        self._heard("bob", await bob.message(), HELLO_ALL)
        self._heard("carol", await carol.message(), HELLO_ALL)

    async def _to_somebody_away(self) -> None:
        self._scene("bob has left; alice writes to him all the same")
        await self._send(self._alice, "@bob", WHILE_AWAY)

    def _stored(self) -> None:
        self._scene("Meanwhile, everything that the server has of these people and messages")
        for line in stored_lines(self._server / "server.db"):
            self._say(f"  {line}")
        self._say("  Names, devices and times it has to know. What was said is in ciphertext alone.")

    async def _back(self) -> None:
        self._scene("bob comes back and answers")
        (line,) = [line for line in await self._bob.run("listen", "--count", "1") if line.event == "message"]
        self._heard("bob", line, WHILE_AWAY)
        await self._send(self._bob, "@alice", ANSWER)
        lines = await self._alice.run("listen", "--count", "1")
        self._heard("alice", next(line for line in lines if line.event == "message"), ANSWER)

    async def _to_nobody(self) -> None:
        self._scene("A slip: alice types @bbo instead of @bob, to everyone")
        typed = f"@bbo {FOR_NOBODY}"
        (line,) = await self._alice.run("send", "everyone", typed)
        _must(line.error == Code.UNKNOWN_PERSON.value, line)
        self._say(f"  alice: {typed}")
        self._say(f"  refused, and sent to nobody: {line.error}")

    def _searched(self) -> None:
        self._scene("Is anything of what was said in the server's files, or readable in anybody's folder?")
        folders = (self._server, self._alice.home, self._bob.home, self._carol.home)
        size_bytes, found = files_holding(folders, SAID)
        if found:
            raise Unavailable(Code.SEAL_BROKEN, f"readable text in {', '.join(file.name for file in found)}")
        self._say(f"  No: searched {size_bytes:,} bytes, found none of {len(SAID)} texts.")

    async def _send(self, player: Player, target: str, text: str) -> None:
        (line,) = await player.run("send", target, text)
        _must(line.state == "sent", line)
        self._say(f"  {player.name} -> {target}: {text}   [{line.state}, {line.id[:8]}]")

    def _heard(self, name: str, line: Line, text: str) -> None:
        _must(line.text == text, line)
        self._say(f"  {name} reads, from {line.sender} in {line.conversation}: {line.text}")

    def _scene(self, title: str) -> None:
        self._say(f"\n{title}")


def _must(went_well: bool, line: Line) -> None:
    if not went_well:
        raise Unavailable(Code.MISSING_PART, f"the play stops: {line.error or line.event} {line.message}")


def empty(folder: Path) -> Path:
    """The folder of a play, with nothing left of the one before."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    return folder

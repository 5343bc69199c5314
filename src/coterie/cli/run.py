"""What `make run` does: a server under ./var, and the app on it.

Where there is a display: the window, with the bot parrot to talk to. Else alice, bob and carol play a
conversation on a server of their own, under var/play, which each play begins anew.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

import msgspec

from coterie.base.clock import SystemClock
from coterie.base.errors import CoterieError
from coterie.base.invite import parse_invite
from coterie.cli import session
from coterie.cli.commands.app import has_display
from coterie.cli.failures import Exit, report, set_up_logging
from coterie.cli.output import Output, print_anything
from coterie.cli.play import Play, empty
from coterie.cli.processes import Program, is_running, stop_pid
from coterie.cli.shapes import ReadyShape
from coterie.client.link import Address, Connection
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import profiles

VAR: Final = Path("var")
RUN_FILE: Final = VAR / "run.json"

_output = Output(as_json=False)
_ready = msgspec.json.Decoder(ReadyShape)


class Running(msgspec.Struct, frozen=True):
    """var/run.json: what is running, and which run of this program stops it (owner, a pid)."""

    owner: int
    server: int
    parrot: int
    invite: str


_running = msgspec.json.Decoder(Running)


async def _start_server(tasks: asyncio.TaskGroup, data: Path, log: Path) -> tuple[Program, ReadyShape]:
    where = ("--data", str(data), "--listen", "127.0.0.1:0")
    server = await Program.start(log, "coterie.cli", "--json", "serve", *where)
    try:
        ready = _ready.decode(await server.line())
    except BaseException:
        await server.stop()
        raise
    tasks.create_task(server.keep_log())
    return server, ready


async def _start_parrot(tasks: asyncio.TaskGroup, invite: str) -> Program:
    where = ("--home", str(VAR / "parrot"), "--server", invite)
    parrot = await Program.start(VAR / "parrot.log", "coterie.cli.parrot", *where)
    try:
        await parrot.line()
    except BaseException:
        await parrot.stop()
        raise
    tasks.create_task(parrot.keep_log())
    return parrot


async def _play() -> int:
    folder = empty(VAR / "play")
    async with asyncio.TaskGroup() as tasks:
        server, ready = await _start_server(tasks, folder / "server", folder / "server.log")
        try:
            _output.line(f"There is no display, so alice, bob and carol play. Their server: {ready.listen}")
            await Play(folder, folder / "server", ready.invite, _output.line).run()
        finally:
            await server.stop()
    _output.line("\nThe server is stopped. With a display, make run opens the window.")
    return Exit.DONE


async def _window_on_own_server() -> int:
    async with asyncio.TaskGroup() as tasks:
        server, ready = await _start_server(tasks, VAR / "server", VAR / "server.log")
        try:
            parrot = await _start_parrot(tasks, ready.invite)
            try:
                _note(Running(os.getpid(), server.pid, parrot.pid, ready.invite))
                return await _window(ready.invite)
            finally:
                await parrot.stop()
        finally:
            RUN_FILE.unlink(missing_ok=True)
            await server.stop()


async def _window_on(running: Running) -> int:
    """On a server that another run of this program started; where that one has died, this one stops it."""
    if is_running(running.owner):
        return await _window(running.invite)
    _note(msgspec.structs.replace(running, owner=os.getpid()))
    try:
        return await _window(running.invite)
    finally:
        RUN_FILE.unlink(missing_ok=True)
        if _has_profile(VAR / "parrot", running.parrot):
            await stop_pid(running.parrot)
        if await _answers(running.invite):
            await stop_pid(running.server)


async def _window(invite: str) -> int:
    """Its exit code, once it is closed."""
    words = ("coterie.cli", "--home", str(VAR / "me"), "--server", invite, "--desktop")
    window = await asyncio.create_subprocess_exec(sys.executable, "-m", *words)
    try:
        return await window.wait()
    finally:
        if window.returncode is None:
            window.terminate()
            await window.wait()


def _note(running: Running) -> None:
    draft = RUN_FILE.with_suffix(".new")
    draft.write_bytes(msgspec.json.encode(running))
    draft.replace(RUN_FILE)


async def _already_running() -> Running | None:
    """What var/run.json names, if that server is still there and proves to be the one."""
    try:
        running = _running.decode(RUN_FILE.read_bytes())
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
    return running if is_running(running.server) and await _answers(running.invite) else None


async def _answers(invite: str) -> bool:
    """Whether the server of this invite answers where the invite says."""
    where = parse_invite(invite)
    try:
        connection = await Connection.open(Address(where.host, where.port, where.fingerprint), SystemClock())
    except CoterieError:
        return False
    connection.close()
    return True


def _has_profile(home: Path, pid: int) -> bool:
    """Whether this process holds a profile of this home open."""
    for place in profiles(home):
        lock = ProfileLock(place)
        if not lock.try_acquire():
            return lock.owner_pid() == pid
        lock.release()
    return False


def main() -> int:
    """Gives the exit code."""
    print_anything()
    set_up_logging(verbose=False)
    try:
        return session.run(_main())
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever it is, a person sees one sentence
        return report(error, _output, verbose=False)


async def _main() -> int:
    VAR.mkdir(mode=0o700, exist_ok=True)
    if not has_display():
        return await _play()
    running = await _already_running()
    return await _window_on_own_server() if running is None else await _window_on(running)


if __name__ == "__main__":
    sys.exit(main())

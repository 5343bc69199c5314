"""Real server processes: killed, ended, and looked into."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from coterie.base.clock import SystemClock
from coterie.base.invite import parse_invite
from coterie.wire.frames import Accepted, Refusal, Send
from tests.server.people import Person
from tests.server.raw_client import RawClient, connected

PROGRAM = Path(__file__).with_name("process_under_test.py")
WAIT_SECONDS = 30.0

pytestmark = pytest.mark.slow


class Process:
    """A server of its own process."""

    def __init__(self, process: asyncio.subprocess.Process, invite: str, modules: list[str]) -> None:
        self.process = process
        self.invite = parse_invite(invite)
        self.modules = modules

    async def connect(self) -> RawClient:
        return await connected(self.invite, SystemClock().wall_ms())

    async def end(self, number: signal.Signals) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        async with asyncio.timeout(WAIT_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def server_process(data: Path, port: int = 0) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        str(data),
        str(port),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            ready = json.loads(await process.stdout.readline())
            modules = json.loads(await process.stdout.readline())
        yield Process(process, ready["invite"], modules)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.asyncio
async def test_the_running_server_holds_no_code_that_could_read_a_message(folder: Path) -> None:
    async with server_process(folder) as server:
        assert "coterie.server.turns" in server.modules
        readers = ("vodozemac.", "coterie.content.", "coterie.e2ee.", "coterie.client.")
        assert [name for name in server.modules if f"{name}.".startswith(readers)] == []
        assert await server.end(signal.SIGTERM) == 0


@pytest.mark.asyncio
async def test_sigterm_ends_it_orderly_with_everything_on_disk(folder: Path, fresh_alice: Person) -> None:
    async with server_process(folder) as server:
        client = await server.connect()
        assert isinstance(await client.ask(fresh_alice.sign_up()), Accepted)
        assert await server.end(signal.SIGTERM) == 0
        async with asyncio.timeout(WAIT_SECONDS):
            await client.gone.wait()
        assert client.close_code == 1001
    async with server_process(folder) as server:
        client = await server.connect()
        await client.sign_in(fresh_alice.device)
        await client.close()


@pytest.mark.asyncio
async def test_whatever_was_accepted_before_a_kill_is_there_after_it(
    folder: Path, fresh_alice: Person, fresh_bob: Person
) -> None:
    """Kill -9 under load, three times; then every retry is answered and nothing is double."""
    alice, bob = fresh_alice, fresh_bob
    conversation = alice.direct_with(bob)
    accepted: dict[bytes, int] = {}
    unanswered: list[Send] = []
    for life in range(3):
        async with server_process(folder) as server:
            client = await server.connect()
            if life == 0:
                await client.ask(alice.sign_up())
                other = await server.connect()
                await other.ask(bob.sign_up())
                await other.close()
            await client.sign_in(alice.device)
            share = alice.device.share(conversation, bob.account, bob.device, request=2)
            assert isinstance(await client.ask(share), Accepted)
            requests: dict[int, bytes] = {}
            fresh = [alice.device.message(conversation, bob.account) for _ in range(150)]
            for request, send in enumerate([*unanswered, *fresh], start=10):
                requests[request] = send.message
                client.say(msgspec.structs.replace(send, request=request))
            sends = {send.message: send for send in [*unanswered, *fresh]}
            for _ in range(60):
                answer = await client.next(Accepted)
                known = accepted.setdefault(requests[answer.request], answer.seq)
                assert known == answer.seq
            await server.end(signal.SIGKILL)
            unanswered = [send for message, send in sends.items() if message not in accepted]
            assert unanswered
            async with asyncio.timeout(WAIT_SECONDS):
                await client.gone.wait()
            assert not [frame for frame in client.kept if isinstance(frame, Refusal)]
    async with server_process(folder) as server:
        client = await server.connect()
        await client.sign_in(bob.device)
        entries = await client.entries(max(accepted.values()))
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        stored = {entry.message: entry.seq for entry in entries}
        assert len(stored) == len(entries)
        assert {message: stored.get(message) for message in accepted} == accepted
        await client.close()

"""Several server processes on one database, and real people on them."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from coterie.trials.engines.nats import node
from tests.engines.waiting import until
from tests.real.programs import Client, Server, environment

pytestmark = pytest.mark.slow

MESSAGES = 200
PATIENCE_SECONDS = 30


def person(server: Server, home: Path) -> Client:
    client = Client(home, home.name)
    client.sign_up(server.invite)
    return client


@pytest.fixture
def pair(tmp_path: Path, postgres_database: str) -> Iterator[tuple[Server, Server]]:
    """Two servers with a folder and a port of their own."""
    servers = (Server(tmp_path / "one"), Server(tmp_path / "other"))
    for server in servers:
        server.start("--database", postgres_database)
    yield servers
    for server in servers:
        server.stop()


def test_two_servers_side_by_side_are_one(pair: tuple[Server, Server], tmp_path: Path) -> None:
    """The same identity and certificate, drawn by whoever was first."""
    one, other = pair
    assert one.fingerprint == other.fingerprint
    assert one.port != other.port
    assert (one.data / "tls.pem").read_bytes() == (other.data / "tls.pem").read_bytes()
    alice, bob = person(one, tmp_path / "alice"), person(other, tmp_path / "bob")
    with bob.listening() as listening:
        alice.send("@bob", "hello")
        assert listening.message()["text"] == "hello"
    bob.send("@alice", "and to you")
    assert [line["text"] for line in alice.waiting(1)] == ["and to you"]


def test_both_begin_another_life_where_the_data_is_a_copy(
    pair: tuple[Server, Server], postgres_database: str, tmp_path: Path
) -> None:
    """One of them does it once the other has let go; then people go on at both."""
    one, other = pair
    alice, bob = person(one, tmp_path / "alice"), person(other, tmp_path / "bob")
    alice.send("@bob", "before")
    asyncio.run(found_to_be_a_copy(postgres_database))
    with bob.listening() as listening:
        alice.send("@bob", "after")
        while listening.message()["text"] != "after":
            pass
    logs = [server.log.read_text() for server in pair]
    assert sum("a new ledger begins" in log for log in logs) == 1
    assert [log.count("serving on port") for log in logs] == [2, 2]


async def found_to_be_a_copy(url: str) -> None:
    """As one of the servers writes it down; returns once another life has begun."""
    operator = await asyncpg.connect(url)
    await operator.execute("INSERT INTO facts VALUES ('restored', '1')")
    await until(operator, "SELECT value = '' FROM facts WHERE name = 'restored'")
    await operator.close()


def test_workers_share_a_port_and_lose_nothing_when_they_are_killed(
    tmp_path: Path, postgres_database: str
) -> None:
    """kill -9 of one after the other while somebody speaks: people come back at the other, each message is
    there once and in order, and the workers are started again."""
    server = Server(tmp_path / "server")
    server.start("--database", postgres_database, "--workers", "2")
    try:
        assert len(set(server.metrics.split(","))) == 2
        alice, bob = person(server, tmp_path / "alice"), person(server, tmp_path / "bob")
        texts = [f"message {number}" for number in range(MESSAGES)]
        with bob.listening() as listening:
            with speaking(alice, texts) as speaker:
                got: list[str] = []
                for worker in children(server.pid):
                    got += [line["text"] for line in listening.messages(MESSAGES // 4)]
                    os.kill(worker, signal.SIGKILL)
                got += [line["text"] for line in listening.messages(MESSAGES - len(got))]
                assert speaker.wait(60) == 0, "all of them were acknowledged"
            assert got == texts
        assert [line["text"] for line in bob.ok("read", "@alice", "--limit", str(2 * MESSAGES))] == texts
        assert server.log.read_text().count("is started again") == 2
    finally:
        server.stop()
    assert children(server.pid) == []


def test_workers_are_started_anew_one_after_the_other_while_somebody_speaks(
    tmp_path: Path, postgres_database: str
) -> None:
    """By SIGHUP: all of them are others, the port is the same, and nothing is lost."""
    server = Server(tmp_path / "server")
    server.start("--database", postgres_database, "--workers", "2")
    try:
        alice, bob = person(server, tmp_path / "alice"), person(server, tmp_path / "bob")
        texts = [f"message {number}" for number in range(MESSAGES)]
        before = children(server.pid)
        with bob.listening() as listening, speaking(alice, texts) as speaker:
            got = [line["text"] for line in listening.messages(MESSAGES // 4)]
            os.kill(server.pid, signal.SIGHUP)
            ends = [os.pidfd_open(worker) for worker in before]
            for end in ends:
                assert select.select([end], [], [], PATIENCE_SECONDS)[0], "it goes on"
                os.close(end)
            got += [line["text"] for line in listening.messages(MESSAGES - len(got))]
            assert speaker.wait(60) == 0, "all of them were acknowledged"
        assert got == texts
        logged(server, "all workers were started anew")
        assert server.stop() == 0
        log = server.log.read_text()
        assert [log.count(f"worker {number} is started anew") for number in (1, 2)] == [1, 1]
        assert "is started again" not in log
    finally:
        server.stop()


def test_two_servers_are_woken_by_nats(tmp_path: Path, postgres_database: str) -> None:
    servers = (Server(tmp_path / "one"), Server(tmp_path / "other"))
    with node() as bus:
        for server in servers:
            server.start("--database", postgres_database, "--wakeups", bus.url)
        try:
            one, other = servers
            alice, bob = person(one, tmp_path / "alice"), person(other, tmp_path / "bob")
            with bob.listening() as listening:
                alice.send("@bob", "hello")
                assert listening.message()["text"] == "hello"
        finally:
            for server in servers:
                server.stop()
    assert "wake-ups are lost" not in "".join(server.log.read_text() for server in servers)


def test_no_worker_outlives_who_started_it(tmp_path: Path, postgres_database: str) -> None:
    server = Server(tmp_path / "server")
    server.start("--database", postgres_database, "--workers", "2")
    ends = [os.pidfd_open(worker) for worker in children(server.pid)]
    server.kill()
    for end in ends:
        assert select.select([end], [], [], PATIENCE_SECONDS)[0], "it goes on"
        os.close(end)
    server.start("--database", postgres_database, "--workers", "2")
    assert server.stop() == 0


def logged(server: Server, words: str) -> None:
    """Return once the server has said so."""
    for _ in range(10 * PATIENCE_SECONDS):
        if words in server.log.read_text():
            return
        select.select([], [], [], 0.1)
    raise AssertionError(f"it did not say: {words}")


@contextmanager
def speaking(client: Client, texts: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`coterie send @bob --lines`, which ends once all of them were sent."""
    process = subprocess.Popen(
        client.command("send", "@bob", "--lines"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        assert process.stdin is not None
        with process.stdin as said:
            said.write("".join(f"{text}\n" for text in texts).encode())
        yield process
    finally:
        process.kill()
        process.wait()


def children(pid: int) -> list[int]:
    """Of a process; none where it is gone."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []

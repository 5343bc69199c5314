"""Several server processes on one database, and real people on them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.programs import Client, Server

pytestmark = pytest.mark.slow


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


def test_workers_share_a_port_and_one_that_dies_is_started_again(
    tmp_path: Path, postgres_database: str
) -> None:
    server = Server(tmp_path / "server")
    server.start("--database", postgres_database, "--workers", "2")
    try:
        assert len(set(server.metrics.split(","))) == 2
        alice, bob = person(server, tmp_path / "alice"), person(server, tmp_path / "bob")
        with bob.listening() as listening:
            for worker in children(server.pid):
                os.kill(worker, signal.SIGKILL)
                alice.send("@bob", f"after {worker}")
                assert listening.message()["text"] == f"after {worker}"
        assert "is started again" in server.log.read_text()
    finally:
        server.stop()
    assert children(server.pid) == []


def children(pid: int) -> list[int]:
    """Of a process; none where it is gone."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []

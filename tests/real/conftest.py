"""Real processes on loopback: one server for a module, and people on it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.programs import Client, Server

StartServer = Callable[..., Server]
"""start_server("--invite-only")"""
SignedUp = Callable[..., Client]
"""signed_up("bob"): a client with an account of that name, made unique for the test."""


@pytest.fixture(autouse=True, scope="session")
def _told_to_end() -> None:
    """A shell has what it starts in the background ignore SIGINT, and so do the programs that tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Shared by the tests of a module, which leave it running."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    assert server.stop() == 0
    assert "exception" not in server.log.read_text().lower()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Makes servers that a test may kill and start again."""
    servers: list[Server] = []

    def start(*options: str) -> Server:
        servers.append(Server(tmp_path / f"server-{len(servers)}"))
        servers[-1].start(*options)
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def own_server(start_server: StartServer) -> Server:
    """One that a test may kill and start again."""
    return start_server()


_numbers = iter(range(1_000_000))


@pytest.fixture
def signed_up(server: Server, tmp_path: Path) -> SignedUp:
    """Makes accounts on the shared server."""

    def sign_up(name: str, *options: str) -> Client:
        client = Client(tmp_path / name, f"{name}{next(_numbers)}")
        client.sign_up(server.invite, *options)
        return client

    return sign_up

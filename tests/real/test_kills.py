"""kill -9 of the server, of a sender, of a receiver: what was acknowledged arrives, once and in order."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.programs import Client, Line, Running, Server, environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MESSAGES = 1000


@pytest.fixture
def alice(own_server: Server, tmp_path: Path) -> Client:
    client = Client(tmp_path / "alice", "alice")
    client.sign_up(own_server.invite)
    return client


@pytest.fixture
def bob(own_server: Server, alice: Client, tmp_path: Path) -> Client:
    """Somebody who has written to alice, so that her messages are no stranger's."""
    client = Client(tmp_path / "bob", "bob")
    client.sign_up(own_server.invite)
    client.send("@alice", "write to me")
    return client


def numbers(lines: list[Line]) -> list[int]:
    return [int(line["text"]) for line in lines if line.get("event") == "message"]


@contextmanager
def sending(client: Client, first: int, count: int) -> Iterator[Running]:
    """`coterie send @bob --lines` under way: the numbers from first on."""
    lines = "".join(f"{number}\n" for number in range(first, first + count)).encode()
    process = subprocess.Popen(
        client.command("send", "@bob", "--lines", "--timeout", "60"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    assert process.stdin is not None
    process.stdin.write(lines)
    process.stdin.close()
    process.stdin = None
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_server_that_is_killed_loses_and_doubles_nothing(
    own_server: Server, alice: Client, bob: Client
) -> None:
    with bob.listening("--count", str(MESSAGES)) as listening:
        with sending(alice, 0, MESSAGES) as sender:
            for acknowledged in (100, 400, 700):
                while len(sender.said) < acknowledged:
                    assert sender.next() is not None
                own_server.kill()
                own_server.start()
            said = sender.rest()
        arrived = listening.rest()
    assert [line["state"] for line in said] == ["sent"] * MESSAGES
    assert numbers(arrived) == list(range(MESSAGES))


def test_a_sender_that_is_killed_loses_and_doubles_nothing(alice: Client, bob: Client) -> None:
    acknowledged: list[str] = []
    first = 0
    for read in (50, 250, 1):
        with sending(alice, first, 300) as sender:
            while len(sender.said) < read:
                assert sender.next() is not None
            sender.kill()
            acknowledged += [line["id"] for line in sender.rest() if line["state"] == "sent"]
        first += 300
    alice.send("@bob", str(first))
    with bob.listening() as listening:
        while first not in numbers(listening.said):
            listening.message()
        arrived = [line for line in listening.said if line.get("event") == "message"]
    ids = [line["id"] for line in arrived]
    assert len(set(ids)) == len(ids)
    assert set(acknowledged) <= set(ids)
    assert numbers(arrived) == sorted(set(numbers(arrived)))
    assert len(acknowledged) >= 301


def test_a_receiver_that_is_killed_misses_and_repeats_nothing(alice: Client, bob: Client) -> None:
    printed: list[Line] = []
    with sending(alice, 0, MESSAGES) as sender:
        for read in (1, 150, 300, 80):
            with bob.running("listen") as listening:
                for _ in range(read):
                    listening.message()
                listening.kill()
                printed += listening.rest()
        said = sender.rest()
    assert [line["state"] for line in said] == ["sent"] * MESSAGES
    printed += bob.ok("listen", "--count", str(MESSAGES - len(numbers(printed))))
    assert numbers(printed) == list(range(MESSAGES))
    stored = bob.ok("read", "@alice", "--limit", str(2 * MESSAGES))
    theirs = [line["id"] for line in stored if line["from"] == "alice"]
    assert theirs == [line["id"] for line in said]


def test_a_server_that_is_asked_to_end_says_goodbye(own_server: Server, alice: Client, bob: Client) -> None:
    with bob.listening() as listening:
        assert own_server.stop() == 0
        listening.until(lambda line: line.get("event") == "link" and line["state"] == "offline")
        own_server.start()
        listening.until_live()
        alice.send("@bob", "still here?")
        assert listening.message()["text"] == "still here?"

"""A new machine joins because a device of the account agrees: two processes and a server that hands on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.conftest import SignedUp
from tests.real.programs import Client, Line, Running, Server, environment
from tests.real.test_devices import check_both_devices

pytestmark = pytest.mark.slow


class Typing(Running):
    """A command to which somebody types."""

    def types(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def approval(self, state: str) -> Line:
        return self.until(lambda line: line.get("event") == "approval" and line["state"] == state)


@contextmanager
def typing(client: Client, *words: str) -> Iterator[Typing]:
    process = subprocess.Popen(
        client.command(*words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        yield Typing(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_by_emoji_that_are_the_same_on_both(server: Server, signed_up: SignedUp, tmp_path: Path) -> None:
    alice = signed_up("alice")
    bob, second = Client(tmp_path / "bob", "bob.of.emoji"), Client(tmp_path / "second", "bob.of.emoji")
    bob.sign_up(server.invite)
    with typing(second, "login", bob.name, "--server", server.invite, "--approve") as new:
        new.approval("asked")
        with typing(bob, "devices", "approve") as old:
            wants = old.approval("wants")
            here, there = old.approval("compare"), new.approval("compare")
            assert here["emoji"] == there["emoji"]
            assert len(here["emoji"]) == 7
            old.types("what?")
            old.types("yes")
            new.types("yes")
            (added,) = [line for line in old.rest() if "id" in line]
        (account,) = [line for line in new.rest() if "device_id" in line]
        assert (old.process.returncode, new.process.returncode) == (0, 0)
    assert account["device_id"] == added["id"] == wants["device"]
    assert (account["account"], added["approved_by_recovery"]) == (bob.name, False)
    check_both_devices(bob, second, alice)


def test_by_the_code_and_without_a_question(server: Server, tmp_path: Path) -> None:
    carol, second = Client(tmp_path / "carol", "carol.of.code"), Client(tmp_path / "second", "carol.of.code")
    carol.sign_up(server.invite)
    with typing(second, "login", carol.name, "--server", server.invite, "--approve") as new:
        code = new.approval("asked")["code"]
        lines = carol.ok("devices", "approve", "--code", code)
        (account,) = [line for line in new.rest() if "device_id" in line]
        assert new.process.returncode == 0
    assert lines[-1]["id"] == account["device_id"]
    assert {device["id"] for device in second.ok("devices")} == {each["id"] for each in carol.ok("devices")}


def test_who_says_no_has_refused_and_nothing_is_left(server: Server, tmp_path: Path) -> None:
    dave, second = Client(tmp_path / "dave", "dave.of.doubt"), Client(tmp_path / "second", "dave.of.doubt")
    dave.sign_up(server.invite)
    with typing(second, "login", dave.name, "--server", server.invite, "--approve") as new:
        new.approval("asked")
        with typing(dave, "devices", "approve") as old:
            old.approval("compare")
            new.approval("compare")
            new.types("no")
            assert new.rest()[-1]["error"] == "not-approved"
            assert new.process.returncode == 1
    assert len(dave.ok("devices")) == 1
    assert second.run("people").line["error"] == "no-profile"
    ended = dave.run("devices", "approve", "--code", "nonsense")
    assert (ended.code, ended.line["error"]) == (2, "usage")

"""Two people verify each other with real programs: by emoji, by number, by code."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.real.conftest import SignedUp
from tests.real.programs import Client, Ended, Line, Running, Server, environment
from tests.real.test_devices import run_without_password_file

pytestmark = pytest.mark.slow


class Typing(Running):
    """`coterie verify @name`, to which a person can say something."""

    def __init__(self, client: Client, target: str) -> None:
        process = subprocess.Popen(
            client.command("verify", target),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        super().__init__(process)

    def emoji(self) -> list[str]:
        line = self.until(lambda line: line.get("state") == "compare")
        return [each["name"] for each in line["emoji"]]

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def ended(self) -> tuple[int, Line]:
        last = self.rest()[-1]
        return self.process.returncode, last

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def compared(one: Client, other: Client) -> Iterator[tuple[Typing, Typing]]:
    """Both at the same time, up to the emoji, which are the same."""
    with closing(Typing(one, f"@{other.name}")) as here, closing(Typing(other, f"@{one.name}")) as there:
        _see_the_same(here, there)
        yield here, there


def _see_the_same(here: Typing, there: Typing) -> None:
    seen: list[list[str]] = []
    reader = threading.Thread(target=lambda: seen.append(there.emoji()))
    reader.start()
    shown = here.emoji()
    reader.join()
    assert [shown] == seen
    assert len(shown) == 7


def verified(one: Client, other: Client) -> bool:
    (line,) = [line for line in one.ok("people") if line["name"] == other.name]
    flag = line["verified"]
    assert isinstance(flag, bool)
    return flag


def test_both_say_yes_and_stay_verified(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    with compared(alice, bob) as (here, there):
        here.say("what?")
        here.say("yes")
        there.say("Yes")
        for typing, name in ((here, bob.name), (there, alice.name)):
            code, last = typing.ended()
            assert code == 0
            assert last == {
                "event": "trust",
                "name": name,
                "by_recovery": False,
                "change": "verified",
                "verified": True,
            }
    assert verified(alice, bob)
    assert verified(bob, alice)
    alice.send(f"@{bob.name}", "hello")
    (line,) = bob.waiting(1)
    assert line["text"] == "hello"
    assert [line["text"] for line in alice.ok("read", f"@{bob.name}")] == ["hello"]


def test_a_no_ends_with_exit_code_4_on_both_sides(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    with compared(alice, bob) as (here, there):
        here.say("yes")
        there.say("no")
        for typing in (here, there):
            code, last = typing.ended()
            assert (code, last["error"]) == (4, "mismatch")
            assert "different emoji" in last["message"]
    assert not verified(alice, bob)


def test_who_says_neither_declines(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    with compared(alice, bob) as (here, there):
        assert here.process.stdin is not None
        here.process.stdin.close()
        for typing in (here, there):
            last = typing.rest()[-1]
            assert (typing.process.returncode, last["error"]) == (1, "declined")


def number_of(one: Client, other: Client) -> Line:
    (line,) = one.ok("verify", f"@{other.name}", "--safety-number")
    return line


def test_numbers_and_codes(signed_up: SignedUp, tmp_path: Path) -> None:
    """Both print one number; the code of one, pasted or in a file, verifies at the other's."""
    alice, bob, carol = (signed_up(name) for name in ("alice", "bob", "carol"))
    here, there = number_of(alice, bob), number_of(bob, alice)
    assert here["safety_number"] == there["safety_number"]
    assert here["code"] != there["code"]
    assert not here["verified"]

    def checked(*words: str, stdin: bytes = b"") -> Ended:
        return alice.run("verify", f"@{bob.name}", *words, stdin=stdin)

    for wrong in (number_of(carol, alice)["code"], number_of(carol, alice)["safety_number"]):
        ended = checked("--qr-text", wrong)
        assert (ended.code, ended.line["error"]) == (4, "mismatch")
        assert "Nobody was verified" in ended.line["message"]
    for nothing, why in (("nonsense", "neither"), (here["code"], "that you show")):
        ended = checked("--qr-text", nothing)
        assert (ended.code, ended.line["error"]) == (2, "usage")
        assert why in ended.line["message"]
    assert not verified(alice, bob)
    file = tmp_path / "code"
    file.write_text(there["code"] + "\n")
    assert checked("--qr-file", str(file)).line["verified"] is True
    assert verified(alice, bob)
    assert bob.ok("verify", alice.name, "--numbers-match")[0]["change"] == "verified"
    (taken,) = bob.ok("verify", alice.name, "--forget")
    assert (taken["change"], taken["verified"]) == ("verified", False)
    assert not bob.ok("verify", alice.name, "--safety-number")[0]["verified"]
    assert alice.run("verify", f"@{carol.name}", "--qr-file", "-", stdin=here["code"].encode()).code == 2
    assert alice.run("verify", f"@{alice.name}", "--safety-number").code == 2
    assert alice.run("verify", "@nobody", "--safety-number").code == 1
    assert checked("--qr-file", str(tmp_path / "none")).code == 2


def test_a_device_by_passphrase_waits_for_a_word_where_its_person_is_verified(
    server: Server, signed_up: SignedUp, tmp_path: Path
) -> None:
    """Rule 8: what alice writes to bob alone is for his first device, until she has confirmed the second."""
    alice = signed_up("alice")
    bob = Client(tmp_path / "bob", "bob.of.two.machines")
    sign_up = [*bob.command("signup", bob.name, "--generate-passphrase", "--server", server.invite)]
    line = run_without_password_file(sign_up, bob)
    bob.set_password(line["passphrase"])
    alice.ok("verify", f"@{bob.name}", "--numbers-match")
    second = Client(tmp_path / "second", bob.name, line["passphrase"])
    (logged_in,) = second.ok("login", bob.name, "--server", server.invite)
    alice.send(f"@{bob.name}", "for the first alone")
    assert [each["text"] for each in bob.waiting(1)] == ["for the first alone"]
    (read,) = alice.ok("read", f"@{bob.name}")
    assert [each["reason"] for each in read["not_for"]] == ["unconfirmed"]
    (asked,) = alice.ok("verify", f"@{bob.name}", "--confirm-device")
    assert (asked["event"], asked["device_id"]) == ("contact-device", logged_in["device_id"])
    wrong = alice.run("verify", f"@{bob.name}", "--confirm-device", "00")
    assert (wrong.code, wrong.line["error"]) == (1, "unknown-device")
    assert alice.ok("verify", f"@{bob.name}", "--confirm-device", asked["device_id"]) == []
    alice.send(f"@{bob.name}", "for both")
    assert [each["text"] for each in second.waiting(2)] == ["for the first alone", "for both"]

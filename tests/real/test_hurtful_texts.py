"""Texts that hurt, through real commands and a real server: they arrive as they are, and a terminal sees
none of what they would do to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.hurtful import TEXTS
from tests.real.conftest import SignedUp
from tests.real.programs import Client, Server

pytestmark = pytest.mark.slow

HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def without_json(client: Client, *words: str) -> list[str]:
    return [word for word in client.command(*words) if word != "--json"]


def test_they_arrive_as_they_are_and_move_no_cursor(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    texts = list(TEXTS.values())
    one_line = [text for text in texts if "\n" not in text]
    lines = "\n".join(one_line).encode()
    alice.ok("send", f"@{bob.name}", "--lines", "--timeout", "60", stdin=lines)
    for text in texts:
        if "\n" in text:
            alice.ok("send", f"@{bob.name}", "-", stdin=text.encode() + b"\n")
    waiting = bob.waiting(len(texts))
    assert [line["text"] for line in waiting] == one_line + [text for text in texts if "\n" in text]
    for words in (("read", f"@{alice.name}", "--limit", "100"), ("search", "x"), ("people",)):
        ended = bob.run_command(without_json(bob, *words))
        assert ended.code == 0, ended.err
        assert not HARMFUL.search(ended.out.decode())
        assert "Traceback" not in ended.err


NO_TEXT = (b"\xff\xfe", b"half \xed\xa0\x80 pair", b"@\xff hi")


def test_an_argument_that_is_no_text_is_refused(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    for argument in NO_TEXT:
        for words in ((f"@{bob.name}".encode(), argument), (argument, b"hi")):
            command = [word.encode() for word in alice.command("send")] + list(words)
            ended = alice.run_command(command)  # type: ignore[arg-type]  # bytes: what arguments really are
            assert ended.code in (1, 2), ended.out
            assert "Traceback" not in ended.err
    alice.send(f"@{bob.name}", "true")
    assert [line["text"] for line in bob.waiting(1)] == ["true"]


NAMES = ("\x1b[2J", "bob\u202e", "\U0001f600", "b\u200bob", "\u0301", " ", "x" * 10_000)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_hurts_is_refused(name: str, server: Server, tmp_path: Path) -> None:
    client = Client(tmp_path / "client", name)
    ended = client.run("signup", "--server", server.invite, "--", name)
    assert (ended.code, ended.line["error"]) == (1, "bad-name")
    assert not HARMFUL.search(ended.out.decode().replace("\n", ""))

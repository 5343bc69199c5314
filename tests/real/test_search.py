"""`coterie search`: what a person looks for may hold anything, and is never a language of its own."""

from __future__ import annotations

import os

import pytest

from tests.real.conftest import SignedUp
from tests.real.programs import Client

pytestmark = pytest.mark.slow

SAID = (
    'she said "hello world" AND left',
    "column:value is no column",
    "the well-known rock'n'roll",
    "Grüße aus Köln",
    "party 🎉 tonight",
    "hello again\nsecond line",
    "100% (of * everything)",
)
FOUND = {
    "hello": (5, 0),
    '"hello world"': (0,),
    "hello AND": (0,),
    "hello NOT again": (),
    "hello OR nothing": (),
    "NEAR(hello world)": (),
    "column:value": (1,),
    "text:hello": (),
    "-hello": (5, 0),
    "^hello": (5, 0),
    "well-known": (2,),
    "rock'n'roll": (2,),
    "'": (),
    '"': (),
    "KOLN": (3,),
    "🎉": (),
    "party 🎉": (4,),
    "second": (5,),
    "100%": (6,),
    "*": (),
    "every*": (6,),
    "hello'; DROP TABLE message; --": (),
}
"""Words -> which of what was said is found, newest first."""


@pytest.fixture
def alice(signed_up: SignedUp) -> Client:
    alice = signed_up("alice")
    for text in SAID:
        alice.send(f"@{alice.name}", text)
    return alice


def test_whatever_is_searched_for(alice: Client) -> None:
    ids = {line["text"]: line["id"] for line in alice.ok("read", f"@{alice.name}")}
    for words, expected in FOUND.items():
        lines = alice.ok("search", "--", words)
        assert [line["id"] for line in lines] == [ids[SAID[at]] for at in expected], words
    assert alice.ok("search", "hello", "world", "lef") == alice.ok("search", "hello world lef")


def test_the_objects_are_those_of_read_and_bounded(alice: Client) -> None:
    read = alice.ok("read", f"@{alice.name}")
    assert alice.ok("search", "hello") == [read[5], read[0]]
    assert alice.ok("search", "hello", "--limit", "1") == [read[5]]
    assert alice.ok("search", "hello", "--limit", "0") == []
    assert set(read[0]) >= {"event", "id", "conversation", "from", "text", "sent_at", "seq"}
    assert (read[0]["event"], read[0]["conversation"]) == ("message", f"@{alice.name}")


def test_nothing_found_is_no_failure_and_no_words_is_one(alice: Client) -> None:
    nothing = alice.run("search", "nowhere")
    assert (nothing.code, nothing.out) == (0, b"")
    blank = alice.run("search", "  ")
    assert (blank.code, blank.line["error"]) == (2, "usage")
    odd = alice.run("search", os.fsdecode(b"\xff\xfehello"))
    assert (odd.code, len(odd.lines)) == (0, 2)


def test_for_a_person_further_lines_are_indented(alice: Client) -> None:
    ended = alice.run_command([word for word in alice.command("search", "again") if word != "--json"])
    assert ended.code == 0
    first, second = ended.out.decode().splitlines()
    assert first.endswith(f" @{alice.name} You: hello again")
    assert second.strip() == "second line"
    assert second.startswith(" ")

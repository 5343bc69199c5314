"""Two and three people by the command line: signing up, writing, being away."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from coterie.base.limits import TEXT_BYTES
from tests.real.conftest import SignedUp
from tests.real.programs import Client, Server

pytestmark = pytest.mark.slow


def every_character() -> str:
    """All of Unicode but surrogates."""
    return "".join(map(chr, (*range(1, 0xD800), *range(0xE000, sys.maxunicode + 1))))


def test_a_sign_up_says_who_this_is(server: Server, tmp_path: Path) -> None:
    bob = Client(tmp_path / "bob", "bob.of.sign-up")
    line = bob.sign_up(server.invite)
    assert line["account"] == "bob.of.sign-up"
    assert len(bytes.fromhex(line["account_id"])) == 32
    assert len(bytes.fromhex(line["device_id"])) == 16
    assert len(line["recovery_key"].split()) == 24
    assert "passphrase" not in line


def test_a_name_that_is_taken_is_refused(server: Server, signed_up: SignedUp, tmp_path: Path) -> None:
    bob = signed_up("bob")
    rival = Client(tmp_path / "rival", bob.name)
    ended = rival.run("signup", rival.name, "--server", server.invite)
    assert (ended.code, ended.line["error"]) == (1, "name-taken")
    assert rival.run("people").line["error"] == "no-profile"
    again = bob.run("signup", bob.name, "--server", server.invite)
    assert (again.code, again.line["error"]) == (1, "profile-exists")


def test_what_was_said_to_somebody_away_is_there_when_they_come(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    sent = [alice.send(f"@{bob.name}", text) for text in ("first", "second", "third")]
    lines = bob.waiting(3)
    assert [line["text"] for line in lines] == ["first", "second", "third"]
    assert [line["id"] for line in lines] == [line["id"] for line in sent]
    assert {line["from"] for line in lines} == {alice.name}
    assert {line["conversation"] for line in lines} == {f"@{alice.name}"}
    assert [line["seq"] for line in lines] == [1, 2, 3]


def test_everyone_reaches_all_others(signed_up: SignedUp) -> None:
    alice, bob, carol = (signed_up(name) for name in ("alice", "bob", "carol"))
    with bob.listening() as bobs, carol.listening() as carols:
        sent = alice.send("everyone", "hello to all")
        for line in (bobs.message(), carols.message()):
            assert (line["id"], line["text"]) == (sent["id"], "hello to all")
            assert (line["conversation"], line["from"]) == ("everyone", alice.name)


def test_a_listener_prints_what_waited_once_and_leaves_the_rest_for_the_next(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    for number in range(5):
        alice.send(f"@{bob.name}", str(number))
    bob.ok("people")
    assert [line["text"] for line in bob.waiting(2)] == ["0", "1"]
    assert [line["text"] for line in bob.waiting(3)] == ["2", "3", "4"]
    lines = bob.ok("listen", "--for", "0.5")
    assert [line for line in lines if line["event"] == "message"] == []


def test_a_conversation_goes_both_ways_and_is_in_both_stores(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    with alice.listening() as alices, bob.listening() as bobs:
        pass
    alice.send(f"@{bob.name}", "ping")
    assert bob.waiting(1)[0]["text"] == "ping"
    bob.send(f"@{alice.name}", "pong")
    assert alice.waiting(1)[0]["text"] == "pong"
    for one, other in ((alice, bob), (bob, alice)):
        lines = one.ok("read", f"@{other.name}")
        assert [line["text"] for line in lines] == ["ping", "pong"]
        assert [line["own"] for line in lines] == [one is alice, one is bob]
        assert one.ok("read", f"@{other.name}", "--before", lines[1]["id"]) == lines[:1]
        assert one.ok("read", f"@{other.name}", "--limit", "1") == lines[1:]
        assert one.ok("search", "pon") == lines[1:]
    assert bobs.said
    assert alices.said


def test_people_and_devices_are_listed(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob", "--device-name", "bob's laptop")
    with bob.listening():
        people = {line["name"]: line for line in alice.ok("people")}
    assert people[alice.name]["me"] is True
    assert people[alice.name]["online"] is True
    assert people[bob.name]["online"] is True
    assert people[bob.name]["verified"] is False
    (device,) = bob.ok("devices")
    assert (device["name"], device["this"], device["last_seen"]) == ("bob's laptop", True, None)


def test_a_name_that_nobody_has_is_refused_and_reaches_nobody(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    with bob.listening() as bobs:
        for words in (["@bbo", "secret"], ["@bbo secret"], ["everyone", "@bbo secret"]):
            ended = alice.run("send", *words)
            assert (ended.code, ended.line["error"]) == (1, "unknown-person"), words
        alice.send("everyone", "the end")
        assert bobs.message()["text"] == "the end"
    assert [line["text"] for line in alice.ok("read", "everyone")][-1] == "the end"
    assert alice.ok("search", "secret") == []


def test_an_at_sign_to_everyone_is_for_one_person_alone(signed_up: SignedUp) -> None:
    alice, bob, carol = (signed_up(name) for name in ("alice", "bob", "carol"))
    (line,) = alice.ok("send", "everyone", f"@{bob.name} between us")
    assert (line["conversation"], line["state"]) == (f"@{bob.name}", "sent")
    assert bob.waiting(1)[0]["text"] == "between us"
    alice.send("everyone", "the end")
    assert carol.waiting(1)[0]["text"] == "the end"
    assert carol.ok("search", "between") == []


@pytest.mark.parametrize(
    "text",
    ["x", "\N{GRINNING FACE}", "x" * TEXT_BYTES, "\u20ac" * (TEXT_BYTES // 3), "a\nb\r\n\tc", " ", "@"],
    ids=["1 byte", "emoji", "64 KiB", "64 KiB of euros", "lines", "blank", "at"],
)
def test_texts_of_every_size_arrive_as_they_are(text: str, signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    (line,) = alice.ok("send", f"@{bob.name}", "-", stdin=text.encode())
    assert line["state"] == "sent"
    assert bob.waiting(1)[0]["text"] == text


def test_all_of_unicode_arrives_as_it_is(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    everything = every_character().replace("\n", "")
    size = TEXT_BYTES // 4
    texts = [everything[start : start + size] for start in range(0, len(everything), size)]
    lines = alice.ok("send", f"@{bob.name}", "--lines", stdin="\n".join(texts).encode())
    assert [line["state"] for line in lines] == ["sent"] * len(texts)
    assert [line["text"] for line in bob.waiting(len(texts))] == texts


@pytest.mark.parametrize(
    ("data", "code", "error"),
    [
        (b"", 1, "empty"),
        (b"x" * (TEXT_BYTES + 1), 1, "too-large"),
        ("\u20ac".encode() * (TEXT_BYTES // 3 + 1), 1, "too-large"),
        (b"\xff", 2, "usage"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, code: int, error: str, signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    ended = alice.run("send", f"@{bob.name}", "-", stdin=data)
    assert (ended.code, ended.line["error"]) == (code, error)


def test_a_line_that_is_refused_does_not_stop_the_others(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    lines = b"one\n\n" + b"x" * (TEXT_BYTES + 1) + b"\n\xff\ntwo"
    ended = alice.run("send", f"@{bob.name}", "--lines", stdin=lines)
    assert ended.code == 1
    assert [line.get("state") or (line["error"], line["line"]) for line in ended.lines] == [
        "sent",
        ("too-large", 3),
        ("usage", 4),
        "sent",
    ]
    assert [line["text"] for line in bob.waiting(2)] == ["one", "two"]


def test_more_than_a_strangers_mailbox_takes_goes_once_they_are_there(signed_up: SignedUp) -> None:
    """Twenty envelopes, each with the keys of a hundred messages at most."""
    alice, bob = signed_up("alice"), signed_up("bob")
    texts = [str(number) for number in range(2200)]
    ended = alice.run("send", f"@{bob.name}", "--lines", "--timeout", "0.5", stdin="\n".join(texts).encode())
    assert ended.code == 3
    assert {line["state"] for line in ended.lines} == {"sent", "queued"}
    assert ended.lines[-1]["error"] == "mailbox-full"
    with bob.running("listen") as bobs, alice.listening():
        arrived = bobs.messages(len(texts))
    assert [line["text"] for line in arrived] == texts
    assert [line["id"] for line in arrived] == [line["id"] for line in ended.lines]


@pytest.mark.timeout(400)
def test_ten_thousand_lines_arrive_once_and_in_order(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    texts = [f"{number} {secrets.token_hex(8)}" for number in range(10_000)]
    with bob.listening("--count", str(len(texts))) as bobs:
        lines = alice.ok("send", f"@{bob.name}", "--lines", stdin="\n".join(texts).encode())
        arrived = [line for line in bobs.rest() if line["event"] == "message"]
    assert {line["state"] for line in lines} == {"sent"}
    assert [line["text"] for line in arrived] == texts
    assert [line["id"] for line in arrived] == [line["id"] for line in lines]
    assert [line["seq"] for line in arrived] == list(range(1, len(texts) + 1))

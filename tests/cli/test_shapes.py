"""Times, objects and a stranger's text, as they are printed."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, UserName
from coterie.cli.chat_shapes import PresenceShape, message_shape
from coterie.cli.commands.event_lines import EventLines
from coterie.cli.commands.message_lines import message_line
from coterie.cli.output import Output, as_line, harmless
from coterie.cli.shapes import MOST_MS, ErrorShape, iso
from coterie.client.events import (
    AccountChangeAnswered,
    BecameNewDevice,
    Device,
    DevicesChanged,
    DrainedBacklog,
    Event,
    Fetching,
    IdentityReplaced,
    LedgerDoubted,
    LinkChanged,
    LinkState,
    Message,
    MessageArrived,
    MessageQueued,
    MessagesFetching,
    MessagesMissing,
    MessageState,
    NameReset,
    NameWentBack,
    NotInLedger,
    OwnDeviceQuestion,
    Person,
    PersonAppeared,
    PresenceChanged,
    ResetState,
    ServerRestored,
)
from coterie.screens.i18n import Text, say
from coterie.screens.moments import Calendar
from tests.examples import examples

BOB = Person(name=UserName("bob"), account=AccountId(bytes(32)), online=True, verified=False, me=False)


def message(text: str, **changes: object) -> Message:
    plain = Message(
        order=7,
        id=MessageId(bytes(15) + b"\xab"),
        conversation=ConversationId(bytes(16)),
        target="@bob",
        sender=UserName("bob"),
        sender_account=AccountId(bytes(32)),
        sender_device=DeviceId(bytes(16)),
        own=False,
        text=text,
        readable=True,
        sent_at_ms=1_769_850_000_250,
        seq=3,
        state=MessageState.RECEIVED,
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("at_ms", "said"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_769_850_000_250, "2026-01-31T09:00:00.250Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (MOST_MS, "9999-12-31T23:59:59.999Z"),
        (1 << 63, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_utc_with_milliseconds_whatever_the_sender_says(at_ms: int, said: str) -> None:
    assert iso(at_ms) == said


def test_a_message_has_the_fields_that_scripts_read() -> None:
    assert json.loads(as_line(message_shape(message("hi")))) == {
        "event": "message",
        "id": "000000000000000000000000000000ab",
        "conversation": "@bob",
        "from": "bob",
        "text": "hi",
        "sent_at": "2026-01-31T09:00:00.250Z",
        "seq": 3,
        "own": False,
        "state": "received",
    }


@settings(max_examples=examples(100))
@given(st.text())
def test_any_text_is_one_ascii_line_and_comes_back(text: str) -> None:
    line = as_line(message_shape(message(text)))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["text"] == text


TALK = ConversationId(bytes(16))
CAME = Device(DeviceId(b"d" * 16), "la\x1bptop", False, 1_795_521_600_000, False, True)


@settings(max_examples=examples(200))
@given(st.text(st.characters(codec="utf-8")))
def test_no_text_moves_the_cursor_of_a_terminal(text: str) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", harmless(text))
    line = message_line(message(text), Calendar())
    assert all(part.startswith("      ") for part in line.split("\n")[1:])


def test_what_needs_a_newer_version_says_so() -> None:
    line = message_line(message("", readable=False), Calendar())
    assert line.endswith("@bob bob: (This message needs a newer version of coterie)")
    assert json.loads(as_line(message_shape(message("", readable=False))))["readable"] is False


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            PresenceChanged(BOB, False),
            {"event": "presence", "name": "bob", "online": True, "initial": False},
        ),
        (PersonAppeared(BOB), {"event": "joined", "name": "bob", "account_id": "00" * 32}),
        (
            DevicesChanged(BOB, True, 1_795_521_600_000),
            {
                "event": "trust",
                "name": "bob",
                "by_recovery": True,
                "change": "devices",
                "verified": False,
                "at": "2026-11-24T12:00:00.000Z",
            },
        ),
        (LinkChanged(LinkState.LIVE), {"event": "link", "state": "live"}),
        (DrainedBacklog(), {"event": "drained"}),
        (BecameNewDevice(DeviceId(b"d" * 16), ()), {"event": "renewed", "device_id": "64" * 16}),
        (
            IdentityReplaced(BOB.account, ()),
            {"event": "identity", "account_id": "00" * 32},
        ),
        (
            MessagesMissing(TALK, "everyone", BOB.name, 3),
            {"event": "missing", "conversation": "everyone", "from": "bob", "count": 3},
        ),
        (
            MessagesFetching(TALK, "@bob", (Fetching(4, 2, BOB.name, 1), Fetching(9, 1, BOB.name, 1))),
            {"event": "fetching", "conversation": "@bob", "count": 3},
        ),
        (
            OwnDeviceQuestion(CAME),
            {
                "event": "question",
                "device_id": "64" * 16,
                "device": "la\x1bptop",
                "created": "2026-11-24T12:00:00.000Z",
                "by_recovery": True,
            },
        ),
        (LedgerDoubted(Code.LEDGER_WITHHELD), {"event": "trust", "ledger": "ledger-withheld"}),
        (LedgerDoubted(None), {"event": "trust", "ledger": "well"}),
        (NotInLedger(BOB.name), {"event": "not-in-ledger", "name": "bob"}),
        (
            ServerRestored(1_795_521_600_000),
            {"event": "server-restored", "copied": "2026-11-24T12:00:00.000Z"},
        ),
        (NameWentBack(BOB), {"event": "went-back", "name": "bob", "account_id": "00" * 32}),
        (
            NameReset(BOB.name, BOB.account, ResetState.ANNOUNCED, 1, own=True),
            {"event": "reset", "name": "bob", "account_id": "00" * 32, "state": "announced", "own": True},
        ),
    ],
)
def test_events_as_objects(event: Event, said: object) -> None:
    assert json.loads(EventLines(Output(as_json=True)).line(event)) == said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (PresenceChanged(BOB, False), "bob connected"),
        (PresenceChanged(msgspec.structs.replace(BOB, online=False), False), "bob left the chat"),
        (PresenceChanged(msgspec.structs.replace(BOB, online=False), True), ""),
        (PresenceChanged(msgspec.structs.replace(BOB, me=True), False), ""),
        (LinkChanged(LinkState.LIVE), ""),
        (MessageQueued(message("hi")), ""),
        (AccountChangeAnswered(b"c" * 16, None), ""),
        (DrainedBacklog(), ""),
        (MessagesFetching(TALK, "@bob", (Fetching(4, 1, BOB.name, 1),)), ""),
        (MessagesMissing(TALK, "@bob", BOB.name, 1), "1 message of bob is missing here"),
        (
            MessagesMissing(ConversationId(bytes(16)), "@bob", BOB.name, 2),
            "2 messages of bob are missing here",
        ),
        (MessagesMissing(TALK, "@bob", BOB.name, 0), "All messages of bob are here now"),
        (
            LedgerDoubted(Code.LEDGER_OLD),
            "The server has signed nothing for a day: it may hide that a device was removed",
        ),
        (LedgerDoubted(None), "The server shows its ledger as it should again"),
        (
            ServerRestored(1_795_521_600_000),
            say(Text.SERVER_RESTORED, when="Tuesday, 2026-11-24"),
        ),
        (
            NameWentBack(BOB),
            say(Text.NAME_WENT_BACK, name="bob"),
        ),
    ],
)
def test_events_as_sentences(event: Event, said: str) -> None:
    assert EventLines(Output(as_json=False)).line(event) == said


def test_a_question_as_a_sentence_names_its_answer_and_moves_no_cursor() -> None:
    line = EventLines(Output(as_json=False)).line(OwnDeviceQuestion(CAME))
    assert line.startswith("A device came to your account. Was this you? la")
    assert f"coterie devices confirm {'64' * 16}" in line
    assert f"coterie devices deny {'64' * 16}" in line
    assert "\x1b" not in line


def test_a_message_as_a_sentence() -> None:
    line = EventLines(Output(as_json=False)).line(MessageArrived(message("one\ntwo")))
    assert re.fullmatch(r"\d\d:\d\d @bob bob: one\n      two", line)


def test_no_repr_shows_what_is_printed() -> None:
    assert "hi there" not in repr(message_shape(message("hi there")))
    assert "sentence" not in repr(ErrorShape(error="empty", message="sentence"))


def test_no_sentence_moves_a_cursor_whoever_is_named_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(as_json=False)
    shape = PresenceShape(event="presence", name="bob", online=True, initial=False)
    output.show(shape, "bob\x1b[2J connected")
    output.tell("bob\u202e left\n   and more")
    assert capsys.readouterr().out == "bob\u241b[2J connected\nbob left\n   and more\n"

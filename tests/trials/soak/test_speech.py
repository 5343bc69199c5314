"""Orders and reports travel as lines, and say nothing of secrets when they are printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.errors import RemoteError
from coterie.trials.soak.speech import (
    Arrived,
    Close,
    Joined,
    LogIn,
    Looked,
    Order,
    Report,
    Say,
    order_line,
    read_order,
    read_report,
    report_line,
)
from coterie.trials.soak.texts import TextWish
from coterie.trials.talk_records import HeldMessage, HeldStore, Unread

HELD = HeldStore(
    b"d" * 16,
    (HeldMessage(b"c" * 16, b"m" * 16, b"d" * 16, 1, 2, True, True, True, b"x" * 16),),
    (Unread(b"c" * 16, 1, -1, 0),),
    ("no-key",),
    0,
    ("in the outbox",),
)


@pytest.mark.parametrize(
    "order", [LogIn(1, "bob", "six words"), Say(2, "@bob", (TextWish(1, 2, 3),), 4), Close(5)]
)
def test_an_order_is_read_as_it_was_said(order: Order) -> None:
    line = order_line(order)
    assert line.count(b"\n") == 1
    assert read_order(line) == order


@pytest.mark.parametrize(
    "report",
    [Arrived(1, b"\x00\xff" * 8), Looked(2, HELD), Joined(3, b"a" * 32, b"d" * 16, "bob", "six words")],
)
def test_a_report_is_read_as_it_was_said(report: Report) -> None:
    line = report_line(report)
    assert line.count(b"\n") == 1
    assert read_report(line) == report


@pytest.mark.parametrize(
    "said", [LogIn(1, "bob", "six words"), Joined(3, b"a" * 32, b"d" * 16, "bob", "six words")]
)
def test_a_passphrase_is_not_printed(said: object) -> None:
    assert "six words" not in repr(said)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_garbage_is_refused(line: bytes) -> None:
    for read in (read_order, read_report):
        with pytest.raises(RemoteError):
            read(line)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_line_is_read_or_refused(at: int, damage: bytes) -> None:
    line = report_line(Looked(2, HELD))
    damaged = line[: at % len(line)] + damage + line[at % len(line) + len(damage) :]
    try:
        read_report(damaged)
    except RemoteError:
        return

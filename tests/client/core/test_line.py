"""A line that cannot reach anybody waits, and one piece of news counts once."""

from __future__ import annotations

from coterie.client.core.line import HOLD_MOST_MS, Line


def test_holding_counts_once_while_held_and_longer_each_time() -> None:
    line = Line()
    assert line.hold(0)
    first = line.retry_at_ms
    assert not line.hold(first - 1)
    assert line.retry_at_ms == first
    assert not line.hold(first)
    assert line.retry_at_ms - first > first
    for _ in range(20):
        line.hold(line.retry_at_ms)
    before = line.retry_at_ms
    line.hold(before)
    assert line.retry_at_ms - before == HOLD_MOST_MS


def test_a_message_that_was_accepted_begins_the_count_anew() -> None:
    line = Line()
    line.hold(0)
    line.hold(line.retry_at_ms)
    line.moved()
    at = line.retry_at_ms
    assert line.hold(at)
    assert line.retry_at_ms - at == 2000


def test_who_comes_online_is_tried_at_once() -> None:
    line = Line()
    line.hopeful()
    line.hold(5)
    line.hopeful()
    assert line.retry_at_ms == 0


def test_who_is_expected_back_is_told_of_only_when_that_is_over() -> None:
    line = Line()
    assert not line.hold(0, quietly=True)
    assert not line.hold(line.retry_at_ms, quietly=True)
    assert line.hold(line.retry_at_ms)
    assert not line.hold(line.retry_at_ms)
    line.hopeful()
    assert line.hold(0)

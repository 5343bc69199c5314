"""Requests under way: an answer counts once, and only for so long may one wait."""

from __future__ import annotations

from coterie.base import limits
from coterie.client.core.requests import LeavesAsked, Requests

LATE_MS = int(limits.ANSWER_SECONDS * 1000)


def test_the_oldest_request_says_whether_an_answer_is_overdue() -> None:
    requests = Requests()
    assert not requests.overdue(10 * LATE_MS)
    first = requests.new(LeavesAsked(0), 0)
    requests.new(LeavesAsked(1), LATE_MS)
    assert not requests.overdue(LATE_MS)
    assert requests.overdue(LATE_MS + 1)
    requests.answered(first)
    assert not requests.overdue(2 * LATE_MS)


def test_an_answer_counts_once_and_none_after_the_connection() -> None:
    requests = Requests()
    first, second = (requests.new(LeavesAsked(start), 0) for start in (3, 4))
    assert requests.answered(first) == LeavesAsked(3)
    assert requests.answered(first) is None
    requests.forget()
    assert requests.answered(second) is None
    assert requests.new(LeavesAsked(5), 0) > second

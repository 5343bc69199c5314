"""Rates and quotas, with times as arguments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.server import policy
from coterie.server.policy import (
    REFUSED_VIEWS,
    SHARE_LIMITS,
    Buckets,
    MailShare,
    RefusedView,
    Usage,
    address_prefix,
    has_room,
    is_loopback,
    spared_from,
    speakers_only,
)
from tests.examples import examples


def test_a_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    buckets = Buckets(per_second=2.0, burst=3.0)
    assert [buckets.take("a", 10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert buckets.take("a", 10.0) == pytest.approx(0.5)
    assert buckets.take("b", 10.0) == 0.0, "another key is another bucket"
    assert buckets.take("a", 10.4) > 0
    assert buckets.take("a", 10.5) == 0.0
    assert buckets.wait_seconds("a", 10.5) == pytest.approx(0.5)
    assert [buckets.take("a", 1000.0) for _ in range(4)].count(0.0) == 3, "no more than the burst"


def test_more_than_the_burst_is_given_when_the_bucket_is_full() -> None:
    buckets = Buckets(per_second=1.0, burst=5.0)
    assert buckets.take("a", 0.0, 50) == 0.0
    assert buckets.take("a", 0.0, 50) == pytest.approx(5.0)


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 4)), max_size=40))
@settings(max_examples=examples(100))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[float, float]]) -> None:
    buckets = Buckets(per_second=2.0, burst=4.0)
    now = taken = 0.0
    for pause, amount in steps:
        now += pause
        wait = buckets.take("a", now, amount)
        assert wait >= 0
        if not wait:
            taken += amount
        else:
            assert buckets.take("a", now + wait + 1e-6, amount) == 0.0
            now, taken = now + wait + 1e-6, taken + amount
    assert taken <= 4.0 + 2.0 * now + 1e-3


def test_a_clock_that_goes_back_gives_nothing_extra() -> None:
    buckets = Buckets(per_second=1.0, burst=1.0)
    assert buckets.take("a", 100.0) == 0.0
    assert buckets.take("a", 50.0) > 0


def test_a_crowd_of_keys_is_forgotten_the_full_ones_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "KEYS_MAX", 100)
    buckets = Buckets(per_second=1.0, burst=1.0)
    for number in range(60):
        buckets.take(number, 0.0)
    for number in range(60, 101):
        buckets.take(number, 10.0)
    assert buckets.take(100, 10.0) > 0, "a fresh one is still known"
    assert len(buckets._left) <= 100


@pytest.mark.parametrize(
    ("address", "prefix", "loopback"),
    [
        ("203.0.113.7", "203.0.113.7", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.9.9.9", "127.9.9.9", True),
        ("::1", "::", True),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", False),
        ("fe80::1%eth0", "fe80::", False),
        ("::ffff:203.0.113.7", "203.0.113.7", False),
        ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("localhost", "localhost", True),
        ("example.org", "example.org", False),
        ("", "", False),
    ],
)
def test_addresses_count_by_household(address: str, prefix: str, loopback: bool) -> None:
    assert address_prefix(address) == prefix
    assert is_loopback(address) is loopback


def test_the_shares_of_a_mailbox() -> None:
    accepted, everyone, stranger = (SHARE_LIMITS[share] for share in MailShare)
    assert (accepted.entries, everyone.entries, stranger.entries) == (6000, 3000, 1000)
    assert accepted.bytes + everyone.bytes + stranger.bytes == limits.MAILBOX_BYTES
    assert has_room(MailShare.ACCEPTED, accepted, Usage(2000, accepted.bytes // 3))
    assert not has_room(MailShare.ACCEPTED, accepted.plus(0), Usage(1, 1))
    assert not has_room(MailShare.ACCEPTED, Usage(2001, 1), Usage(2001, 1)), "one sender: a third"
    assert has_room(MailShare.STRANGER, Usage(1000, 1), Usage(20, 1))
    assert not has_room(MailShare.STRANGER, Usage(21, 1), Usage(21, 1))
    assert has_room(MailShare.EVERYONE, Usage(3000, 1), Usage(3000, 1))
    assert not has_room(MailShare.EVERYONE, Usage(1, everyone.bytes + 1), Usage(1, 1))


def test_additions_are_spared_only_for_the_message_refused_and_the_ledger_looked_at() -> None:
    refused = RefusedView(b"m", 10, REFUSED_VIEWS)
    assert spared_from(None, b"m", 10) == -1
    assert spared_from(refused, b"other", 10) == -1
    assert spared_from(refused, b"m", 9) == -1
    assert spared_from(refused, b"m", 10) == 10
    assert spared_from(refused, b"m", 11) == 10


def test_nobody_is_spared_before_a_message_was_refused_several_times_in_a_row() -> None:
    refused = RefusedView(b"m", 10)
    for size in range(11, 10 + REFUSED_VIEWS):
        assert spared_from(refused, b"m", size) == -1
        refused = RefusedView(b"m", size).again(refused)
    assert spared_from(refused, b"m", 20) == refused.ledger_size
    another = RefusedView(b"another", 20).again(refused)
    assert spared_from(another, b"another", 20) == -1
    assert spared_from(RefusedView(b"m", 20).again(another), b"m", 20) == -1


def test_speakers_are_needed_above_a_thousand_devices() -> None:
    assert not speakers_only(1000)
    assert speakers_only(1001)

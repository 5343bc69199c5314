"""What a person can look at of what was sent: the newest, bounded, without secrets."""

from __future__ import annotations

from coterie.base.clock import FakeClock
from coterie.client.journal import BYTES_MOST, SENT_MOST, Journal
from coterie.wire.frames import LoginProve, Ping


def test_the_newest_are_kept_with_their_time() -> None:
    clock = FakeClock(1_000)
    journal = Journal(clock)
    for nonce in range(SENT_MOST + 5):
        journal.sent((Ping(nonce),), 10)
    kept = journal.last()
    assert [each.frames for each in kept] == [(Ping(nonce),) for nonce in range(5, SENT_MOST + 5)]
    assert {each.at_ms for each in kept} == {1_000}


def test_large_ones_push_others_out_but_the_newest_stays() -> None:
    journal = Journal(FakeClock(0))
    journal.sent((Ping(1),), BYTES_MOST)
    journal.sent((Ping(2),), 1)
    assert [each.frames for each in journal.last()] == [(Ping(2),)]
    journal.sent((Ping(3),), 2 * BYTES_MOST)
    assert [each.frames for each in journal.last()] == [(Ping(3),)]


def test_what_could_log_in_is_not_kept() -> None:
    journal = Journal(FakeClock(0))
    journal.sent((LoginProve(1, "alice", b"k" * 32),), 50)
    assert journal.last()[0].frames == (LoginProve(1, "alice", b""),)

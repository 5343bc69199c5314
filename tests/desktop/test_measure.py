"""The window is as quick as it should be, and what says so can tell when it is not."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import pytest

from coterie.base.clock import SystemClock
from coterie.desktop import measure
from coterie.desktop.measuring.figures import TARGETS, Round, beyond_gate, figures, share, table
from coterie.desktop.measuring.metronome import Beat
from coterie.desktop.measuring.threads import Threads, waited_from_the_start

TRIES = 6
WITHIN = {target.what.value: target.target for target in TARGETS}


def round_with(**values: float) -> Round:
    return msgspec.convert({"arrived": 500.0} | WITHIN | values, Round)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_figure_is_beyond_twice_its_target(display: str) -> None:
    """A real window on a real server, measured until every figure was within its gate in one of the rounds.

    A busy machine makes single rounds slow, so the best of up to six counts: what has become too slow is so
    in all of them. Times on the wall are taken without what other programs took of the processors, and what
    is about work is measured as processor time (desktop/measuring/figures.py).
    """
    done = asyncio.run(measure.measure(TRIES, lambda rounds: bool(rounds) and not beyond_gate(rounds)))
    assert not beyond_gate(done), table(done)
    assert max(each.arrived for each in done) > 100


def test_without_a_display_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.platform in {"darwin", "win32"}:
        return  # there is always one
    monkeypatch.setenv("DISPLAY", ":987654")
    assert measure.main([]) == 3
    assert "no display" in capsys.readouterr().err


@pytest.mark.parametrize("what", [target.what.value for target in TARGETS])
def test_the_best_round_counts_and_twice_the_target_is_the_gate(what: str) -> None:
    (target,) = (each for each in TARGETS if each.what.value == what)
    slow, good = round_with(**{what: 2.01 * target.target}), round_with()
    gated = [] if target.gate is None else [what]
    assert [each.what for each in beyond_gate([slow, slow])] == gated
    assert beyond_gate([slow, good, slow]) == beyond_gate([round_with(**{what: 2 * target.target})]) == []


def test_the_table_shows_every_figure() -> None:
    rounds = [round_with(start=value) for value in (100.0, 300.0, 250.0)]
    first, *_ = figures(rounds)
    assert (first.median, first.min, first.max, first.target, first.prototype) == (250, 100, 300, 350, 279)
    lines = table(rounds).splitlines()
    assert len(lines) == len(TARGETS) + 2
    assert " ".join(lines[1].split()) == "start to painted unlock screen, ms 250 [100..300] 350 279"
    assert msgspec.json.decode(msgspec.json.encode(first))["gate"] == 700


def test_the_share_below_which_values_lie() -> None:
    assert share([], 0.95) == 0
    assert share([3.0], 0.99) == 3
    assert share(map(float, range(100)), 0.95) == 95
    assert share(map(float, range(100)), 1) == 99


def test_a_thread_that_works_is_seen_to_run() -> None:
    threads, clock = Threads(), SystemClock()
    before, used = threads.ran(), clock.thread_seconds()
    while clock.thread_seconds() < used + 0.02:
        pass
    if threads.told:
        assert threads.ran() - before > 15
    assert threads.waited() >= 0
    assert waited_from_the_start() >= 0
    threads.close()
    assert (threads.waited(), threads.told) == (0, False)


def test_a_beat_is_read_back() -> None:
    beat = Beat(b"k 12.5 3.25")
    assert (beat.key, beat.written, beat.ran) == (True, 12.5, 3.25)
    assert not Beat(b"t 1 2").key

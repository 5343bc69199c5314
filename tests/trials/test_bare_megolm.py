"""How this machine stands beside the design's."""

from __future__ import annotations

from coterie.trials.bare_megolm import DESIGN_OPEN_US, Bare, bare_megolm


def test_who_opens_in_twice_the_time_is_half_as_fast() -> None:
    assert Bare(seal=1.0, open=2 * DESIGN_OPEN_US).slowness == 2.0


def test_both_ways_take_time() -> None:
    bare = bare_megolm(8)
    assert 0 < bare.seal < bare.open

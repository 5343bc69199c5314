"""A plan of faults can be drawn again from its seed, and holds what was asked for."""

from __future__ import annotations

import pytest

from coterie.trials.torture.faults import (
    KINDS,
    QUIET_PART,
    Fault,
    Kind,
    On,
    fault_plan,
    read_plan,
    written_plan,
)

SECONDS = 120.0


def test_a_seed_gives_the_same_plan_again() -> None:
    assert fault_plan(7, SECONDS, set(Kind)) == fault_plan(7, SECONDS, set(Kind))
    assert fault_plan(7, SECONDS, set(Kind)) != fault_plan(8, SECONDS, set(Kind))


@pytest.mark.parametrize("seed", range(10))
def test_a_plan_is_in_order_and_leaves_quiet_at_the_end(seed: int) -> None:
    due = [fault.due_seconds for fault in fault_plan(seed, SECONDS, set(Kind))]
    assert due == sorted(due)
    assert len(due) > 40
    assert due[-1] <= SECONDS * (1 - QUIET_PART)


def test_every_kind_comes() -> None:
    drawn = {fault.kind for seed in range(10) for fault in fault_plan(seed, SECONDS, set(Kind))}
    assert drawn == set(Kind)


def test_only_what_is_asked_for_comes() -> None:
    assert {fault.kind for fault in fault_plan(1, SECONDS, {Kind.CUT})} == {Kind.CUT}
    assert fault_plan(1, SECONDS, ()) == ()


def test_a_written_plan_is_read_as_it_was() -> None:
    plan = fault_plan(3, SECONDS, set(Kind))
    assert read_plan(written_plan(plan)) == plan


@pytest.mark.parametrize("text", ["", "[1]", "{}", '[1.0, "cut", 3]', "\x00", "[" * 2000])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no plan"):
        read_plan(text)


def test_one_line_is_one_fault() -> None:
    assert len(written_plan(fault_plan(3, SECONDS, {Kind.CUT})).splitlines()) == len(
        fault_plan(3, SECONDS, {Kind.CUT})
    )
    assert isinstance(read_plan('[1.0, "cut", 3, 0.5, "anywhere"]\n')[0], Fault)


def test_only_what_there_is_is_broken() -> None:
    """A file can be put back from a copy, a database killed apart from its server, a cluster has all else."""
    assert KINDS[On.CLUSTER] | KINDS[On.SQLITE] == set(Kind)
    assert KINDS[On.SQLITE] - KINDS[On.CLUSTER] == {Kind.RESTORE_SERVER}
    assert KINDS[On.POSTGRES] - KINDS[On.SQLITE] == {Kind.KILL_DATABASE}
    assert KINDS[On.POSTGRES] < KINDS[On.CLUSTER]

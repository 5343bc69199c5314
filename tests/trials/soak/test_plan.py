"""A plan can be drawn again from its seed, and makes sense."""

from __future__ import annotations

from typing import assert_never

import pytest

from coterie.base.names import canonical
from coterie.trials.soak.plan import (
    AWAY_DAYS_MAX,
    DEVICES_MAX,
    DaysPass,
    Deed,
    KeysRunOut,
    Leaves,
    LogsIn,
    Plan,
    Reads,
    Returns,
    Says,
    SignsUp,
)

SEEDS = range(12)


def drawn(seed: int, clients: int = 8, seconds: float = 40.0) -> tuple[list[Deed], list[float]]:
    plan = Plan(seed, clients, seconds)
    arrivals = plan.arrivals()
    timed = list(plan.deeds())
    return [*arrivals, *(each.deed for each in timed)], [each.due_seconds for each in timed]


def test_a_seed_gives_the_same_plan_again() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_deeds_come_in_time_and_by_who_is_there(seed: int) -> None:
    deeds, due = drawn(seed, seconds=200.0)
    assert due == sorted(due)
    assert due[-1] <= 200.0
    there: dict[int, int] = {}
    away: dict[int, int] = {}
    days = 0
    for deed in deeds:
        match deed:
            case SignsUp(client, name):
                assert client not in there
                assert canonical(name) == name
                there[client] = client
            case LogsIn(client, of):
                assert client not in there
                assert there[of] == of
                there[client] = of
                assert list(there.values()).count(of) <= DEVICES_MAX
            case Says(client, to, texts):
                assert client in there
                assert client not in away
                assert to is None or there[to] == to
                assert texts
            case Reads(client):
                assert client in there
                assert client not in away
            case Leaves(client):
                assert client not in away
                away[client] = days
            case Returns(client):
                del away[client]
            case DaysPass(more, returning):
                for client in returning:
                    del away[client]
                days += more
                assert all(days - since <= AWAY_DAYS_MAX for since in away.values())
            case KeysRunOut():
                assert there
            case _:
                assert_never(deed)


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_that_a_soak_is_for_happens(seed: int) -> None:
    deeds, _ = drawn(seed, seconds=120.0)
    kinds = {type(deed) for deed in deeds}
    assert kinds >= {SignsUp, Says, Leaves, Returns, Reads, DaysPass, KeysRunOut}
    assert sum(deed.days for deed in deeds if isinstance(deed, DaysPass)) > 35
    says = [deed for deed in deeds if isinstance(deed, Says)]
    assert {deed.to is None for deed in says} == {True, False}
    assert max(len(deed.texts) for deed in says) > 25
    numbers = [text.number for deed in says for text in deed.texts]
    assert len(set(numbers)) == len(numbers)

"""What is made of all that stands side by side in the same rounds."""

from __future__ import annotations

from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.trials.cpu import Spent
from coterie.trials.figures import Target
from coterie.trials.scale import TINY
from coterie.trials.sheets import FLOOR, Costs, Sheet, flat
from coterie.trials.trial import Trial


def test_the_floor_stands_beside_each_of_the_others() -> None:
    sheet = Sheet("direct.80x1", "what it is", "us", {"server": (Target(2.0, of_floor=True),)})
    for value in (40.0, 50.0):
        sheet.add("server", value)
        sheet.add("postgres", 2 * value)
        sheet.add(FLOOR, value / 2)
    postgres, server = sheet.figures()
    assert (postgres.name, server.name) == ("postgres.direct.80x1", "server.direct.80x1")
    assert (postgres.floor, server.floor) == ((20.0, 25.0), (20.0, 25.0))
    assert (postgres.ratio, server.ratio) == (4.0, 2.0)
    assert (postgres.met(), server.met()) == (None, True)


def test_what_works_for_a_server_has_figures_of_its_own() -> None:
    costs = Costs("room.10", "per delivery")
    costs.add("server", Spent(5.0, {}))
    costs.add("cluster", Spent(9.0, {"database": 4.0, "bus": 1.0}))
    assert {figure.name: figure.values for figure in costs.figures()} == {
        "cluster.room.10": (9.0,),
        "server.room.10": (5.0,),
        "cluster.room.10.database": (4.0,),
        "cluster.room.10.bus": (1.0,),
    }


def test_the_largest_is_compared_with_the_smallest_round_by_round() -> None:
    by_size = {size: Costs(f"room.{size}", "per delivery") for size in (10, 100, 1000)}
    for round_of in ((10.0, 99.0, 11.0), (20.0, 99.0, 24.0)):
        for costs, value in zip(by_size.values(), round_of, strict=True):
            costs.add("server", Spent(value, {"database": 1.0}))
            costs.add(FLOOR, Spent(1.0, {}))
    (figure,) = flat("room", "per delivery", by_size)
    assert figure.name == "server.room.flat"
    assert (figure.values, figure.floor) == ((11.0, 24.0), (10.0, 20.0))
    assert figure.ratio is not None
    assert abs(figure.ratio - 1.15) < 1e-9


def test_each_comes_first_once(tmp_path: Path) -> None:
    trial = Trial(tmp_path, TINY, SystemClock(), 1)
    turns = [trial.in_turn(number, "abc") for number in range(3)]
    assert sorted(turn[0] for turn in turns) == ["a", "b", "c"]
    assert all(sorted(turn) == ["a", "b", "c"] for turn in turns)

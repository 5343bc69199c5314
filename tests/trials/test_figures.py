"""What is made of the values of several rounds."""

from __future__ import annotations

import msgspec
import pytest

from coterie.trials.figures import Figure, Target, line_of, markdown, table

CPU = Figure(
    name="server.direct.80x1",
    what="CPU per message",
    unit="us",
    values=(90.0, 60.0, 100.0),
    floor=(30.0, 30.0, 25.0),
    targets=(Target(95.0), Target(2.0, of_floor=True)),
)


def test_a_ratio_is_taken_round_by_round() -> None:
    assert CPU.median == 90.0
    assert CPU.ratio == 3.0


@pytest.mark.parametrize(
    ("targets", "met"),
    [
        ((), None),
        ((Target(95.0),), True),
        ((Target(89.0),), False),
        ((Target(95.0), Target(2.9, of_floor=True)), False),
        ((Target(95.0), Target(3.0, of_floor=True)), True),
        ((Target(90.0, at_least=True),), True),
        ((Target(91.0, at_least=True),), False),
    ],
)
def test_every_target_has_to_be_met(targets: tuple[Target, ...], met: bool | None) -> None:
    assert msgspec.structs.replace(CPU, targets=targets).met() is met


def test_a_target_of_the_floor_cannot_be_judged_without_one() -> None:
    figure = msgspec.structs.replace(CPU, floor=(), targets=(Target(2.0, of_floor=True),))
    assert figure.ratio is None
    assert figure.met() is None


def test_a_line_of_json_has_everything() -> None:
    line = msgspec.to_builtins(line_of(CPU))
    assert line == {
        "figure": "server.direct.80x1",
        "what": "CPU per message",
        "unit": "us",
        "value": {"median": 90.0, "min": 60.0, "max": 100.0},
        "rounds": 3,
        "floor": {"median": 30.0, "min": 25.0, "max": 30.0},
        "ratio": 3.0,
        "targets": ("<= 95 us", "<= 2x floor"),
        "met": False,
    }


def test_tables_hold_each_figure_in_a_line() -> None:
    single = Figure(name="client.memory", what="memory", unit="MiB", values=(50.43,))
    head, first, second = table([CPU, single])
    assert head.split() == ["figure", "median", "[least..most]", "unit", "floor", "ratio", "target"]
    assert first.split()[:6] == ["server.direct.80x1", "90", "[60..100]", "us", "30", "[25..30]"]
    assert first.endswith("MISSED")
    assert second.split() == ["client.memory", "50.4", "MiB"]
    assert markdown([single])[2:] == ["| `client.memory` memory | 50.4 MiB |  |  |  |"]


def test_where_the_floor_is_ours_the_ratio_says_how_much_of_another_server_we_are() -> None:
    figure = Figure(
        name="against.prosody.direct.80x1",
        what="CPU per message",
        unit="us",
        values=(1000.0, 1200.0, 900.0),
        floor=(50.0, 40.0, 90.0),
        targets=(Target(1 / 12, of_floor=True),),
        floor_is_ours=True,
    )
    assert figure.ratio == 0.05
    assert figure.met() is True
    line = line_of(figure)
    assert (line.ratio, line.targets, line.met) == (0.05, ("<= 0.0833x",), True)
    assert "0.05" in table([figure])[1]
    assert msgspec.structs.replace(figure, floor=(100.0, 120.0, 90.0)).met() is False

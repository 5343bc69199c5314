"""What a trial has measured, and how it is printed: a table, JSON lines, or Markdown for docs/performance.md.

A figure keeps one value for each round. Printed are median, least and most: machines are busy, and one number
says nothing about that.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Target(msgspec.Struct, frozen=True):
    """What a figure should be: at most or at least `limit`. of_floor: the limit is a ratio to the floor."""

    limit: float
    of_floor: bool = False
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """name: group.what, as --only takes it. unit: of values and floor. values, floor: one for each round, in
    the same order; the floor is what the same work costs without coterie, measured in the same rounds.
    """

    name: str
    what: str
    unit: str
    values: tuple[float, ...]
    floor: tuple[float, ...] = ()
    targets: tuple[Target, ...] = ()
    note: str = ""
    floor_is_ours: bool = False
    """The values are another server's, the floor is coterie: the ratio says how much of them coterie is."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def floor_median(self) -> float:
        """Raises StatisticsError where there is none."""
        return statistics.median(self.floor)

    @property
    def ratio(self) -> float | None:
        """Median of the rounds' ratios to the floor; None where there is no floor."""
        if not self.floor:
            return None
        over, under = (self.floor, self.values) if self.floor_is_ours else (self.values, self.floor)
        ratios = [one / other for one, other in zip(over, under, strict=True) if other > 0]
        return statistics.median(ratios) if ratios else None

    def met(self) -> bool | None:
        """Whether every target is met; None where there is none that can be judged."""
        judged = [
            target.is_met(value)
            for target in self.targets
            if (value := self.ratio if target.of_floor else self.median) is not None
        ]
        return all(judged) if judged else None


class Spread(msgspec.Struct, frozen=True):
    """Of the values of all rounds."""

    median: float
    min: float
    max: float


class FigureLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A figure as a line of JSON. met: of all targets."""

    figure: str
    what: str
    unit: str
    value: Spread
    rounds: int
    floor: Spread | None = None
    ratio: float | None = None
    targets: tuple[str, ...] = ()
    met: bool | None = None
    note: str = ""


def line_of(figure: Figure) -> FigureLine:
    """What JSON says of a figure."""
    ratio = figure.ratio
    return FigureLine(
        figure=figure.name,
        what=figure.what,
        unit=figure.unit,
        value=_spread(figure.values),
        rounds=len(figure.values),
        floor=_spread(figure.floor) if figure.floor else None,
        ratio=None if ratio is None else _rounded(ratio) if figure.floor_is_ours else round(ratio, 2),
        targets=tuple(_target(target, figure) for target in figure.targets),
        met=figure.met(),
        note=figure.note,
    )


def table(figures: Sequence[Figure]) -> list[str]:
    """Lines for a terminal."""
    rows = [("figure", "median [least..most]", "unit", "floor", "ratio", "target", ""), *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def markdown(figures: Sequence[Figure]) -> list[str]:
    """The same for docs/performance.md."""
    lines = ["| what | median [least..most] | floor | ratio | target |", "|---|---|---|---|---|"]
    for figure in figures:
        _, value, unit, floor, ratio, target, met = _row(figure)
        what = f"`{figure.name}` {figure.what}" + (f" ({figure.note})" if figure.note else "")
        lines.append(f"| {what} | {value} {unit} | {floor} | {ratio} | {f'{target} {met}'.strip()} |")
    return lines


def _row(figure: Figure) -> tuple[str, ...]:
    met = figure.met()
    ratio = figure.ratio
    return (
        figure.name,
        _told(figure.values),
        figure.unit,
        _told(figure.floor) if figure.floor else "",
        "" if ratio is None else f"{_rounded(ratio):g}" if figure.floor_is_ours else f"{ratio:.2f}",
        ", ".join(_target(target, figure) for target in figure.targets),
        "" if met is None else "met" if met else "MISSED",
    )


def _told(values: Sequence[float]) -> str:
    spread = _spread(values)
    if len(values) == 1:
        return f"{spread.median:g}"
    return f"{spread.median:g} [{spread.min:g}..{spread.max:g}]"


def _spread(values: Sequence[float]) -> Spread:
    return Spread(_rounded(statistics.median(values)), _rounded(min(values)), _rounded(max(values)))


def _rounded(value: float) -> float:
    """Three digits say all that a busy machine can."""
    return float(f"{value:.0f}") if abs(value) >= 100 else float(f"{value:.3g}")


def _target(target: Target, figure: Figure) -> str:
    sign = ">=" if target.at_least else "<="
    if not target.of_floor:
        return f"{sign} {target.limit:g} {figure.unit}"
    return f"{sign} {_rounded(target.limit):g}x" + ("" if figure.floor_is_ours else " floor")

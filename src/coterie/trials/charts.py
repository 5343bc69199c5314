"""The charts of `coterie bench --charts`: latency against load, and cost against size."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coterie.trials.figures import Figure
from coterie.trials.sheets import FLOOR
from coterie.trials.svg import Chart, Series, svg

_LATENCY = re.compile(r"(?P<site>\w+)\.direct\.open(?P<size>\d+)\.(?P<share>p50|p99)")
_COST = r"(?P<site>\w+)\.{}\.(?P<size>\d+)"
_COSTS = {
    "room": ("Server CPU for a delivery", "people in the room"),
    "connections": ("Server CPU for a message", "open connections"),
    "entries": ("Server CPU for a message", "stored entries"),
}

Lines = dict[str, dict[float, float]]
"""Name of a line -> where -> how high."""


def charts(figures: Sequence[Figure]) -> dict[str, str]:
    """Files by name: those charts of which something was measured at two places."""
    made = {"latency.svg": _latency(figures)}
    for name in _COSTS:
        made[f"cost-by-{name}.svg"] = _cost(figures, name)
    return {file: svg(chart) for file, chart in made.items() if _has_a_line(chart)}


def _latency(figures: Sequence[Figure]) -> Chart:
    lines: Lines = {}
    for figure in figures:
        found = _LATENCY.fullmatch(figure.name)
        if found:
            _put(lines, figure, found["site"], float(found["size"]), f" {found['share']}")
    series = [
        Series(name, tuple(sorted(lines[name].items())), name.endswith(" p99")) for name in sorted(lines)
    ]
    return Chart(
        "From sending to arrival, on disk in between", "messages a second", "ms", tuple(series), is_log=True
    )


def _cost(figures: Sequence[Figure], name: str) -> Chart:
    title, across = _COSTS[name]
    lines: Lines = {}
    for figure in figures:
        found = re.fullmatch(_COST.format(name), figure.name)
        if found:
            _put(lines, figure, found["site"], float(found["size"]), "")
    series = [Series(site, tuple(sorted(points.items()))) for site, points in sorted(lines.items())]
    return Chart(title, across, "us", tuple(series))


def _put(lines: Lines, figure: Figure, site: str, where: float, share: str) -> None:
    lines.setdefault(site + share, {})[where] = figure.median
    if figure.floor:
        lines.setdefault(FLOOR + share, {})[where] = figure.floor_median


def _has_a_line(chart: Chart) -> bool:
    return any(len(series.points) > 1 for series in chart.series)

"""A chart of lines as SVG: small, without a library, and to be read on light and on dark pages.

The horizontal axis is always logarithmic and has its ticks where the points are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

import msgspec

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 50, 60
LINE_STEP = 18
TICKS_MOST = 6
_LIGHT = ("#0b62c4", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be185d", "#475569")
_DARK = ("#6cb2ff", "#ff9a62", "#5fd38a", "#c99bff", "#e6c04c", "#55cfe0", "#ff8cc0", "#b4c0d0")


class Series(msgspec.Struct, frozen=True):
    """A line with a name. points: from left to right. is_dashed: it belongs to the one before it."""

    name: str
    points: tuple[tuple[float, float], ...]
    is_dashed: bool = False


class Chart(msgspec.Struct, frozen=True):
    """What the two axes say, and the lines. is_log: of the vertical axis, which else begins at 0."""

    title: str
    across: str
    up: str
    series: tuple[Series, ...]
    is_log: bool = False


def svg(chart: Chart) -> str:
    """Chart, as a file. It needs one point at least."""
    place = _Place(chart)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' aria-label="{escape(chart.title, {chr(34): "&quot;"})}">'
        ),
        f"<style>{_style()}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}"/>',
        _text(LEFT, 26, chart.title, "title"),
        *_axes(chart, place),
    ]
    color = -1
    for index, series in enumerate(chart.series):
        color += 0 if series.is_dashed and index else 1
        parts += _line(series, place, color % len(_LIGHT), index)
    return "\n".join([*parts, "</svg>", ""])


class _Place:
    """Where a value lies on the page."""

    def __init__(self, chart: Chart) -> None:
        self._is_log = chart.is_log
        points = [point for series in chart.series for point in series.points]
        self.across = sorted({x for x, _ in points})
        highest = max(y for _, y in points)
        self.up = _decades(points) if chart.is_log else _steps(highest)
        self._left, self._right = math.log(self.across[0]), math.log(self.across[-1])

    def x(self, value: float) -> float:
        span = self._right - self._left
        share = (math.log(value) - self._left) / span if span else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        low, high = self.up[0], self.up[-1]
        if self._is_log:
            share = math.log(max(value, low) / low) / math.log(high / low)
        else:
            share = value / high
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _steps(highest: float) -> list[float]:
    """From 0 in round steps to what is as high or higher."""
    if highest <= 0:
        return [0.0, 1.0]
    size = 10 ** math.floor(math.log10(highest / TICKS_MOST))
    step = next(size * each for each in (1, 2, 5, 10) if size * each * TICKS_MOST >= highest)
    return [step * number for number in range(math.ceil(highest / step) + 1)]


def _decades(points: Sequence[tuple[float, float]]) -> list[float]:
    """Powers of ten around all that is above 0."""
    values = [y for _, y in points if y > 0] or [1.0]
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _axes(chart: Chart, place: _Place) -> list[str]:
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for value in place.up:
        y = place.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{value:g}", "tick end"))
    for value in place.across:
        x = place.x(value)
        parts.append(f'<line class="grid" x1="{x}" y1="{floor}" x2="{x}" y2="{floor + 5}"/>')
        parts.append(_text(x, floor + 20, f"{value:,.0f}", "tick middle"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 14, chart.across, "axis middle"))
    parts.append(_text(LEFT, TOP - 8, chart.up, "axis"))
    return parts


def _line(series: Series, place: _Place, color: int, row: int) -> list[str]:
    """The line, its points, and its name beside the chart."""
    at = [(place.x(x), place.y(y)) for x, y in series.points]
    style = f"line c{color}" + (" dashed" if series.is_dashed else "")
    left, y = WIDTH - RIGHT + 16, TOP + 10 + LINE_STEP * row
    points = " ".join(f"{x},{height}" for x, height in at)
    return [
        f'<polyline class="{style}" points="{points}"/>',
        *(
            f'<circle class="dot c{color}" cx="{x}" cy="{height}" r="3">'
            f"<title>{escape(series.name)}: {value:g} at {where:g}</title></circle>"
            for (x, height), (where, value) in zip(at, series.points, strict=True)
        ),
        f'<line class="{style}" x1="{left}" y1="{y}" x2="{left + 24}" y2="{y}"/>',
        _text(left + 32, y + 4, series.name, "name"),
    ]


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{escape(text)}</text>'


def _style() -> str:
    """A dark page turns the colors round; who only draws it on paper gets the light ones."""
    light = ".page{fill:#fff}text{fill:#1f2933}.grid{stroke:#d5dbe1}"
    dark = ".page{fill:#14181d}text{fill:#dfe5ec}.grid{stroke:#333c46}"
    return (
        "text{font:12px sans-serif}.title{font-size:15px;font-weight:bold}.end{text-anchor:end}"
        ".middle{text-anchor:middle}.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:5 4}"
        f"{light}{_colors(_LIGHT)}@media (prefers-color-scheme:dark){{{dark}{_colors(_DARK)}}}"
    )


def _colors(colors: Sequence[str]) -> str:
    return "".join(
        f".line.c{number}{{stroke:{color}}}.dot.c{number}{{fill:{color}}}"
        for number, color in enumerate(colors)
    )

"""The text format of Prometheus 0.0.4: how figures are written for whoever collects them.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import msgspec

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Kind(Enum):
    """counter: only grows, from the start of the process. gauge: as it is now."""

    COUNTER = "counter"
    GAUGE = "gauge"


class Figure(msgspec.Struct, frozen=True):
    """One figure; with a label, one for each of its values. Values of labels come out of coterie's own code:
    codes, names of frames, a version. Never what somebody has chosen, and never an id."""

    name: str
    kind: Kind
    help: str
    values: Mapping[str, float]
    """By value of the label; where there is none, one under ""."""
    label: str = ""

    def lines(self) -> Iterable[str]:
        yield from _head(self.name, self.kind.value, self.help)
        for value, figure in sorted(self.values.items()):
            label = f'{{{self.label}="{_escaped(value)}"}}' if self.label else ""
            yield f"{self.name}{label} {_number(figure)}"


class Histogram:
    """How often something was at most so much. What is observed costs one look into a short tuple."""

    __slots__ = ("_bounds", "_counts", "help", "name", "sum")

    def __init__(self, name: str, help_text: str, bounds: tuple[float, ...]) -> None:
        """bounds: upper ones, growing; what is above all of them is counted too."""
        self.name = name
        self.help = help_text
        self.sum = 0.0
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)

    @property
    def count(self) -> int:
        return sum(self._counts)

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def observe_all(self, values: Sequence[float]) -> None:
        bounds, counts = self._bounds, self._counts
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self.sum += sum(values)

    def lines(self) -> Iterable[str]:
        yield from _head(self.name, "histogram", self.help)
        below = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            below += count
            yield f'{self.name}_bucket{{le="{_number(bound)}"}} {below}'
        yield f"{self.name}_sum {_number(self.sum)}"
        yield f"{self.name}_count {below}"


def written(figures: Iterable[Figure | Histogram]) -> str:
    """The page of all of them."""
    return "".join(f"{line}\n" for figure in figures for line in figure.lines())


def _head(name: str, kind: str, help_text: str) -> Iterable[str]:
    text = help_text.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _number(value: float) -> str:
    """As Go's ParseFloat reads it."""
    if value == float("inf"):
        return "+Inf"
    return str(value) if isinstance(value, int) else repr(value)

"""What is measured, what it should be, and how it is shown.

Milliseconds are of the clock on the wall, less what other programs took of the processors (threads.py); where
CPU stands beside them, of processor time.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec


class What(StrEnum):
    """One thing that a person would notice."""

    START = "start"
    UNLOCK = "unlock"
    OPEN = "open"
    SCROLL = "scroll"
    RESIZE = "resize"
    APPEND = "append"
    ECHO = "echo"
    STALL = "stall"
    OWN_ECHO = "own_echo"
    OWN_STALL = "own_stall"
    IDLE = "idle"
    MEMORY = "memory"
    ITEMS = "items"


class Gated(StrEnum):
    """Whether a figure beyond twice its target fails the tests."""

    YES = "yes"
    NO = "no"
    """It depends on what else the machine does: sealing, carrying, and drawing by the display's server."""


class Target(msgspec.Struct, frozen=True):
    """prototype: what was once reached without cryptography and store, None where nothing was measured."""

    what: What
    text: str
    unit: str
    prototype: float | None
    target: float
    gated: Gated = Gated.YES

    @property
    def gate(self) -> float | None:
        """Beyond this something is broken."""
        return 2 * self.target if self.gated is Gated.YES else None


TARGETS: Final = (
    Target(What.START, "start to painted unlock screen", "ms", 279, 350),
    Target(What.UNLOCK, "unlock to painted timeline, Argon2id included", "ms", None, 350),
    Target(What.OPEN, "open 10,000 messages", "ms", 22, 40),
    Target(What.SCROLL, "scroll, per frame, p95 (CPU)", "ms", 2, 4),
    Target(What.RESIZE, "resize, layout anew (CPU)", "ms", 2.5, 8),
    Target(What.APPEND, "append 1,000 visible messages (CPU)", "ms", 54, 150),
    Target(What.ECHO, "500 messages/s arriving: key echo, p95", "ms", 5.2, 16, Gated.NO),
    Target(What.STALL, "500 messages/s arriving: stall, p99", "ms", 8.6, 33, Gated.NO),
    Target(What.OWN_ECHO, "  echo, by the window's own processor time", "ms", None, 16),
    Target(What.OWN_STALL, "  stall, by the window's own processor time", "ms", None, 33),
    Target(What.IDLE, "idle (CPU)", "%", 0.03, 0.2),
    Target(What.MEMORY, "resident memory", "MiB", 65, 110),
    Target(What.ITEMS, "live canvas items", "", 168, 400),
)


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the window. Units as in TARGETS; memory is 0 where the system does not tell it."""

    start: float
    unlock: float
    open: float
    scroll: float
    resize: float
    append: float
    echo: float
    stall: float
    idle: float
    memory: float
    items: float
    own_echo: float
    """Like echo, by the processor time that the window's process used meanwhile: what a key waits
    for on a machine that does nothing else."""
    own_stall: float
    arrived: float
    """Messages a second that were shown while the echo was measured."""


class Figure(msgspec.Struct, frozen=True):
    """One line of the table."""

    what: str
    text: str
    unit: str
    median: float
    min: float
    max: float
    target: float
    gate: float | None
    prototype: float | None


def figures(rounds: Sequence[Round]) -> list[Figure]:
    """What several rounds come to."""
    return [_figure(target, values) for target, values in _gathered(rounds)]


def beyond_gate(rounds: Sequence[Round]) -> list[Figure]:
    """Those that no round kept within the gate."""
    return [each for each in figures(rounds) if each.gate is not None and each.min > each.gate]


def table(rounds: Sequence[Round]) -> str:
    """For people to read."""
    lines = [f"{'':48} {'median':>9} {'[min..max]':>20} {'target':>8} {'prototype':>10}"]
    for figure in figures(rounds):
        span = f"[{figure.min:.4g}..{figure.max:.4g}]"
        prototype = "-" if figure.prototype is None else f"{figure.prototype:g}"
        name = f"{figure.text}, {figure.unit}" if figure.unit else figure.text
        lines.append(f"{name:48} {figure.median:9.4g} {span:>20} {figure.target:8g} {prototype:>10}")
    rate = statistics.median(each.arrived for each in rounds)
    lines.append(f"{len(rounds)} rounds; {rate:.0f} messages a second arrived and were shown")
    return "\n".join(lines)


def share(values: Iterable[float], part: float) -> float:
    """The value below which the part (0 to 1) of all values lies; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def _gathered(rounds: Sequence[Round]) -> Iterable[tuple[Target, list[float]]]:
    for target in TARGETS:
        yield target, [getattr(each, target.what.value) for each in rounds]


def _figure(target: Target, values: list[float]) -> Figure:
    return Figure(
        target.what.value,
        target.text,
        target.unit,
        statistics.median(values),
        min(values),
        max(values),
        target.target,
        target.gate,
        target.prototype,
    )

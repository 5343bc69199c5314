"""What one shape of load has measured on everything that is under trial, round by round."""

from __future__ import annotations

from collections.abc import Mapping

from coterie.trials.cpu import Spent
from coterie.trials.figures import Figure, Target

FLOOR = "floor"
"""The site that stands beside all others as what the same work costs without them."""
FLAT = (Target(1.15, of_floor=True),)
"""What does not grow with a size may differ by so much."""


class Sheet:
    """name: behind the site's, as in direct.80x1. targets: by name of the site."""

    def __init__(
        self, name: str, what: str, unit: str, targets: Mapping[str, tuple[Target, ...]] | None = None
    ) -> None:
        self._name = name
        self._what = what
        self._unit = unit
        self._targets = targets or {}
        self.values: dict[str, list[float]] = {}
        """By name of the site, one for each round."""

    def add(self, site: str, value: float) -> None:
        self.values.setdefault(site, []).append(value)

    def figures(self) -> list[Figure]:
        """One for each site; the floor stands beside each of them."""
        floor = tuple(self.values.get(FLOOR, ()))
        return [
            Figure(
                name=f"{site}.{self._name}",
                what=self._what,
                unit=self._unit,
                values=tuple(values),
                floor=floor,
                targets=self._targets.get(site, ()),
            )
            for site, values in sorted(self.values.items())
            if site != FLOOR
        ]


class Costs:
    """Sheets of CPU: of the servers, and of each that works for them."""

    def __init__(self, name: str, what: str, targets: Mapping[str, tuple[Target, ...]] | None = None) -> None:
        self._name = name
        self._what = what
        self.own = Sheet(name, f"server CPU {what}", "us", targets)
        self.beside: dict[str, Sheet] = {}
        """By what it is: database, bus."""

    def add(self, site: str, spent: Spent) -> None:
        self.own.add(site, spent.own)
        for which, value in spent.beside.items():
            if which not in self.beside:
                self.beside[which] = Sheet(f"{self._name}.{which}", f"CPU of its {which} {self._what}", "us")
            self.beside[which].add(site, value)

    def figures(self) -> list[Figure]:
        sheets = (self.own, *self.beside.values())
        return [figure for sheet in sheets for figure in sheet.figures()]


def flat(name: str, what: str, by_size: Mapping[int, Costs]) -> list[Figure]:
    """The largest beside the smallest, in the same rounds; without the floor and what is beside."""
    least, most = min(by_size), max(by_size)
    small, large = by_size[least].own.values, by_size[most].own.values
    return [
        Figure(
            name=f"{site}.{name}.flat",
            what=f"server CPU {what}: with {most} (floor: with {least})",
            unit="us",
            values=tuple(values),
            floor=tuple(small[site]),
            targets=FLAT,
        )
        for site, values in sorted(large.items())
        if site != FLOOR and least != most
    ]

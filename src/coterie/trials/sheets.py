"""What one shape of load has measured on everything that is under trial, round by round."""

from __future__ import annotations

from collections.abc import Mapping

from coterie.trials.figures import Figure, Target

FLOOR = "floor"
"""The site that stands beside all others as what the same work costs without them."""


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

    def __init__(
        self, name: str, what: str, targets: Mapping[str, tuple[Target, ...]] | None = None, unit: str = "us"
    ) -> None:
        self._name = name
        self._what = what
        self._unit = unit
        self.own = Sheet(name, f"server CPU {what}", unit, targets)
        self._beside: dict[str, Sheet] = {}

    def add(self, site: str, own: float, beside: Mapping[str, float]) -> None:
        self.own.add(site, own)
        for which, value in beside.items():
            if which not in self._beside:
                self._beside[which] = Sheet(
                    f"{self._name}.{which}", f"CPU of its {which} {self._what}", self._unit
                )
            self._beside[which].add(site, value)

    def figures(self) -> list[Figure]:
        return [
            *self.own.figures(),
            *(figure for sheet in self._beside.values() for figure in sheet.figures()),
        ]

"""A presenter on a street, seen as a screen sees it."""

from __future__ import annotations

from datetime import UTC
from typing import TypeVar

from coterie.base.clock import FakeClock
from coterie.screens.presenter import Presenter
from coterie.screens.rows import ListRow, MessageRow
from coterie.screens.signals import Place
from tests.screens.mirror import Mirror
from tests.screens.street import NOON_MS, Stage, Street

S = TypeVar("S")


class Screen(Stage):
    """A stage with mirrors of the timeline and the list."""

    def __init__(self, street: Street) -> None:
        super().__init__(street, Presenter(street, FakeClock(NOON_MS), UTC))

    def begin(self) -> None:
        self.apply(self.presenter.begin())

    @property
    def timeline(self) -> list[object]:
        return self._mirror(Place.TIMELINE)

    @property
    def rows(self) -> list[MessageRow]:
        return [row for row in self.timeline if isinstance(row, MessageRow)]

    @property
    def chats(self) -> list[ListRow]:
        return [row for row in self._mirror(Place.LIST) if isinstance(row, ListRow)]

    def last(self, kind: type[S]) -> S:
        return [each for each in self.shown if isinstance(each, kind)][-1]

    def count(self, kind: type[object]) -> int:
        return sum(isinstance(each, kind) for each in self.asked)

    def _mirror(self, place: Place) -> list[object]:
        mirror = Mirror(place)
        mirror.follow(self.shown)  # type: ignore[arg-type]  # what apply() gathered are signals
        return list(mirror.rows)

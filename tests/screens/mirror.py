"""What a screen holds when it only follows the signals."""

from __future__ import annotations

from collections.abc import Iterable

from coterie.screens.rows import AnyRow
from coterie.screens.signals import Append, Insert, Place, Remove, Reset, Signal, Update


class Mirror:
    """The rows of one place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.rows: list[AnyRow] = []

    def follow(self, signals: Iterable[Signal]) -> None:
        """Do what the signals say, and hold them to their promises."""
        for signal in signals:
            match signal:
                case Reset(place=place, rows=rows) if place is self.place:
                    self.rows = list(rows)
                case Insert(place=place, index=index, rows=rows) if place is self.place:
                    assert 0 <= index <= len(self.rows)
                    self.rows[index:index] = rows
                case Append(place=place, rows=rows) if place is self.place:
                    self.rows.extend(rows)
                case Update(place=place, index=index, row=row) if place is self.place:
                    assert self.rows[index].key == row.key
                    assert self.rows[index] != row
                    self.rows[index] = row
                case Remove(place=place, index=index, count=count) if place is self.place:
                    assert 0 <= index < index + count <= len(self.rows)
                    del self.rows[index : index + count]
                case _:
                    pass
        keys = [row.key for row in self.rows]
        assert len(keys) == len(set(keys))

"""Marks for values, as PostgreSQL writes them."""

from __future__ import annotations

import pytest

from coterie.base.errors import LocalError
from coterie.server.store.postgres.placeholders import bound, translated


def test_marks_are_numbered_in_order() -> None:
    assert bound("SELECT ? FROM t WHERE a = ?", (1, b"2")) == ("SELECT $1 FROM t WHERE a = $2", (1, b"2"))
    assert translated("SELECT ?1, ?2, ?1") == ("SELECT $1, $2, $1", ())


def test_names_stand_for_one_value_each() -> None:
    text, values = bound(
        "UPDATE t SET a = :new WHERE b = :old AND c <> :new", {"old": 1, "new": 2, "other": 3}
    )
    assert text == "UPDATE t SET a = $1 WHERE b = $2 AND c <> $1"
    assert values == (2, 1)


def test_names_and_marks_are_not_mixed() -> None:
    with pytest.raises(LocalError):
        translated("SELECT ?, :name")

"""Which steps are to come, and who works beside those of a newer version."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.database import Database
from coterie.server.store.steps import Applied, Step, steps_to_come

FIRST = Step(1, "CREATE TABLE one (no INTEGER)")
EXPANDS = Step(2, "-- beside: 1\nCREATE TABLE two (no INTEGER)")
CONTRACTS = Step(3, "-- beside: 2\nDROP TABLE one")
SILENT = Step(3, "CREATE TABLE three (no INTEGER) -- beside: 1")


def applied(*steps: Step) -> list[Applied]:
    return [Applied(step.number, step.checksum, step.beside) for step in steps]


def test_a_step_says_in_its_first_line_who_works_beside_it() -> None:
    assert [step.beside for step in (FIRST, EXPANDS, CONTRACTS, SILENT)] == [1, 1, 2, 3]
    assert Step(2, "-- beside: 7\n").beside == 2, "nobody is newer than the step"


def test_a_version_works_beside_newer_steps_only_where_each_of_them_says_so() -> None:
    assert steps_to_come((FIRST,), applied(FIRST, EXPANDS)) == ()
    assert steps_to_come((FIRST, EXPANDS), applied(FIRST, EXPANDS, CONTRACTS)) == ()
    for newer in (CONTRACTS, SILENT):
        with pytest.raises(Unavailable) as caught:
            steps_to_come((FIRST,), applied(FIRST, EXPANDS, newer))
        assert caught.value.code is Code.NEWER_SCHEMA
    with pytest.raises(Unavailable):
        steps_to_come((FIRST,), [*applied(FIRST), Applied(2, b"", None)])


def test_a_file_may_be_opened_by_the_version_before_where_the_step_says_so(tmp_path: Path) -> None:
    """And there is a copy of it as it was before."""
    path = tmp_path / "server.db"
    Database(path, (FIRST,)).close()
    Database(path, (FIRST, EXPANDS)).close()
    assert (tmp_path / "server.db.before-002").exists()
    Database(path, (FIRST,)).close()
    Database(path, (FIRST, EXPANDS, CONTRACTS)).close()
    with pytest.raises(Unavailable) as caught:
        Database(path, (FIRST,))
    assert caught.value.code is Code.NEWER_SCHEMA


def test_a_file_of_a_version_that_wrote_down_less_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "server.db"
    database = Database(path, (FIRST, EXPANDS))
    database.run("ALTER TABLE migrations DROP COLUMN beside")
    database.close()
    Database(path, (FIRST, EXPANDS)).close()
    with pytest.raises(Unavailable):
        Database(path, (FIRST,))

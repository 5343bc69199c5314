"""A log whose bytes the disk has changed: nothing that was synced goes without a word, and nothing more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.store import database
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.samples import message

COMMITS = 20


@pytest.fixture
def died(place: ProfilePlace, tmp_path: Path) -> ProfilePlace:
    """A profile as a process leaves it that is killed: most of it stands in the log."""
    store = ClientStore.open(place, DATABASE_KEY)
    for order in range(1, COMMITS + 1):
        commit(store, message(order))
    left = ProfilePlace(tmp_path / "left", place.name)
    shutil.copytree(place.folder, left.folder)
    store.close()
    return left


def log_of(place: ProfilePlace) -> Path:
    return place.folder / "store.db-wal"


def spoil(place: ProfilePlace, part: float) -> None:
    """Change one bit that far into the log."""
    log = bytearray(log_of(place).read_bytes())
    log[int(len(log) * part)] ^= 1
    log_of(place).write_bytes(log)


def last_order(place: ProfilePlace) -> int:
    store = ClientStore.open(place, DATABASE_KEY)
    try:
        return store.last_order()
    finally:
        store.close()


def test_a_log_that_is_whole_is_read(died: ProfilePlace) -> None:
    assert last_order(died) == COMMITS


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_a_spoiled_log_is_told_and_kept(died: ProfilePlace, part: float) -> None:
    spoil(died, part)
    before = {path: path.read_bytes() for path in died.folder.iterdir() if path.name.startswith("store")}
    for _ in range(2):
        with pytest.raises(Unavailable, match="log of the database") as raised:
            last_order(died)
        assert raised.value.code is Code.DAMAGED
    assert {path: path.read_bytes() for path in before} == before


def test_without_looking_it_would_go_without_a_word(
    died: ProfilePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_require_log", lambda connection, synced: None)
    spoil(died, 0.3)
    assert last_order(died) < COMMITS


def test_a_commit_that_was_under_way_may_be_torn(died: ProfilePlace) -> None:
    log_of(died).write_bytes(log_of(died).read_bytes()[:-100])
    assert last_order(died) == COMMITS - 1

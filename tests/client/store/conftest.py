"""A profile on the disk with its key file, and its store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.base.ids import AccountId, UserName
from coterie.client.store.profiles import ProfilePlace, new_profile
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, write_sample_keys


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> ProfilePlace:
    """A profile that no test touches: each gets a copy."""
    home = tmp_path_factory.mktemp("home")
    place = new_profile(home, UserName("alice"), AccountId(b"\x5a" * 32))
    ClientStore.open(place, DATABASE_KEY).close()
    write_sample_keys(place)
    return place


@pytest.fixture
def place(fresh: ProfilePlace, tmp_path: Path) -> ProfilePlace:
    folder = tmp_path / "home" / "profiles" / fresh.folder.name
    shutil.copytree(fresh.folder, folder)
    return ProfilePlace(folder, fresh.name)


@pytest.fixture
def store(place: ProfilePlace) -> Iterator[ClientStore]:
    store = ClientStore.open(place, DATABASE_KEY)
    yield store
    store.close()

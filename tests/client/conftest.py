"""A real encrypted store in a folder of the test's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from coterie.base.ids import AccountId, UserName
from coterie.client.store.profiles import new_profile
from coterie.client.store.sqlite import ClientStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClientStore]:
    place = new_profile(tmp_path, UserName("alice"), AccountId(bytes(32)))
    opened = ClientStore.open(place, secrets.token_bytes(32))
    yield opened
    opened.close()

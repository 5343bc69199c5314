"""Guarantee G1: what was acknowledged is there after a power cut at any moment (delivery: Guarantees)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, ConversationId, UserName
from coterie.client.store import database as client_database
from coterie.client.store.database import run
from coterie.client.store.profiles import ProfilePlace, new_profile
from coterie.client.store.sqlite import ClientStore
from coterie.server.store import database as server_database
from coterie.server.store.sqlite import SqliteStore
from coterie.trials.disk import TrialDisk
from tests.client.store.places import DATABASE_KEY, commit, write_sample_keys
from tests.client.store.samples import CONVERSATIONS, message
from tests.server.town import Resident, log_seqs, say, settle_in, talk
from tests.trials.disk.cuts import Cuts, Left

Pragmas = tuple[tuple[str, str, str | int], ...]

COMMITS = 8
LESS = (("normal", 1), ("off", 0))
"""Settings of `synchronous` under which an acknowledged commit may be lost."""


@pytest.fixture
def disk() -> Iterator[TrialDisk]:
    with TrialDisk() as disk:
        yield disk


def syncing_less(pragmas: Pragmas, setting: tuple[str, int]) -> Pragmas:
    """The settings of a store, but for that one."""
    others = (each for each in pragmas if each[0] != "synchronous")
    return (*others, ("synchronous", *setting))


def new_place(home: Path) -> ProfilePlace:
    place = new_profile(home, UserName("alice"), AccountId(b"\x5a" * 32))
    ClientStore.open(place, DATABASE_KEY).close()
    write_sample_keys(place)
    return place


def write_messages(place: ProfilePlace, cuts: Cuts) -> None:
    """A commit for each message; the log goes into the file now and then, and at the end."""
    store = ClientStore.open(place, DATABASE_KEY)
    for order in range(1, COMMITS + 1):
        commit(store, message(order, "word " * 800))
        cuts.acknowledged = order
        if order % 3 == 0:
            run(store._database, "PRAGMA wal_checkpoint")
    cuts.here()
    store.close()
    cuts.here()


def kept_by_client(folder: Path, place: ProfilePlace) -> int:
    """How many messages a client finds when the power is back, after a look at every page."""
    shutil.copy(place.key_file, folder)
    store = ClientStore.open(ProfilePlace(folder, place.name), DATABASE_KEY)
    with closing(store):
        assert run(store._database, "PRAGMA integrity_check") == [("ok",)]
        orders = [row.order for row in store.history(CONVERSATIONS[0], 100, None)]
    assert orders == [*range(1, len(orders) + 1)]
    return len(orders)


def client_losses(tmp_path: Path, disk: TrialDisk) -> int:
    """How many cuts lost something that was committed, or more than that."""
    place = new_place(tmp_path / "home")
    cuts = Cuts(disk)
    write_messages(place, cuts)
    disk.at_sync = lambda: None
    return sum(
        _lost(left, partial(kept_by_client, folder, place))
        for left, folder in cuts.laid_out(tmp_path / "left")
    )


def _lost(left: Left, kept: Callable[[], int]) -> bool:
    try:
        return kept() < left.acknowledged
    except (AssertionError, Unavailable):
        return True


def test_a_client_keeps_what_it_has_committed(tmp_path: Path, disk: TrialDisk) -> None:
    assert client_losses(tmp_path, disk) == 0


@pytest.mark.parametrize("setting", LESS)
def test_a_client_that_synced_less_would_lose(
    tmp_path: Path, disk: TrialDisk, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, int]
) -> None:
    """The trial notices where the defence is gone."""
    monkeypatch.setattr(client_database, "_PRAGMAS", syncing_less(client_database._PRAGMAS, setting))
    assert client_losses(tmp_path, disk) > 0


async def server_writes(path: Path, cuts: Cuts) -> ConversationId:
    store = SqliteStore(path)
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    for _ in range(COMMITS):
        sealed = alice.device.message(conversation, bob.account, ciphertext=bytes(3000))
        cuts.acknowledged = await say(store, alice.device, sealed)
        if cuts.acknowledged % 3 == 0:
            store._file.run("PRAGMA wal_checkpoint")
    cuts.here()
    await store.close()
    cuts.here()
    return conversation


def kept_by_server(folder: Path, conversation: ConversationId) -> int:
    return asyncio.run(_kept_by_server(folder, conversation))


async def _kept_by_server(folder: Path, conversation: ConversationId) -> int:
    store = SqliteStore(folder / "server.db")
    try:
        assert store._file.all("PRAGMA integrity_check") == [("ok",)]
        seqs = await log_seqs(store, conversation)
    finally:
        await store.close()
    assert seqs == [*range(1, len(seqs) + 1)]
    return len(seqs)


def server_losses(tmp_path: Path, disk: TrialDisk) -> int:
    cuts = Cuts(disk)
    folder = tmp_path / "server"
    folder.mkdir()
    conversation = asyncio.run(server_writes(folder / "server.db", cuts))
    disk.at_sync = lambda: None
    return sum(
        _lost(left, partial(kept_by_server, folder, conversation))
        for left, folder in cuts.laid_out(tmp_path / "left")
    )


def test_a_server_keeps_what_it_has_acknowledged(tmp_path: Path, disk: TrialDisk) -> None:
    assert server_losses(tmp_path, disk) == 0


@pytest.mark.parametrize("setting", LESS)
def test_a_server_that_synced_less_would_lose(
    tmp_path: Path, disk: TrialDisk, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, int]
) -> None:
    monkeypatch.setattr(server_database, "_PRAGMAS", syncing_less(server_database._PRAGMAS, setting))
    assert server_losses(tmp_path, disk) > 0

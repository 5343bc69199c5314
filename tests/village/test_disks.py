"""A whole village on a disk that runs full, breaks or loses its power: nobody loses what was acknowledged."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

import coterie
from coterie.base.codes import Code
from coterie.client.api.me import Me
from coterie.client.store.database import run
from coterie.ledger.audit import audit
from coterie.trials.disk import Cut, Fault, TrialDisk
from tests.village.conftest import PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@pytest.fixture
def disk() -> Iterator[TrialDisk]:
    with TrialDisk() as disk:
        yield disk


@pytest_asyncio.fixture
async def on_disk(disk: TrialDisk, tmp_path: Path) -> AsyncIterator[Village]:
    """A village all of whose databases lie on the disk of the trial."""
    village = await Village(tmp_path / "village").start()
    yield village
    await village.close()


def texts(me: Me, target: str) -> list[str]:
    return [each.text for each in me.history(me.resolve(target))]


async def test_a_server_whose_disk_is_full_says_so_and_takes_it_when_there_is_room(
    on_disk: Village, disk: TrialDisk
) -> None:
    alice, bob = await on_disk.person("alice"), await on_disk.person("bob")
    await acquainted(alice, bob)
    ears = Heard(bob)
    await alice.send("@bob", "before")
    assert await ears.texts(1) == ["before"]
    disk.under, disk.fault = on_disk.folder / "server", Fault.FULL
    sent = await alice.send("@bob", "while it was full", timeout_seconds=3)
    assert sent.state is coterie.MessageState.QUEUED
    assert len(ears.messages()) == 1
    assert audit(await coterie.fetch_ledger(on_disk.invite)).names == 2, "what needs no room is served"
    assert bob.link is coterie.LinkState.LIVE
    disk.fault = None
    assert await ears.texts(2) == ["before", "while it was full"]


async def test_a_client_whose_disk_is_full_keeps_nobody_waiting_and_loses_nothing(
    on_disk: Village, disk: TrialDisk
) -> None:
    alice, bob = await on_disk.person("alice"), await on_disk.person("bob")
    await acquainted(alice, bob)
    await bob.send("@alice", "before")
    await Heard(alice).until(lambda _: texts(alice, "@bob") == ["before"])
    disk.under, disk.fault = on_disk.home("alice"), Fault.FULL
    with pytest.raises(coterie.Unavailable, match="no space is left") as raised:
        await alice.post("@bob", "typed while it was full")
    assert raised.value.code is Code.DISK
    await bob.send("@alice", "meanwhile")
    assert texts(alice, "@bob") == ["before"], "what cannot be stored is not shown"
    disk.fault = None
    await Heard(alice).until(lambda _: texts(alice, "@bob") == ["before", "meanwhile"])
    await alice.send("@bob", "typed while it was full")
    await Heard(bob).until(lambda _: texts(bob, "@alice")[-1:] == ["typed while it was full"])


async def test_a_client_whose_disk_is_full_closes_and_is_opened_again(
    on_disk: Village, disk: TrialDisk
) -> None:
    """By the same program, once there is room."""
    alice, bob = await on_disk.person("alice"), await on_disk.person("bob")
    await acquainted(alice, bob)
    await alice.post("@bob", "before")
    disk.under, disk.fault = on_disk.home("alice"), Fault.FULL
    await alice.close()
    disk.fault = None
    again = await on_disk.back("alice")
    assert texts(again, "@bob") == ["before"]


async def test_who_signs_up_on_a_disk_that_runs_full_meanwhile_opens_the_profile_when_there_is_room(
    on_disk: Village, disk: TrialDisk
) -> None:
    """The server has the account, and the same program holds nothing of it open."""
    home = on_disk.home("alice")

    def run_full_once_it_is_kept() -> None:
        if any(home.glob("profiles/*/keys")):
            disk.under, disk.fault = home, Fault.FULL

    disk.at_sync = run_full_once_it_is_kept
    with pytest.raises(coterie.Unavailable, match="no space is left"):
        await on_disk.person("alice")
    disk.at_sync = lambda: None
    disk.fault = None
    assert (await on_disk.back("alice")).name == "alice"


async def test_a_client_whose_store_is_damaged_meanwhile_stops_and_says_so(
    on_disk: Village, disk: TrialDisk
) -> None:
    alice, bob = await on_disk.person("alice"), await on_disk.person("bob")
    await acquainted(alice, bob)
    run(
        alice._store._database, "PRAGMA wal_checkpoint(truncate); PRAGMA cache_size = 0; PRAGMA shrink_memory"
    )
    alice._store._shelves.forget()
    disk.under, disk.fault = on_disk.home("alice"), Fault.SPOILED
    events = Heard(alice)
    await bob.send("@alice", "hello")
    stopped = coterie.LinkChanged(coterie.LinkState.STOPPED, Code.DAMAGED)
    await events.until(lambda events: stopped in events)
    with pytest.raises(coterie.Unavailable, match="coterie rescue"):
        await alice.post("@bob", "typed on a damaged store")
    with pytest.raises(coterie.Unavailable) as raised:
        await alice.wait_live()
    assert raised.value.code is Code.DAMAGED
    await alice.close()


async def test_after_a_power_cut_everybody_has_what_was_acknowledged_and_goes_on(
    on_disk: Village, disk: TrialDisk, tmp_path: Path
) -> None:
    alice, bob = await on_disk.person("alice"), await on_disk.person("bob")
    await acquainted(alice, bob)
    said = [f"number {number}" for number in range(10)]
    for text in said:
        assert (await alice.send("@bob", text)).state is coterie.MessageState.SENT
    left = disk.left_by(Cut.NOTHING_REACHED_IT)
    shutil.copytree(on_disk.folder, tmp_path / "after")
    for path in tmp_path.glob("after/**/*.db*"):
        path.unlink()
    for path, content in left.items():
        (tmp_path / "after" / path.relative_to(on_disk.folder)).write_bytes(content)
    port = on_disk.port
    await on_disk.close()
    again = Village(tmp_path / "after")
    await again.start(port)
    try:
        alice, bob = await again.back("alice"), await again.back("bob")
        await Heard(bob).until(lambda _: texts(bob, "@alice") == said)
        assert texts(alice, "@bob") == said
        await bob.send("@alice", "and on")
        await Heard(alice).until(lambda _: texts(alice, "@bob") == [*said, "and on"])
        assert len(alice.devices()) == len(bob.devices()) == 1, "nobody was taken for a copy"
        await alice.wait_live(PATIENCE_SECONDS)
    finally:
        await again.close()

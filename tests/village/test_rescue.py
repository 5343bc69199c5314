"""What can be read of a damaged store goes on as a device of its own; the damaged one is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import coterie
from coterie.base.codes import Code
from coterie.client.api.me import Me
from coterie.client.api.rescuing import rescue
from coterie.client.store.database import run
from coterie.client.store.records import Setting
from tests.village.conftest import PASSWORD, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

PAGE_BYTES = 4096
SAID = [f"number {number} {'word ' * 200}" for number in range(40)]


def texts(me: Me, target: str) -> list[str]:
    return [each.text for each in me.history(me.resolve(target), limit=100)]


@pytest_asyncio.fixture
async def bob(village: Village) -> AsyncIterator[Me]:
    """Bob, to whom alice has said a lot before she closed; her store is damaged by the tests."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    for text in SAID:
        await alice.send("@bob", text)
    await Heard(bob).until(lambda _: len(texts(bob, "@alice")) == len(SAID))
    await alice.close()
    yield bob


def store_of(village: Village) -> Path:
    (path,) = village.home("alice").glob("profiles/*/store.db")
    return path


async def pages_of(village: Village, table: str) -> list[int]:
    """The leaf pages on which a table's rows stand."""
    me = await coterie.open(village.home("alice"), password=PASSWORD)
    rows = run(me._store._database, f"SELECT pageno FROM dbstat WHERE name = '{table}' AND pagetype = 'leaf'")
    await me.close()
    return [int(str(row[0])) for row in rows]


def spoil(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE_BYTES + 100] ^= 1
    path.write_bytes(content)


async def test_one_page_costs_what_stood_on_it_and_nothing_more(village: Village, bob: Me) -> None:
    pages = await pages_of(village, "message")
    path = store_of(village)
    spoil(path, pages[len(pages) // 2])
    damaged = path.read_bytes()
    saved = await rescue(village.home("alice"), password=PASSWORD)
    assert len(SAID) - 5 <= saved.holdings.messages < len(SAID)
    assert saved.missed > 0
    assert (saved.kept / "store.db").read_bytes() == damaged, "the damaged one is kept as it was"
    alice = await village.keep(await coterie.open(village.home("alice"), password=PASSWORD))
    left = texts(alice, "@bob")
    assert left == [text for text in SAID if text in left], "in order, and nothing else"
    await alice.send("@bob", "from what was saved")
    await bob.send("@alice", "I hear you")
    await Heard(alice).until(lambda _: texts(alice, "@bob")[-1] == "I hear you")
    await Heard(bob).until(lambda _: "from what was saved" in texts(bob, "@alice"))
    assert len([device for device in alice.devices() if not device.revoked]) == 2
    assert bob._store.setting(Setting.BROKEN_COUNT) is None


@pytest.mark.parametrize("table", ["leaf", "account", "peer_device", "group_out", "olm"])
async def test_whatever_is_damaged_it_goes_on(village: Village, bob: Me, table: str) -> None:
    for page in await pages_of(village, table):
        spoil(store_of(village), page)
    saved = await rescue(village.home("alice"), password=PASSWORD)
    assert saved.holdings.messages == len(SAID)
    alice = await village.keep(await coterie.open(village.home("alice"), password=PASSWORD))
    await acquainted(alice, bob)
    await alice.send("@bob", "from what was saved")
    await Heard(bob).until(lambda _: "from what was saved" in texts(bob, "@alice"))


async def test_a_spoiled_log_costs_what_came_after(village: Village, bob: Me) -> None:
    path = store_of(village)
    alice = await village.back("alice")
    for number in range(5):
        await alice.send("@bob", f"later {number}")
    log = path.with_name("store.db-wal")
    database, frames = path.read_bytes(), bytearray(log.read_bytes())
    await alice.close()
    path.write_bytes(database)
    frames[len(frames) // 2] ^= 1
    log.write_bytes(frames)
    with pytest.raises(coterie.Unavailable) as raised:
        await coterie.open(village.home("alice"), password=PASSWORD)
    assert raised.value.code is Code.DAMAGED
    saved = await rescue(village.home("alice"), password=PASSWORD)
    assert len(SAID) <= saved.holdings.messages < len(SAID) + 5
    again = await village.keep(await coterie.open(village.home("alice"), password=PASSWORD))
    await again.send("@bob", "from what was saved")
    await Heard(bob).until(lambda _: "from what was saved" in texts(bob, "@alice"))
    assert bob._store.setting(Setting.BROKEN_COUNT) is None


async def test_what_cannot_be_saved_stays_as_it_is(village: Village, bob: Me) -> None:
    with pytest.raises(coterie.Refused, match="nothing to rescue"):
        await rescue(village.home("alice"), password=PASSWORD)
    path = store_of(village)
    spoil(path, 1)
    before = {each: each.read_bytes() for each in path.parent.iterdir() if each.name != "lock"}
    with pytest.raises(coterie.Unavailable, match="restore a backup") as raised:
        await rescue(village.home("alice"), password=PASSWORD)
    assert raised.value.code is Code.DAMAGED
    assert {each: each.read_bytes() for each in before} == before
    with pytest.raises(coterie.Refused):
        await rescue(village.home("alice"), password="wrong")

"""A damaged database is told from a sound one, before it is served and when the operator asks."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest
import pytest_asyncio

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store import soundness
from coterie.server.store.database import PAGE_BYTES
from coterie.server.store.soundness import faults_of, require_sound
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import Resident, say, settle_in, talk

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def died(tmp_path: Path) -> Path:
    """A database as a server leaves it that is killed: the last part stands in the log."""
    path = tmp_path / "server.db"
    store = SqliteStore(path)
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    store._file.run("PRAGMA wal_checkpoint(truncate)")
    for _ in range(10):
        sealed = alice.device.message(alice.direct_with(bob), bob.account, ciphertext=bytes(2000))
        await say(store, alice.device, sealed)
    left = tmp_path / "left"
    left.mkdir()
    for file in (path, Path(f"{path}-wal")):
        shutil.copy(file, left)
    await store.close()
    return left / "server.db"


def spoil(file: Path, part: float) -> None:
    content = bytearray(file.read_bytes())
    content[int(len(content) * part)] ^= 1
    file.write_bytes(content)


def damage_page(path: Path) -> None:
    """The page that the table of devices begins with is something else."""
    connection = apsw.Connection(str(path), apsw.SQLITE_OPEN_READONLY)
    page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'devices'").get
    connection.close()
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE_BYTES : page * PAGE_BYTES] = b"\x0d" * PAGE_BYTES
    path.write_bytes(content)


async def test_a_database_that_was_killed_is_sound(died: Path) -> None:
    require_sound(died)
    assert faults_of(died) == ()


@pytest.mark.parametrize("part", [0.1, 0.5])
async def test_a_spoiled_log_is_not_served(died: Path, part: float) -> None:
    spoil(Path(f"{died}-wal"), part)
    before = {path: path.read_bytes() for path in died.parent.iterdir() if path.suffix != ".db-shm"}
    with pytest.raises(Unavailable, match="newest backup") as raised:
        require_sound(died)
    assert raised.value.code is Code.DAMAGED
    assert {path: path.read_bytes() for path in before} == before


async def test_a_damaged_page_is_not_served_and_named(died: Path) -> None:
    damage_page(died)
    with pytest.raises(Unavailable) as raised:
        require_sound(died)
    assert raised.value.code is Code.DAMAGED
    assert faults_of(died)


async def test_nothing_is_looked_at_after_a_clean_end(died: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await SqliteStore(died).close()
    monkeypatch.delattr(soundness, "_look")
    require_sound(died)


async def test_where_there_is_no_server_nothing_is_made(tmp_path: Path) -> None:
    require_sound(tmp_path / "server.db")
    with pytest.raises(Unavailable, match="no server"):
        faults_of(tmp_path / "server.db")
    assert not (tmp_path / "server.db").exists()


async def test_what_is_no_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "server.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(Unavailable) as raised:
        faults_of(tmp_path / "server.db")
    assert raised.value.code is Code.DAMAGED

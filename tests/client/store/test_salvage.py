"""Row by row out of a damaged database: only what stood on damaged pages is lost, and no key comes along."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.events import MessageState
from coterie.client.store.database import known_steps, open_database, run
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import DropReceived, OutboxRow, OutboxState, PutLeaves, PutSetting, Setting
from coterie.client.store.salvage import salvage
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.samples import CONVERSATIONS, conversation, message

PAGE_BYTES = 4096
MESSAGES = 300
LEAVES = tuple(bytes((number % 256,)) * 110 for number in range(300))
SECRET = b"a secret of this device, 32 byte"


@pytest.fixture
def full(place: ProfilePlace) -> ProfilePlace:
    """A profile with some of everything, nobody has it open."""
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, *(message(order, f"text {order} {'x' * 300}") for order in range(1, MESSAGES + 1)))
    queued = message(MESSAGES + 1, "queued", own=True, state=MessageState.QUEUED)
    waiting = OutboxRow(queued.order, queued.conversation, queued.message, OutboxState.WAITING, 1, b"", b"")
    commit(
        store,
        conversation(draft="half a sentence"),
        queued,
        waiting,
        PutLeaves(0, LEAVES, b"a head"),
        PutSetting(Setting.PROFILE, b"a profile"),
        PutSetting(Setting.DEVICE_PICKLE, SECRET),
        PutSetting(Setting.PICKLE_ROOT, SECRET),
    )
    store.close()
    return place


def spoil(place: ProfilePlace, table: str, *, which: slice) -> None:
    """Change a bit on some of a table's leaf pages."""
    connection = open_database(place.database, DATABASE_KEY, known_steps())
    pages = run(connection, "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,))
    connection.close()
    content = bytearray(place.database.read_bytes())
    for (page,) in msgspec.convert(pages, list[tuple[int]])[which]:
        content[(page - 1) * PAGE_BYTES + 50] ^= 1
    place.database.write_bytes(content)


def saved(place: ProfilePlace, tmp_path: Path) -> tuple[int, ClientStore]:
    before = place.database.read_bytes()
    missed = salvage(place.database, DATABASE_KEY, tmp_path / "saved")
    assert place.database.read_bytes() == before
    return missed, ClientStore(open_database(tmp_path / "saved", DATABASE_KEY, known_steps()))


def state_of_last(store: ClientStore) -> MessageState:
    row = store.message(MESSAGES + 1)
    assert row is not None
    return row.state


def test_what_was_let_go_stays_gone(full: ProfilePlace, tmp_path: Path) -> None:
    store = ClientStore.open(full, DATABASE_KEY)
    commit(store, *(OutboxRow(n, CONVERSATIONS[0], message(n).message, OutboxState.SENT, 1) for n in (1, 2)))
    commit(store, DropReceived(1, 1))
    store.close()
    _, store = saved(full, tmp_path)
    assert [store.outbox_row(n) is None for n in (1, 2)] == [True, False]
    store.close()


def test_of_one_that_is_whole_all_is_saved_but_keys(full: ProfilePlace, tmp_path: Path) -> None:
    missed, store = saved(full, tmp_path)
    assert missed == 0
    assert store.last_order() == MESSAGES + 1
    assert tuple(store.leaves()) == LEAVES
    kept = store.conversation(CONVERSATIONS[0])
    assert kept is not None
    assert kept.draft == "half a sentence"
    assert state_of_last(store) is MessageState.QUEUED
    assert store.setting(Setting.DEVICE_PICKLE) is None
    assert store.setting(Setting.PICKLE_ROOT) != SECRET
    assert store.setting(Setting.RESTORED) == b"1"
    assert [row.order for row in store.search("text", 3)] == [MESSAGES, MESSAGES - 1, MESSAGES - 2]
    store.close()


@pytest.mark.parametrize("which", [slice(0, 1), slice(5, 7), slice(-1, None), slice(0, None, 4)])
def test_messages_on_other_pages_are_saved(full: ProfilePlace, tmp_path: Path, which: slice) -> None:
    spoil(full, "message", which=which)
    missed, store = saved(full, tmp_path)
    left = [row.order for row in store.history(CONVERSATIONS[0], 1000, None)]
    assert left == sorted(left)
    assert missed > 0
    assert MESSAGES * 0.6 < len(left) < MESSAGES + 1
    store.close()


def test_a_ledger_with_a_hole_is_asked_for_anew(full: ProfilePlace, tmp_path: Path) -> None:
    spoil(full, "leaf", which=slice(2, 3))
    _, store = saved(full, tmp_path)
    assert tuple(store.leaves()) == ()
    assert store.setting(Setting.HEAD) is None
    assert store.last_order() == MESSAGES + 1
    store.close()


def test_what_waited_and_is_in_no_outbox_any_more_is_perhaps_not_sent(
    full: ProfilePlace, tmp_path: Path
) -> None:
    spoil(full, "outbox", which=slice(None))
    _, store = saved(full, tmp_path)
    assert state_of_last(store) is MessageState.UNSURE
    store.close()


def test_without_the_profiles_own_record_nothing_is_saved(full: ProfilePlace, tmp_path: Path) -> None:
    spoil(full, "setting", which=slice(None))
    with pytest.raises(Unavailable, match="restore a backup") as raised:
        salvage(full.database, DATABASE_KEY, tmp_path / "saved")
    assert raised.value.code is Code.DAMAGED


def test_a_database_that_does_not_open_at_all(full: ProfilePlace, tmp_path: Path) -> None:
    full.database.write_bytes(b"garbage" * 1000)
    with pytest.raises(Unavailable, match="restore a backup") as raised:
        salvage(full.database, DATABASE_KEY, tmp_path / "saved")
    assert raised.value.code is Code.DAMAGED

"""Rows at hand are what the database holds, or would hold after the transaction under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw
import msgspec
import pytest

from coterie.base.errors import LocalError
from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.client.events import MessageState
from coterie.client.store import at_hand, shelf
from coterie.client.store.database import run
from coterie.client.store.message_shelf import IDS_AT_ONCE
from coterie.client.store.records import (
    GroupOutRow,
    MessageRow,
    OutboxRow,
    OutboxState,
    PositionRow,
    PutDraft,
    ReadElsewhere,
    ReadUpTo,
    ShareRow,
    ShareState,
    TipRow,
)
from coterie.client.store.sqlite import ClientStore
from coterie.client.store.tables import ROWS_AT_ONCE
from tests.client.store import samples as s
from tests.client.store.places import commit

STREAM = s.STREAMS[0]
HERE = s.CONVERSATIONS[0]


def rows(store: ClientStore, sql: str) -> list[apsw.SQLiteValues]:
    """What the database itself says."""
    return run(store._database, sql)


def at(seq: int) -> PositionRow:
    return PositionRow(STREAM, b"", seq)


@contextmanager
def traced(store: ClientStore) -> Iterator[list[str]]:
    """Every statement that the database carries out."""
    seen: list[str] = []

    def trace(_cursor: apsw.Cursor, sql: str, _values: object) -> bool:
        seen.append(sql)
        return True

    store._database.set_exec_trace(trace)
    yield seen
    store._database.set_exec_trace(None)


def queued(order: int, **changes: Any) -> tuple[MessageRow, OutboxRow]:
    """What saying something saves."""
    row = s.message(order, own=True, state=MessageState.QUEUED, **changes)
    return row, OutboxRow(order, row.conversation, row.message, OutboxState.WAITING, order)


def sealed(order: int) -> tuple[MessageRow, OutboxRow]:
    """What sealing it saves."""
    row, waiting = queued(order, n=order, session=s.SESSIONS[0], index=order, inner=b"inner")
    return row, msgspec.structs.replace(waiting, state=OutboxState.SEALED, ciphertext=b"sealed")


def test_a_position_that_moves_often_is_written_once(store: ClientStore) -> None:
    store.begin()
    with traced(store) as statements:
        for seq in range(1, 50):
            store.apply((at(seq),))
            assert store.position(STREAM) == at(seq)
        store.commit()
    assert len([sql for sql in statements if "position" in sql and sql.startswith("INSERT")]) == 1
    assert rows(store, 'SELECT "seq" FROM position') == [(49,)]


def test_a_message_sealed_in_the_turn_that_queues_it_is_written_once(store: ClientStore) -> None:
    store.begin()
    with traced(store) as statements:
        store.apply((*queued(1), *queued(2)))
        assert store.last_order() == 2
        assert [row.order for row in store.outbox(HERE, OutboxState.WAITING, 5)] == [1, 2]
        assert (store.tips(HERE, 3), store.shares(s.SESSIONS[0])) == ([], [])
        assert store.kept_key(s.SESSIONS[0]) is None
        store.apply((*sealed(1), *sealed(2)))
        assert store.outbox(HERE, OutboxState.WAITING, 5) == []
        store.commit()
    inserted = [sql.split('"')[1] for sql in statements if sql.startswith("INSERT")]
    assert sorted(inserted) == ["message", "message", "outbox", "outbox"]
    assert [store.message(order) for order in (1, 2)] == [sealed(1)[0], sealed(2)[0]]


def test_many_that_wait_are_written_by_few_statements(store: ClientStore) -> None:
    """What is more than whole statements hold is written one by one, and all of it as it was put."""
    orders = range(1, 2 * ROWS_AT_ONCE + 4)
    put = [sealed(order) for order in orders]
    store.begin()
    with traced(store) as statements:
        store.apply(row for rows in put for row in rows)
        store.commit()
    inserted = [sql.split('"')[1] for sql in statements if sql.startswith("INSERT")]
    assert [inserted.count(table) for table in ("message", "outbox")] == [5, 5]
    found = [(store.message(order), store.outbox_row(order)) for order in orders]
    assert found == put
    store.rollback()
    assert [(store.message(order), store.outbox_row(order)) for order in orders] == put


def test_one_of_many_that_does_not_fit_is_refused(store: ClientStore) -> None:
    store.begin()
    store.apply(row for order in range(1, ROWS_AT_ONCE) for row in queued(order))
    store.apply((queued(ROWS_AT_ONCE, message=s.message(3).message)[0],))
    with pytest.raises(LocalError):
        store.commit()
    assert store.last_order() == 0


def heard(order: int, **changes: Any) -> MessageRow:
    """What a message of somebody else saves."""
    return s.message(order, own=False, n=order, session=s.SESSIONS[0], index=order, **changes)


def name(row: MessageRow) -> tuple[ConversationId, DeviceId, MessageId]:
    return row.conversation, row.device, row.message


def test_what_comes_together_is_written_together_and_found_before(store: ClientStore) -> None:
    """Of each is asked whether it, or one at its index, is here: of those in the store and of those that
    wait."""
    commit(store, heard(1))
    new = range(2, ROWS_AT_ONCE + 2)
    store.begin()
    with traced(store) as statements:
        for order in new:
            row = heard(order)
            assert store.message_order(*name(row)) is None
            assert not store.index_used(row.device, s.SESSIONS[0], order)
            store.apply((row,))
            assert store.message_order(*name(row)) == order
            assert store.message_order(*name(heard(1))) == 1
            assert store.message(order) == row
        store.commit()
    assert len([sql for sql in statements if sql.startswith("INSERT")]) == 1
    for order in new:
        assert store.message_order(*name(heard(order))) == order
        assert store.index_used(heard(order).device, s.SESSIONS[0], order)


def test_a_message_that_another_one_replaces_is_not_found_any_more(store: ClientStore) -> None:
    """In the store, or while it waits."""
    old, new, newest = (heard(1, message=MessageId(bytes([place]) * 16)) for place in (1, 2, 3))
    commit(store, old)
    store.begin()
    for row in (new, newest):
        assert store.message_order(*name(row)) is None
        store.apply((row,))
        assert store.message_order(*name(row)) == 1
    assert store.message_order(*name(old)) is None
    store.apply((new, newest))
    assert store.message_order(*name(new)) is None
    assert store.message_order(*name(newest)) == 1
    store.apply((new,))
    assert store.message_order(*name(new)) == 1
    for row in (new, newest):
        store.apply((row,))
        assert store.history(HERE, 1, None) == [row], "what waits is written now"
    assert store.message_order(*name(new)) is None
    store.rollback()
    assert [store.message_order(*name(row)) for row in (old, new, newest)] == [1, None, None]


def test_nobody_is_asked_who_has_the_key_of_a_session_that_begins(store: ClientStore) -> None:
    begun = GroupOutRow(HERE, s.SESSIONS[0], b"pickle", b"", 0, 1, 0)
    share = ShareRow(s.SESSIONS[0], s.DEVICES[0], s.ACCOUNTS[0], ShareState.PENDING, "", 0)
    store.begin()
    with traced(store) as statements:
        store.apply((begun,))
        assert store.shares(s.SESSIONS[0]) == []
        store.apply((share,))
        assert store.shares(s.SESSIONS[0]) == [share]
        store.apply((msgspec.structs.replace(begun, pickle=b"again"),))
        assert store.shares(s.SESSIONS[0]) == [share]
        store.commit()
    assert not [sql for sql in statements if sql.startswith("SELECT") and '"share"' in sql]
    store.rollback()
    assert store.shares(s.SESSIONS[0]) == [share]


def test_the_outbox_answers_over_what_waits(store: ClientStore) -> None:
    commit(store, *(row for order in range(1, 6) for row in queued(order)))
    store.begin()
    store.apply((*sealed(1), *sealed(2), *queued(6)))
    assert [row.order for row in store.outbox(HERE, OutboxState.WAITING, 2)] == [3, 4]
    assert [row.order for row in store.outbox(HERE, OutboxState.WAITING, 9)] == [3, 4, 5, 6]
    assert [row.order for row in store.outbox(HERE, OutboxState.SEALED, 9)] == [1, 2]
    assert store.outbox(s.CONVERSATIONS[1], OutboxState.WAITING, 9) == []
    store.commit()
    assert [row.order for row in store.outbox(HERE, OutboxState.WAITING, 9)] == [3, 4, 5, 6]


def test_what_is_received_is_written_after_what_waits(store: ClientStore) -> None:
    """A waiting row gives an id up before the received one takes it."""
    first, second = s.MESSAGES[:2]
    commit(store, queued(1, message=first)[0])
    store.begin()
    store.apply((queued(1, message=second)[0], s.message(2, message=first)))
    store.commit()
    assert [store.message_order(HERE, s.DEVICES[1], each) for each in (first, second)] == [2, 1]


def test_what_does_not_fit_is_refused_by_the_commit_at_the_latest(store: ClientStore) -> None:
    commit(store, *queued(1))
    store.begin()
    store.apply((queued(2, message=s.message(1).message)[0],))
    with pytest.raises(LocalError):
        store.commit()
    assert store.message(2) is None


def test_a_rollback_forgets_what_waited_and_what_was_read(store: ClientStore) -> None:
    commit(store, at(1), s.message(1))
    store.begin()
    store.apply(
        (at(2), s.message(2), ShareRow(s.SESSIONS[0], s.DEVICES[0], s.ACCOUNTS[0], ShareState.SHARED, "", 0))
    )
    assert store.position(STREAM) == at(2)
    assert len(store.shares(s.SESSIONS[0])) == 1
    store.rollback()
    assert store.position(STREAM) == at(1)
    assert store.message(2) is None
    assert store.shares(s.SESSIONS[0]) == []


def test_a_question_about_many_rows_sees_what_waits(store: ClientStore) -> None:
    store.begin()
    tip = TipRow(s.CONVERSATIONS[0], s.DEVICES[0], 1, b"", 1)
    store.apply((at(3), s.conversation(), tip))
    assert store.positions() == [at(3)]
    assert store.conversations() == [s.conversation()]
    assert store.tips(s.CONVERSATIONS[0], 1) == [tip]
    store.commit()


def test_a_change_of_a_row_that_waits(store: ClientStore) -> None:
    store.begin()
    store.apply((s.conversation(), PutDraft(s.CONVERSATIONS[0], "half a")))
    store.apply((ReadUpTo(s.CONVERSATIONS[0], 5),))
    assert store.conversation(s.CONVERSATIONS[0]) == s.conversation(5, "half a")
    with pytest.raises(LocalError):
        store.apply((PutDraft(s.CONVERSATIONS[1], "nowhere"),))
    store.rollback()


def test_memory_is_bounded(store: ClientStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "ROWS_MAX", 3)
    monkeypatch.setattr(at_hand, "SESSIONS_MAX", 1)
    commit(store, *(s.message(order) for order in range(1, 9)))
    for order in range(1, 9):
        assert store.message(order) == s.message(order)
        assert len(store._shelves.messages._kept) <= 3
    for session in s.SESSIONS:
        assert store.shares(session) == []
        assert list(store._shelves.shares._of) == [session]
    changed = msgspec.structs.replace(s.message(1), text="changed")
    commit(store, changed)
    assert store.message(1) == changed


def test_unread_messages_are_counted_as_they_come(store: ClientStore) -> None:
    """Each that is not read adds to what is known, without a question to the database."""
    there = s.CONVERSATIONS[1]

    def counts() -> tuple[int, int, int]:
        return (*store.unread(HERE), store.first_unread_seq(HERE))

    commit(store, s.conversation(read_order=2), ReadElsewhere(HERE, 20))
    assert counts() == (0, 0, 0)
    assert store.unread(there) == (0, 0)
    came = [
        (s.message(1, seq=30), (0, 0, 0)),
        (s.message(3, seq=20), (0, 0, 0)),
        (s.message(4, seq=25), (1, 4, 25)),
        (s.message(5, seq=23), (2, 4, 23)),
        (s.message(6, seq=26), (3, 4, 23)),
        (s.message(7, seq=27, own=True), (3, 4, 23)),
        (msgspec.structs.replace(s.message(8, seq=28), shown=False), (3, 4, 23)),
        (s.message(9, seq=0), (4, 4, 0)),
        (s.message(10, seq=29, conversation=there), (4, 4, 0)),
    ]
    store.begin()
    with traced(store) as statements:
        for message, expected in came:
            store.apply((message,))
            assert counts() == expected
        assert store.unread(there) == (1, 10)
    assert not [statement for statement in statements if "count(*)" in statement]
    store.commit()
    store._shelves.forget()
    assert counts() == (4, 4, 0)
    assert store.unread(there) == (1, 10)


def test_counts_at_hand_are_those_of_the_rows(store: ClientStore) -> None:
    """Newest message and unread messages are remembered from question to question."""
    commit(store, s.conversation(), s.message(1), s.message(2))
    assert (store.last_message(HERE), store.unread(HERE)) == (s.message(2), (2, 1))
    store.begin()
    store.apply(queued(3))
    with traced(store) as statements:
        assert (store.last_message(HERE), store.unread(HERE)) == (queued(3)[0], (2, 1))
    assert statements == []
    store.apply((s.message(4),))
    assert (store.last_message(HERE), store.unread(HERE)) == (s.message(4), (3, 1))
    store.apply((s.message(2, own=True), s.message(4, conversation=s.CONVERSATIONS[1])))
    assert (store.last_message(HERE), store.unread(HERE)) == (queued(3)[0], (1, 1))
    assert store.unread(s.CONVERSATIONS[1]) == (1, 4)
    store.apply((s.conversation(read_order=1),))
    assert store.unread(HERE) == (0, 0)
    store.rollback()
    assert (store.last_message(HERE), store.unread(HERE)) == (s.message(2), (2, 1))


def test_what_is_asked_seldom_is_not_prepared_anew(store: ClientStore) -> None:
    """Between two new keys lie the answers to hundreds of messages."""
    commit(store, s.conversation())
    assert store.shares(s.SESSIONS[0]) == []
    commit(store, *(at(seq) for seq in range(2)))
    prepared = store._database.cache_stats(False)["misses"]
    for order in range(1, 500):
        assert store.message(order) is None
    assert store.shares(s.SESSIONS[1]) == []
    commit(store, at(9))
    assert store._database.cache_stats(False)["misses"] == prepared + 1


def test_messages_that_are_expected_are_looked_for_together(store: ClientStore) -> None:
    """Whatever is saved under an expected id meanwhile is found, written or not."""
    there, coming, never = (s.message(order) for order in (1, 2, 3))
    commit(store, there)
    ids = [each.message for each in (there, coming, never)]
    names = [(each.conversation, each.device, each.message) for each in (there, coming, never)]
    with traced(store) as seen:
        store.expect_messages(ids)
        assert [store.message_order(*name) for name in names[1:]] == [None, None]
    assert len(seen) == 1
    assert store.message_order(*names[0]) == there.order
    store.begin()
    store.apply([coming])
    assert store.message_order(*names[1]) == coming.order
    store.expect_messages(ids)
    assert store.message_order(*names[1]) == coming.order
    store.rollback()
    assert [store.message_order(*name) for name in names] == [there.order, None, None]
    with traced(store) as seen:
        store.expect_messages(ids[:1])
    assert not seen, "one alone is asked for as it is"


def test_more_are_expected_than_one_question_holds(store: ClientStore) -> None:
    expected = [s.message(order) for order in range(1, IDS_AT_ONCE + 9)]
    commit(store, expected[0], expected[-1])
    store.expect_messages([each.message for each in expected])
    found = [store.message_order(each.conversation, each.device, each.message) for each in expected]
    assert found == [expected[0].order, *[None] * (len(expected) - 2), expected[-1].order]


def test_the_highest_index_of_a_session_may_wait_to_be_written(store: ClientStore) -> None:
    sealed = s.message(1, session=s.SESSIONS[0], index=4)
    store.begin()
    store.apply([sealed])
    with traced(store) as seen:
        assert not store.index_used(sealed.device, s.SESSIONS[0], 5)
    assert not [sql for sql in seen if "INSERT" in sql], "asking writes nothing out"
    assert store.index_used(sealed.device, s.SESSIONS[0], 4)
    store.rollback()
    assert not store.index_used(sealed.device, s.SESSIONS[0], 4)

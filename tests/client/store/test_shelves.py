"""Rows at hand are what the database holds, or would hold after the transaction under way."""

from __future__ import annotations

import apsw
import msgspec
import pytest

from coterie.base.errors import LocalError
from coterie.client.store import shelves
from coterie.client.store.database import run
from coterie.client.store.records import PositionRow, PutDraft, ReadUpTo, ShareRow, ShareState, TipRow
from coterie.client.store.sqlite import ClientStore
from tests.client.store import samples as s
from tests.client.store.places import commit

STREAM = s.STREAMS[0]


def rows(store: ClientStore, sql: str) -> list[apsw.SQLiteValues]:
    """What the database itself says."""
    return run(store._database, sql)


def at(seq: int) -> PositionRow:
    return PositionRow(STREAM, b"", seq)


def test_a_position_that_moves_often_is_written_once(store: ClientStore) -> None:
    written: list[str] = []

    def trace(_cursor: apsw.Cursor, sql: str, _values: object) -> bool:
        written.append(sql)
        return True

    store.begin()
    store._database.set_exec_trace(trace)
    for seq in range(1, 50):
        store.apply((at(seq),))
        assert store.position(STREAM) == at(seq)
    store.commit()
    store._database.set_exec_trace(None)
    assert len([sql for sql in written if "position" in sql and sql.startswith("INSERT")]) == 1
    assert rows(store, 'SELECT "seq" FROM position') == [(49,)]


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
    monkeypatch.setattr(shelves, "ROWS_MAX", 3)
    monkeypatch.setattr(shelves, "SESSIONS_MAX", 1)
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

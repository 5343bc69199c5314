"""What is at hand of messages by their index is what the database holds."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.ids import SessionId
from coterie.client.events import MessageState
from coterie.client.store import by_index
from coterie.client.store.records import Delivered, MessageAccepted, MessageRow
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import commit
from tests.client.store.samples import CONVERSATIONS, DEVICES, SESSIONS, message

HERE, SESSION, DEVICE = CONVERSATIONS[0], SESSIONS[0], DEVICES[0]


def heard(order: int, index: int, session: SessionId = SESSION) -> MessageRow:
    return msgspec.structs.replace(message(order), session=session, index=index, device=DEVICE)


def said(order: int, index: int, state: MessageState = MessageState.SENT) -> MessageRow:
    return msgspec.structs.replace(heard(order, index), own=True, state=state)


def up_to(store: ClientStore, first_index: int = 0) -> int | None:
    return store.opened_up_to(SESSION, DEVICE, first_index)


def test_what_comes_in_order_need_not_be_looked_up(store: ClientStore) -> None:
    assert not store.index_used(DEVICE, SESSION, 0)
    commit(store, heard(1, 2))
    commit(store, heard(2, 3))
    known = store._shelves.by_index
    assert known.opened_up_to((SESSION, DEVICE), 2) == up_to(store, 2) == 3
    assert known.opened_up_to((SESSION, DEVICE), 1) is None
    assert up_to(store, 1) is up_to(store, 4) is None


def test_a_gap_is_one_until_it_is_filled(store: ClientStore) -> None:
    assert not store.index_used(DEVICE, SESSION, 0)
    commit(store, heard(1, 0))
    commit(store, heard(2, 2))
    assert up_to(store) == 0
    commit(store, heard(3, 1))
    assert up_to(store) == 2


def test_what_is_rolled_back_or_moved_is_not_here(store: ClientStore) -> None:
    assert not store.index_used(DEVICE, SESSION, 0)
    commit(store, heard(1, 0))
    store.begin()
    store.apply([heard(2, 1)])
    assert up_to(store) == 1
    store.rollback()
    assert up_to(store) == 0
    assert not store.index_used(DEVICE, SESSIONS[1], 0)
    commit(store, heard(3, 0, SESSIONS[1]))
    assert store.opened_up_to(SESSIONS[1], DEVICE, 0) == 0
    commit(store, heard(3, 1))
    assert store.opened_up_to(SESSIONS[1], DEVICE, 0) is None
    assert up_to(store) == 1


def states(store: ClientStore) -> list[MessageState]:
    """As they are read alone, after asserting that every other way of reading says the same."""
    history = store.history(HERE, 9, None)
    alone = [store.message(row.order) for row in history]
    assert history == alone == store.written(SESSION, DEVICE, -1, 99) == store.written(SESSION, DEVICE, -1, 2)
    return [row.state for row in history]


def test_own_messages_read_as_delivered_and_their_rows_are_not_written(store: ClientStore) -> None:
    sent, delivered = MessageState.SENT, MessageState.DELIVERED
    commit(store, *(said(order, order - 1) for order in (1, 2, 3)))
    assert states(store) == [sent] * 3
    rows = 'SELECT "state" FROM message'
    before = store._database.execute(rows).fetchall()
    store.begin()
    store.apply([Delivered(SESSION, 1, 1)])
    assert states(store) == [sent, delivered, sent]
    store.rollback()
    assert states(store) == [sent] * 3
    commit(store, Delivered(SESSION, 1, 2), Delivered(SESSION, 1, 1))
    assert states(store) == [sent, delivered, delivered]
    commit(store, Delivered(SESSION, 0, 0))
    assert states(store) == [delivered] * 3
    assert store._database.execute(rows).fetchall() == before


def test_what_is_accepted_after_its_receipt_is_delivered(store: ClientStore) -> None:
    commit(store, *(said(order, order - 1, MessageState.QUEUED) for order in (1, 2, 3)))
    commit(store, Delivered(SESSION, 0, 1))
    assert states(store) == [MessageState.QUEUED] * 3
    store.begin()
    store.apply([MessageAccepted(order, order, 7, b"mac") for order in (1, 3)])
    assert states(store) == [MessageState.DELIVERED, MessageState.QUEUED, MessageState.SENT]
    assert store.message(3) == msgspec.structs.replace(said(3, 2), seq=3, server_ms=7, mac=b"mac")
    store.rollback()
    assert states(store) == [MessageState.QUEUED] * 3


def test_what_another_wrote_is_never_delivered(store: ClientStore) -> None:
    row = msgspec.structs.replace(heard(1, 0), state=MessageState.SENT)
    commit(store, row, Delivered(SESSION, 0, 1))
    assert store.history(HERE, 9, None) == [store.message(1)] == [row]


def test_more_than_is_kept_is_asked_for(store: ClientStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_index, "PLACES_MAX", 2)
    monkeypatch.setattr(by_index, "SESSIONS_MAX", 1)
    sessions = [SessionId(bytes((n,)) * 32) for n in range(4)]
    for order, session in enumerate(sessions, 1):
        assert not store.index_used(DEVICE, session, 0)
        own = msgspec.structs.replace(said(order + 10, 0), session=session, device=DEVICES[1])
        commit(store, heard(order, 0, session), own, Delivered(session, 0, 0))
    assert [store.opened_up_to(each, DEVICE, 0) for each in sessions] == [0] * 4
    assert all(len(store.written(each, DEVICES[1], -1, 0)) == 1 for each in sessions)
    own_states = {row.state for order in range(11, 15) if (row := store.message(order)) is not None}
    assert own_states == {MessageState.DELIVERED}

"""Sessions and keys at hand stand as the database has them."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.ids import DeviceId
from coterie.client.store import at_hand
from coterie.client.store.records import (
    Delivered,
    DropOlm,
    OlmRow,
    OwnFreshKey,
    PassFreshKeys,
    PruneFreshKeys,
    ReceiptRow,
    ShareRow,
    ShareState,
    WaitingReason,
    WaitingRow,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store import samples as s
from tests.client.store.places import commit

DEVICE, OTHER = s.DEVICES[:2]


def olm(number: int, received_ms: int, pickle: bytes = b"p", device: DeviceId = DEVICE) -> OlmRow:
    return OlmRow(bytes((number,)) * 32, s.ACCOUNTS[0], device, pickle, received_ms)


def numbers(store: ClientStore, device: DeviceId = DEVICE) -> list[int]:
    """At hand, and read anew: the same sessions in one order."""
    found = store.olm_sessions(device)
    store._shelves.olm.forget()
    assert store.olm_sessions(device) == found
    return [row.session[0] for row in found]


def test_the_session_that_last_received_comes_first(store: ClientStore) -> None:
    assert numbers(store) == []
    for record, then in (
        (olm(1, 10), [1]),
        (olm(2, 20), [2, 1]),
        (olm(1, 10, b"stepped"), [2, 1]),
        (olm(1, 30), [1, 2]),
        (olm(2, 30), [2, 1]),
        (olm(2, 5), [1, 2]),
        (olm(3, 6), [1, 3, 2]),
        (olm(3, 6, b""), [1, 2]),
        (olm(1, 40, device=OTHER), [2]),
        (DropOlm(olm(2, 0).session), []),
    ):
        store.olm_sessions(DEVICE)
        commit(store, record)
        assert numbers(store) == then
    assert numbers(store, OTHER) == [1]


def test_sessions_with_many_devices_are_not_all_kept(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_hand, "DEVICES_MAX", 1)
    for device in s.DEVICES:
        assert (store.olm_sessions(device), store.fresh_keys_unpassed(device)) == ([], (0, 0))
        assert len(store._shelves.olm._of) == 1
    assert list(store._shelves.olm._of) == [s.DEVICES[-1]]


def test_what_is_rolled_back_is_not_at_hand(store: ClientStore) -> None:
    commit(store, olm(1, 10), OwnFreshKey(5, DEVICE, b"k", 100, 0))
    assert (numbers(store), store.newest_fresh_id(), store.fresh_keys_unpassed(DEVICE)) == ([1], 5, (1, 100))
    store.begin()
    store.apply((olm(1, 10, b"stepped"), olm(2, 20), OwnFreshKey(6, DEVICE, b"k", 200, 0)))
    assert (store.newest_fresh_id(), store.fresh_keys_unpassed(DEVICE)) == (6, (2, 200))
    store.rollback()
    assert (numbers(store), store.newest_fresh_id(), store.fresh_keys_unpassed(DEVICE)) == ([1], 5, (1, 100))


def test_fresh_keys_are_counted_as_they_come_and_pass(store: ClientStore) -> None:
    assert (store.newest_fresh_id(), store.fresh_keys_unpassed(DEVICE)) == (0, (0, 0))
    commit(store, *(OwnFreshKey(id, DEVICE, b"k", 100 + id, 0) for id in (1, 2, 3)))
    commit(store, OwnFreshKey(2, OTHER, b"k", 102, 0), OwnFreshKey(2, DEVICE, b"k", 102, 0))
    assert (store.newest_fresh_id(), store.fresh_keys_unpassed(DEVICE)) == (3, (3, 103))
    commit(store, PassFreshKeys(DEVICE, 3, 500))
    assert store.fresh_keys_unpassed(DEVICE) == (1, 103)
    commit(store, PruneFreshKeys(501))
    assert (store.own_fresh_key(2), store.newest_fresh_id()) == (None, 3)
    commit(store, PassFreshKeys(DEVICE, 4, 600))
    commit(store, PruneFreshKeys(601))
    assert store.newest_fresh_id() == 0


def test_who_has_spoken_is_asked_anew_where_a_message_is_another_one_now(store: ClientStore) -> None:
    said = s.message(1, own=True)
    commit(store, said)
    assert store.has_spoken(said.conversation)
    commit(store, msgspec.structs.replace(said, own=False))
    assert not store.has_spoken(said.conversation)


def test_what_nobody_waits_for_is_asked_once(store: ClientStore) -> None:
    assert store.waiting() == store.waiting() == []
    assert store.owed() == store.owed() == []
    waits = WaitingRow(s.STREAMS[0], 1, s.ACCOUNTS[0], DEVICE, b"", b"e", WaitingReason.BROKEN, 1)
    commit(store, waits)
    assert store.waiting() == [waits]
    session = s.SESSIONS[0]
    given = ShareRow(session, DEVICE, s.ACCOUNTS[0], ShareState.SHARED, "", 0)
    commit(store, given)
    assert store._shelves.nothing
    left_out = msgspec.structs.replace(given, state=ShareState.LEFT_OUT)
    commit(store, left_out)
    assert not store._shelves.nothing
    assert (store.owed(), store._shelves.nothing) == ([], set()), "its key is not kept, but may be"


def test_receipts_stand_by_device(store: ClientStore) -> None:
    session = s.SESSIONS[0]
    high, low = (ReceiptRow(session, device, 1) for device in (OTHER, DEVICE))
    store.receipts(session)
    for record in (high, low, msgspec.structs.replace(high, up_to=2)):
        commit(store, record)
    known = store.receipts(session)
    store._shelves.receipts.forget()
    assert known == store.receipts(session) == [low, msgspec.structs.replace(high, up_to=2)]
    assert (store.receipt(session, OTHER), store.receipt(session, s.DEVICES[2])) == (known[1], None)
    commit(store, ReceiptRow(s.SESSIONS[1], DEVICE, 3))
    assert store.receipts(s.SESSIONS[1]) == [ReceiptRow(s.SESSIONS[1], DEVICE, 3)]


def test_up_to_where_a_session_is_delivered_only_grows(store: ClientStore) -> None:
    session = s.SESSIONS[0]
    known = store._shelves.delivered
    commit(store, Delivered(session, 1, 4))
    assert known._ranges(session) == {1: 4}
    commit(store, Delivered(session, 1, 2), Delivered(session, 3, 5))
    assert known._ranges(session) == {1: 4, 3: 5}
    known.forget()
    assert known._ranges(session) == {1: 4, 3: 5}

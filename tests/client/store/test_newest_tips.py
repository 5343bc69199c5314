"""The newest tips at hand are those that the database holds."""

from __future__ import annotations

import pytest

from coterie.base.ids import DeviceId
from coterie.client.store import newest_tips
from coterie.client.store.records import TipRow
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import commit
from tests.client.store.samples import CONVERSATIONS

HERE, ELSEWHERE = CONVERSATIONS[:2]
LIMITS = (0, 1, 2, 7)


def tip(device: int, order: int) -> TipRow:
    return TipRow(HERE, DeviceId(bytes((device,)) * 16), order, bytes(32), order)


def devices(store: ClientStore) -> list[int]:
    """At hand, and read anew: the same tips."""
    found = {limit: list(store.tips(HERE, limit)) for limit in LIMITS}
    store._shelves.newest_tips.forget()
    assert {limit: store.tips(HERE, limit) for limit in LIMITS} == found
    return [row.device[0] for row in found[7]]


def test_each_tip_comes_to_stand_where_its_order_says(store: ClientStore) -> None:
    assert devices(store) == []
    for record, then in (
        (tip(1, 10), [1]),
        (tip(2, 20), [2, 1]),
        (tip(3, 5), [2, 1, 3]),
        (tip(1, 30), [1, 2, 3]),
        (tip(1, 31), [1, 2, 3]),
        (tip(1, 3), [2, 3, 1]),
        (tip(3, 25), [3, 2, 1]),
    ):
        commit(store, record)
        assert devices(store) == then


def test_they_are_not_read_again_for_what_is_said_there(store: ClientStore) -> None:
    commit(store, tip(1, 10))
    for limit in LIMITS:
        store.tips(HERE, limit)
    commit(store, tip(2, 20))
    known = store._shelves.newest_tips
    assert [known.of(HERE, limit) for limit in (1, 7)] == [[tip(2, 20)], [tip(2, 20), tip(1, 10)]]
    store.begin()
    store.apply([tip(3, 30)])
    store.rollback()
    assert devices(store) == [2, 1]


def test_a_bounded_number_of_conversations_is_at_hand(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest_tips, "CONVERSATIONS_MAX", 1)
    store.tips(HERE, 7)
    store.tips(HERE, 1)
    assert store._shelves.newest_tips.of(HERE, 7) == []
    store.tips(ELSEWHERE, 1)
    assert store._shelves.newest_tips.of(HERE, 7) is None

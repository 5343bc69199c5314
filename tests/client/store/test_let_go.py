"""What every device has reads as gone from the outbox at once, and leaves it with the next write."""

from __future__ import annotations

import msgspec

from coterie.client.store.database import run
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import DropReceived, GiveUp, OutboxRow, OutboxState, PruneOutbox
from coterie.client.store.sqlite import ClientStore
from tests.client.store import samples as s
from tests.client.store.places import DATABASE_KEY, commit

HERE = s.CONVERSATIONS[0]


def row(order: int, state: OutboxState = OutboxState.SENT) -> OutboxRow:
    message = s.message(order)
    return OutboxRow(order, HERE, message.message, state, order, ciphertext=b"c" * 600)


def held(store: ClientStore) -> list[int]:
    """Orders in the outbox, as they stand in the database."""
    return [int(str(order)) for (order,) in run(store._database, 'SELECT "order" FROM outbox ORDER BY 1')]


def marks(store: ClientStore) -> list[tuple[object, ...]]:
    return list(run(store._database, "SELECT * FROM let_go ORDER BY 1"))


def seen(store: ClientStore, *orders: int) -> list[int]:
    return [order for order in orders if store.outbox_row(order) is not None]


def test_it_reads_as_gone_and_goes_with_the_next_write(store: ClientStore) -> None:
    commit(store, *map(row, range(1, 6)))
    commit(store, DropReceived(1, 2), DropReceived(3, 3))
    assert seen(store, 1, 2, 3, 4, 5) == [4, 5]
    assert (held(store), marks(store)) == ([1, 2, 3, 4, 5], [(1, 3)])
    commit(store, row(6, OutboxState.SEALED))
    assert (held(store), marks(store)) == ([4, 5, 6], [])
    assert seen(store, 1, 2, 3, 4, 5, 6) == [4, 5, 6]


def test_runs_of_several_commits_stand_beside_each_other(store: ClientStore) -> None:
    commit(store, *map(row, range(1, 8)))
    commit(store, DropReceived(1, 2), DropReceived(5, 5))
    commit(store, DropReceived(6, 6))
    assert marks(store) == [(1, 2), (5, 5), (6, 6)]
    commit(store, DropReceived(1, 1))
    assert marks(store) == [(1, 2), (5, 5), (6, 6)], "a mark never gets smaller"
    assert seen(store, *range(1, 8)) == [3, 4, 7]


def test_what_is_accepted_later_is_not_meant(store: ClientStore) -> None:
    """A receipt that comes before the server's answer lets go with the answer (core/outbox.py)."""
    commit(store, row(1), row(2, OutboxState.SEALED), row(3))
    commit(store, DropReceived(1, 3))
    assert seen(store, 1, 2, 3) == [2]
    commit(store, row(4, OutboxState.SEALED))
    assert held(store) == [2, 4]
    commit(store, GiveUp(4), DropReceived(1, 3))
    store.begin()
    store.apply((row(2),))
    assert seen(store, 1, 2, 3) == [2]
    store.commit()
    assert held(store) == seen(store, 1, 2, 3) == [2]
    store.begin()
    store.apply((row(2), DropReceived(2, 2)))
    store.commit()
    assert seen(store, 2) == []


def test_it_is_gone_after_a_start_too(place: ProfilePlace) -> None:
    store = ClientStore.open(place, DATABASE_KEY)
    commit(store, row(1), row(2))
    commit(store, DropReceived(1, 1))
    store.close()
    store = ClientStore.open(place, DATABASE_KEY)
    assert seen(store, 1, 2) == [2]
    commit(store, row(3))
    assert held(store) == [2, 3]
    store.close()


def test_what_is_rolled_back_is_still_there(store: ClientStore) -> None:
    commit(store, row(1), row(2), row(3))
    commit(store, DropReceived(3, 3))
    store.begin()
    store.apply((DropReceived(1, 1),))
    assert seen(store, 1, 2, 3) == [2]
    store.rollback()
    assert seen(store, 1, 2, 3) == [1, 2]
    store.begin()
    store.apply((row(4),))
    store._shelves.write_out()
    store.rollback()
    assert (seen(store, 1, 2, 3), held(store)) == ([1, 2], [1, 2, 3])


def test_whoever_looks_through_the_outbox_finds_nothing_of_it(store: ClientStore) -> None:
    for record in (PruneOutbox(0), GiveUp(9)):
        commit(store, row(1), row(2))
        commit(store, DropReceived(1, 1))
        commit(store, record)
        assert held(store) == [2]


def test_what_is_open_is_asked_for_only_where_there_may_be_something(store: ClientStore) -> None:
    assert store.outbox_conversations() == []
    assert store.outbox(HERE, OutboxState.WAITING, 0) == []
    assert store.outbox(HERE, OutboxState.WAITING, 9) == []
    waits = row(1, OutboxState.WAITING)
    store.begin()
    store.apply((waits,))
    assert store.outbox_conversations() == [HERE]
    store.commit()
    assert store.outbox(HERE, OutboxState.WAITING, 9) == [waits]
    assert store.outbox(HERE, OutboxState.SEALED, 9) == []
    sealed = msgspec.structs.replace(waits, state=OutboxState.SEALED)
    store.begin()
    store.apply((sealed,))
    assert store.outbox(HERE, OutboxState.SEALED, 9) == [sealed]
    assert store.outbox(HERE, OutboxState.WAITING, 9) == []
    store.commit()
    assert store.outbox(HERE, OutboxState.SEALED, 9) == [sealed]
    assert store.outbox_conversations() == [HERE]
    commit(store, row(1))
    assert store.outbox_conversations() == store.outbox_conversations() == []
    commit(store, row(1, OutboxState.SEALED))
    assert store.outbox_conversations() == [HERE]
    commit(store, row(1))
    assert store.outbox_conversations() == []
    store.begin()
    store.apply((row(2, OutboxState.SEALED),))
    assert store.outbox_conversations() == [HERE]
    store.rollback()
    assert store.outbox_conversations() == []


def test_new_rows_take_the_pages_of_those_that_go(store: ClientStore) -> None:
    """So neither a receipt nor what follows it writes a page only to delete it."""
    size, orders = 64, range(0)
    for first in range(1, 10 * size, size):
        orders = range(first, first + size)
        commit(store, *(row(order, OutboxState.SEALED) for order in orders))
        commit(store, *map(row, orders))
        pages = run(store._database, "PRAGMA page_count")
        commit(store, DropReceived(first, first + size - 1))
        assert run(store._database, "PRAGMA page_count") == pages
    assert run(store._database, "PRAGMA freelist_count") == [(0,)]
    assert held(store) == list(orders)

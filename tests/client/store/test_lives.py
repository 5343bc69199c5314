"""What another life of the server's data leaves in a store, and what means nothing any more."""

from __future__ import annotations

import msgspec

from coterie.base.ids import MessageId
from coterie.client.events import MessageState
from coterie.client.store.records import (
    NEVER_MS,
    AccountRow,
    BeginLife,
    GroupInRow,
    MessageRow,
    OutboxRow,
    OutboxState,
    PutLeaves,
    Setting,
    TipRow,
    WaitingReason,
    WaitingRow,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import commit
from tests.client.store.samples import (
    ACCOUNTS,
    CONVERSATIONS,
    DEVICES,
    NAMES,
    SESSIONS,
    STREAMS,
    conversation,
    message,
)

TALK, OTHER = CONVERSATIONS
LIFE = BeginLife(10, ())


def own(order: int, state: MessageState = MessageState.SENT) -> MessageRow:
    return message(order, own=True, state=state)


def sent(order: int, since_ms: int = 10, previous: bytes = b"before") -> OutboxRow:
    return OutboxRow(order, TALK, own(order).message, OutboxState.SENT, since_ms, previous, b"sealed")


def test_what_was_sent_is_sent_again_in_order(store: ClientStore) -> None:
    """The first one names none before it: the server may not know that one."""
    commit(store, conversation(), *(own(order) for order in (1, 2, 3)), own(4, MessageState.QUEUED))
    waits = OutboxRow(4, TALK, own(4).message, OutboxState.WAITING, 10)
    commit(store, sent(1, since_ms=9), sent(2), sent(3), waits)
    commit(store, LIFE)
    again = store.outbox(TALK, OutboxState.SEALED, 9)
    assert [(row.order, row.previous) for row in again] == [(2, b""), (3, own(2).message)]
    assert [row.order for row in store.outbox(TALK, OutboxState.WAITING, 9)] == [4]
    row = store.conversation(TALK)
    assert row is not None
    assert row.out_message == own(3).message
    first = store.outbox_row(1)
    assert first is not None
    assert first.state is OutboxState.SENT, "too old"


def test_where_nothing_is_sent_again_the_next_message_names_none(store: ClientStore) -> None:
    commit(store, msgspec.structs.replace(conversation(), out_message=b"m" * 16), own(1), sent(1))
    commit(store, BeginLife(10, (TALK,)))
    assert store.outbox(TALK, OutboxState.SEALED, 9) == []
    row = store.conversation(TALK)
    assert row is not None
    assert row.out_message == b""


def waiting(seq: int, entry: bytes) -> WaitingRow:
    return WaitingRow(STREAMS[0], seq, ACCOUNTS[0], DEVICES[0], SESSIONS[0], entry, WaitingReason.NO_KEY, 0)


def test_a_seq_that_is_used_again_hides_nothing_that_waits(store: ClientStore) -> None:
    commit(store, waiting(1, b"old 1"), waiting(2, b"old 2"))
    for life in range(2):
        commit(store, LIFE)
        commit(store, waiting(1, b"new %d" % life))
    entries = [row.entry for row in store.waiting()]
    assert entries == [b"old 1", b"old 2", b"new 0", b"new 1"]
    assert len({row.seq for row in store.waiting()}) == 4


def test_what_was_read_stays_read_and_what_comes_is_not(store: ClientStore) -> None:
    commit(store, msgspec.structs.replace(conversation(), read_seq=7, told_seq=7))
    for order, seq in ((1, 6), (2, 7), (3, 8)):
        commit(store, message(order, seq=seq, message=MessageId(bytes([order]) * 16)))
    assert store.unread(TALK) == (1, 3)
    commit(store, LIFE)
    assert store.unread(TALK) == (1, 3)
    commit(store, message(4, seq=2, message=MessageId(b"4" * 16)))
    assert store.unread(TALK) == (2, 3)


def test_a_session_of_the_life_before_does_not_follow_one_of_this(store: ClientStore) -> None:
    """Else its key, the newer one, would be pruned as an old one's."""
    old, new = SESSIONS
    begun = GroupInRow(TALK, ACCOUNTS[0], DEVICES[0], old, b"pickle", 0, b"", 0, b"", 500, 1)
    commit(store, begun, TipRow(TALK, DEVICES[0], 1, b"h" * 32, 1, anew_from=300))
    commit(store, LIFE)
    commit(store, msgspec.structs.replace(begun, session=new, begun_seq=12))
    kept = [store.group_in(TALK, ACCOUNTS[0], DEVICES[0], session) for session in (old, new)]
    assert [row.begun_seq for row in kept if row is not None] == [1, 12]
    tip = store.tip(TALK, DEVICES[0])
    assert tip is not None
    assert tip.anew_from == 0


def test_the_ledger_becomes_the_one_before(store: ClientStore) -> None:
    commit(store, PutLeaves(0, (b"one", b"two"), b"head"))
    commit(store, LIFE)
    assert list(store.leaves()) == []
    assert store.old_leaves() == [b"one", b"two"]
    assert (store.setting(Setting.HEAD), store.setting(Setting.OLD_HEAD)) == (None, b"head")
    commit(store, LIFE)
    assert store.old_leaves() == [b"one", b"two"], "one that was never heard of leaves the proofs as they are"


def test_a_reset_under_way_is_void(store: ClientStore) -> None:
    commit(store, AccountRow(ACCOUNTS[0], NAMES[0], 1, b"manifest", (), from_ms=5))
    commit(store, LIFE)
    assert [row.from_ms for row in store.accounts()] == [NEVER_MS]

"""What becoming another device leaves in a store, and what it takes away (encryption rule 28)."""

from __future__ import annotations

import msgspec

from coterie.client.events import MessageState
from coterie.client.store.records import (
    BecomeDevice,
    MessageRow,
    OlmRow,
    OutboxRow,
    OutboxState,
    OwnFreshKey,
    OwnXWing,
    PeerFreshKey,
    PositionRow,
    PutSetting,
    Setting,
    WaitingReason,
    WaitingRow,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import commit
from tests.client.store.samples import (
    ACCOUNTS,
    CONVERSATIONS,
    DEVICES,
    SESSIONS,
    STREAMS,
    conversation,
    message,
)

OLD, NEW, PEER = DEVICES
CONVERSATION = CONVERSATIONS[0]


def own(order: int, state: MessageState = MessageState.QUEUED) -> MessageRow:
    return message(order, device=OLD, account=ACCOUNTS[0], own=True, state=state)


def queued(order: int, state: OutboxState) -> OutboxRow:
    return OutboxRow(order, CONVERSATION, own(order).message, state, 0)


def test_the_last_own_message_becomes_one_of_another_device(store: ClientStore) -> None:
    last = own(3, MessageState.SENT)
    row = conversation()
    commit(store, row, last)
    commit(store, msgspec.structs.replace(row, out_n=7, out_hash=b"h" * 32, out_message=last.message))
    commit(store, BecomeDevice(NEW, OLD, 1))
    tip = store.tip(CONVERSATION, OLD)
    assert tip is not None
    assert (tip.n, tip.hash, tip.order) == (7, b"h" * 32, 3)
    after = store.conversation(CONVERSATION)
    assert after is not None
    assert (after.out_n, after.out_hash, after.out_message) == (0, b"", b"")


def test_what_waited_is_unsure_and_what_is_new_waits_on(store: ClientStore) -> None:
    commit(store, conversation(), own(1), own(2), own(3, MessageState.SENT), own(4))
    commit(
        store,
        queued(1, OutboxState.WAITING),
        queued(2, OutboxState.SEALED),
        queued(3, OutboxState.SENT),
        queued(4, OutboxState.WAITING),
    )
    commit(store, BecomeDevice(NEW, OLD, 4))
    states = [row.state for row in store.history(CONVERSATION, 10, None)]
    assert states == [MessageState.UNSURE, MessageState.UNSURE, MessageState.SENT, MessageState.QUEUED]
    assert [row.order for row in store.outbox(CONVERSATION, OutboxState.WAITING, 10)] == [4]
    assert store.outbox(CONVERSATION, OutboxState.SEALED, 10) == []
    assert store.outbox_row(3) is None
    assert store.message_order(CONVERSATION, NEW, own(4).message) == 4


def test_nothing_that_the_device_alone_may_use_is_left(store: ClientStore) -> None:
    waiting = [
        WaitingRow(stream, 1, ACCOUNTS[1], PEER, b"", b"", WaitingReason.UNKNOWN_DEVICE, 0)
        for stream in (STREAMS[0], STREAMS[2])
    ]
    commit(
        store,
        OwnXWing(1, b"private", 0, 0),
        OwnFreshKey(1, PEER, b"private", 0, 0),
        PeerFreshKey(PEER, 1, b"key", 0),
        OlmRow(SESSIONS[0], ACCOUNTS[1], PEER, b"pickle", 0),
        PositionRow(STREAMS[0], b"life", 9),
        PutSetting(Setting.RUN, b"run"),
        PutSetting(Setting.PICKLE_ROOT, b"root"),
        *waiting,
    )
    commit(store, BecomeDevice(NEW, OLD, 1))
    assert store.own_x_wing(1) is None
    assert store.own_fresh_key(1) is None
    assert store.peer_fresh_key(PEER) is None
    assert store.olm_sessions(PEER) == []
    assert store.olm_known(SESSIONS[0])
    assert store.positions() == []
    assert store.waiting() == []
    assert store.setting(Setting.RUN) is None
    assert store.setting(Setting.PICKLE_ROOT) == b"root"

"""People, leaves and sessions: what each record does to the answers, one promise at a time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.base.ids import AccountId, DeviceId, StreamId, UserName, log_of, mailbox_of
from coterie.client.store.records import (
    AccountRow,
    DropGroupOut,
    DropOlm,
    DropSetting,
    DropWaiting,
    EnvelopeOut,
    GroupOutRow,
    KeptKey,
    MessageAccepted,
    OlmRow,
    OwnXWing,
    PeerDevice,
    PutDraft,
    PutLeaves,
    PutSetting,
    ReadElsewhere,
    ReadTold,
    ReadUpTo,
    Record,
    Setting,
    WaitingReason,
    WaitingRow,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import commit
from tests.client.store.samples import ACCOUNTS, CONVERSATIONS, DEVICES, ENVELOPES, SESSIONS, message

ALICE, BOB = ACCOUNTS


def device(id: DeviceId, account: AccountId, revoked_ms: int = 0, name: str = "") -> PeerDevice:
    return PeerDevice(id, account, name, b"c" * 32, b"e" * 32, 1, revoked_ms, b"first", False)


def account(id: AccountId, name: str, *devices: PeerDevice, seq: int = 1) -> AccountRow:
    return AccountRow(id, UserName(name), seq, b"manifest", devices)


def olm(session: bytes, received_ms: int) -> OlmRow:
    return OlmRow(session, BOB, DEVICES[0], b"pickle", received_ms)


def waiting(stream: StreamId, seq: int, reason: WaitingReason, since_ms: int = 1) -> WaitingRow:
    return WaitingRow(stream, seq, BOB, DEVICES[0], SESSIONS[0], b"entry", reason, since_ms)


def test_settings(store: ClientStore) -> None:
    commit(store, PutSetting(Setting.VAULT, b"1"), PutSetting(Setting.VAULT, b""))
    assert store.setting(Setting.VAULT) == b""
    commit(store, DropSetting(Setting.VAULT), DropSetting(Setting.VAULT))
    assert store.setting(Setting.VAULT) is None


def test_leaves_follow_one_another(store: ClientStore) -> None:
    many = tuple(number.to_bytes(2, "big") for number in range(10_000))
    commit(store, PutLeaves(0, many, b"head 1"))
    assert tuple(store.leaves()) == many
    commit(store, PutLeaves(9_999, (b"a", b"b"), b"head 2"))
    assert tuple(store.leaves()) == (*many[:-1], b"a", b"b")
    assert store.setting(Setting.HEAD) == b"head 2"
    commit(store, PutLeaves(0, (b"of another ledger",), b"head 3"))
    assert list(store.leaves()) == [b"of another ledger"]


@pytest.mark.parametrize("start", [2, -1])
def test_leaves_leave_no_gap(store: ClientStore, start: int) -> None:
    commit(store, PutLeaves(0, (b"1",), b"head"))
    store.begin()
    with pytest.raises(LocalError):
        store.apply((PutLeaves(start, (b"2",), b"head"),))
    store.rollback()


def test_an_account_brings_its_devices_in_its_order(store: ClientStore) -> None:
    first = account(BOB, "bob", device(DEVICES[2], BOB), device(DEVICES[0], BOB, revoked_ms=5))
    commit(store, first)
    assert store.account(BOB) == store.account_named(UserName("bob")) == first
    assert store.live_devices() == [device(DEVICES[2], BOB)]
    second = account(BOB, "bob", device(DEVICES[0], BOB), device(DEVICES[1], BOB, name="new"), seq=2)
    commit(store, second)
    assert store.accounts() == [second]
    assert store.device(DEVICES[2]) is None
    assert store.device(DEVICES[0]) == device(DEVICES[0], BOB)


def test_nobody_takes_a_device_over_by_listing_it(store: ClientStore) -> None:
    bob = account(BOB, "bob", device(DEVICES[0], BOB))
    commit(store, bob)
    commit(store, account(ALICE, "alice", device(DEVICES[0], ALICE)))
    commit(store, replace(bob, seq=2))
    assert store.device(DEVICES[0]) == device(DEVICES[0], BOB)
    assert store.account(BOB) == replace(bob, seq=2)
    assert [each.account for each in store.live_devices()] == [ALICE, BOB]


def test_the_newer_of_two_accounts_has_the_name(store: ClientStore) -> None:
    old, new = account(ALICE, "alice", seq=4), account(BOB, "alice", seq=5)
    commit(store, new, old)
    assert store.account_named(UserName("alice")) == new
    assert store.accounts() == [old, new]


def test_the_current_x_wing_is_the_one_not_replaced(store: ClientStore) -> None:
    commit(
        store, OwnXWing(1, b"private", 10, 0), OwnXWing(2, b"private", 20, 0), OwnXWing(1, b"private", 10, 20)
    )
    assert store.current_x_wing() == OwnXWing(2, b"private", 20, 0)
    assert store.own_x_wing(1) == OwnXWing(1, b"private", 10, 20)


def test_olm_sessions_are_forgotten_but_known(store: ClientStore) -> None:
    commit(store, olm(b"1", 10), olm(b"2", 30), olm(b"3", 20))
    assert [row.session for row in store.olm_sessions(DEVICES[0])] == [b"2", b"3", b"1"]
    commit(store, olm(b"1", 40), DropOlm(b"2"), DropOlm(b"never there"))
    assert [row.session for row in store.olm_sessions(DEVICES[0])] == [b"1", b"3"]
    assert [store.olm_known(session) for session in (b"2", b"never there")] == [True, False]


def test_ending_one_or_all_sending_sessions(store: ClientStore) -> None:
    rows = [GroupOutRow(c, SESSIONS[0], b"pickle", b"", 0, 1) for c in CONVERSATIONS]
    commit(store, *rows, DropGroupOut(CONVERSATIONS[0]))
    assert [store.group_out(c) for c in CONVERSATIONS] == [None, rows[1]]
    commit(store, *rows, DropGroupOut(b""))
    assert [store.group_out(c) for c in CONVERSATIONS] == [None, None]


def test_the_kept_key_with_the_lowest_index(store: ClientStore) -> None:
    keys = [KeptKey(SESSIONS[0], index, b"key", b"", 0, b"", 1, CONVERSATIONS[0]) for index in (7, 2, 5)]
    commit(store, *keys)
    assert store.kept_key(SESSIONS[0]) == keys[1]


def test_envelopes_stay_in_the_order_of_sealing(store: ClientStore) -> None:
    rows = [EnvelopeOut(id, b"", DEVICES[0], b"item", b"", 0) for id in reversed(ENVELOPES)]
    commit(store, *rows, replace(rows[0], item=b"again"))
    assert [row.envelope for row in store.envelopes_out()] == list(reversed(ENVELOPES))


def test_what_waits(store: ClientStore) -> None:
    log, mailbox = log_of(CONVERSATIONS[0]), mailbox_of(DEVICES[0])
    key, unknown = WaitingReason.NO_KEY, WaitingReason.UNKNOWN_DEVICE
    rows = [
        waiting(log, 3, unknown, since_ms=9),
        waiting(log, 2, unknown),
        waiting(mailbox, 8, unknown),
        waiting(log, 7, key),
        waiting(log, 5, key),
    ]
    commit(store, *rows)
    assert [row.seq for row in store.waiting_for_session(log, DEVICES[0], SESSIONS[0])] == [5, 7]
    assert [row.seq for row in store.waiting_for_account(BOB)] == [8, 2, 3]
    assert [row.seq for row in store.waiting()] == [2, 8, 7, 5, 3]
    commit(store, DropWaiting(log, 2), replace(rows[1], seq=7))
    assert [row.seq for row in store.waiting_for_account(BOB)] == [8, 3, 7]


def test_an_index_of_a_session_is_used_once(store: ClientStore) -> None:
    sealed = message(1, session=SESSIONS[0], index=4)
    commit(store, sealed, message(2), message(3))
    assert store.index_used(DEVICES[1], SESSIONS[0], 4)
    assert not store.index_used(DEVICES[1], SESSIONS[0], 5)
    assert not store.index_used(DEVICES[0], SESSIONS[0], 4)
    with pytest.raises(LocalError):
        commit(store, message(4, session=SESSIONS[0], index=4))
    assert store.message(4) is None


@pytest.mark.parametrize(
    "record",
    [
        MessageAccepted(9, 1, 1, b""),
        ReadUpTo(CONVERSATIONS[0], 1),
        ReadElsewhere(CONVERSATIONS[0], 1),
        ReadTold(CONVERSATIONS[0], 1),
        PutDraft(CONVERSATIONS[0], "x"),
    ],
)
def test_a_change_of_nothing_is_a_bug(store: ClientStore, record: Record) -> None:
    store.begin()
    with pytest.raises(LocalError) as raised:
        store.apply((record,))
    assert raised.value.code is Code.USAGE
    store.rollback()

"""The store answers as the model does, through commits, rollbacks, closing and sudden death."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Unavailable
from coterie.client.core.ports import Reads
from coterie.client.store import tables
from coterie.client.store.database import run
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import (
    AccountRow,
    Delivered,
    OutboxState,
    PeerDevice,
    PutSetting,
    Record,
    SeenEnvelope,
    Setting,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store import samples as s
from tests.client.store.model import Conflict, Model
from tests.client.store.model_reads import KEYS
from tests.client.store.places import DATABASE_KEY, commit, write_sample_keys

LIMITS = (1, 3, 50)
NOT_ACCEPTED = (OutboxState.WAITING, OutboxState.SEALED)


def people_and_sessions(reads: Reads) -> list[object]:
    """The answers to every question about settings, people, sessions and positions."""
    return [
        [reads.setting(key) for key in Setting],
        list(reads.leaves()),
        [(reads.account(a), reads.waiting_for_account(a)) for a in s.ACCOUNTS],
        [reads.account_named(name) for name in s.NAMES],
        [
            reads.accounts(),
            reads.live_devices(),
            reads.current_x_wing(),
            reads.own_x_wings(),
            reads.envelopes_out(),
        ],
        [(reads.device(d), reads.peer_keys(d), reads.olm_sessions(d)) for d in s.DEVICES],
        [(reads.own_x_wing(id), reads.own_fresh_key(id)) for id in s.SMALL],
        [reads.newest_fresh_id(), [reads.fresh_keys_unpassed(d) for d in s.DEVICES]],
        [reads.peer_fresh_key(d) for d in s.DEVICES],
        [(reads.olm_known(id), reads.kept_key(id), reads.shares(id)) for id in s.SESSIONS],
        [reads.share_of(id, d) for id in s.SESSIONS for d in s.DEVICES],
        [reads.kept_key_at(id, index) for id in s.SESSIONS for index in s.SMALL],
        [reads.first_waiting_seq(stream, ms) for stream in s.STREAMS for ms in s.SMALL],
        [reads.owed(), [reads.waiting_count(stream, d) for stream in s.STREAMS for d in s.DEVICES]],
        [reads.group_out(c) for c in s.CONVERSATIONS],
        [
            reads.group_in(c, a, d, id)
            for c in s.CONVERSATIONS
            for a in s.ACCOUNTS
            for d in s.DEVICES
            for id in s.SESSIONS
        ],
        [reads.index_used(d, id, index) for d in s.DEVICES for id in s.SESSIONS for index in s.SMALL],
        [reads.envelope_seen(d, envelope) for d in s.DEVICES for envelope in s.ENVELOPES],
        [
            reads.waiting_for_session(stream, d, id)
            for stream in s.STREAMS
            for d in s.DEVICES
            for id in s.SESSIONS
        ],
        [reads.waiting(), reads.positions(), [reads.position(stream) for stream in s.STREAMS]],
    ]


def timeline(reads: Reads) -> list[object]:
    """The answers to every question about conversations, messages and the outbox."""
    return [
        [reads.conversations(), reads.last_order(), reads.outbox_conversations(), reads.sealed_sessions()],
        [(reads.conversation(c), reads.last_message(c), reads.unread(c)) for c in s.CONVERSATIONS],
        [reads.first_unread_seq(c) for c in s.CONVERSATIONS],
        [reads.tip(c, d) for c in s.CONVERSATIONS for d in s.DEVICES],
        [reads.gaps(), [reads.n_used(c, d, n) for c in s.CONVERSATIONS for d in s.DEVICES for n in s.SMALL]],
        [(reads.message(order), reads.outbox_row(order)) for order in s.ORDERS],
        orders(reads),
        orders_expected(reads),
        [(reads.tips(c, limit), reads.history(c, limit, 7)) for c in s.CONVERSATIONS for limit in LIMITS],
        [reads.history(c, 50, None) for c in s.CONVERSATIONS],
        [reads.search(words, limit) for words in (*s.WORDS, "two thr", "o") for limit in LIMITS],
        [reads.outbox(c, state, 3) for c in s.CONVERSATIONS for state in NOT_ACCEPTED],
        [(reads.sealed(c), reads.has_spoken(c)) for c in s.CONVERSATIONS],
        [reads.receipts_due(), [reads.receipts(id) for id in s.SESSIONS]],
        [reads.receipt(id, d) for id in s.SESSIONS for d in s.DEVICES],
        [reads.opened_up_to(id, d, index) for id in s.SESSIONS for d in s.DEVICES for index in s.SMALL],
        [
            reads.written(id, device, low, high)
            for id in s.SESSIONS
            for device in s.DEVICES
            for low in (-1, *s.SMALL)
            for high in s.SMALL
        ],
    ]


def orders(reads: Reads) -> list[int | None]:
    return [
        reads.message_order(c, d, message)
        for c in s.CONVERSATIONS
        for d in s.DEVICES
        for message in s.MESSAGES
    ]


def orders_expected(reads: Reads) -> list[int | None]:
    """The same, after all were looked for together."""
    reads.expect_messages(list(s.MESSAGES))
    return orders(reads)


def repairs(reads: Reads) -> list[object]:
    """The answers to every question about what is not here yet, and what was given again."""
    pairs = [(c, d) for c in s.CONVERSATIONS for d in s.DEVICES]
    return [
        [reads.awaited(), [reads.awaited(c) for c in s.CONVERSATIONS]],
        [reads.awaited_entry(c, d, message) for c, d in pairs for message in (b"", b"\x00")],
        [reads.awaited_runs(c, d) for c, d in pairs],
        [reads.awaited_due(now_ms, limit) for now_ms in s.SMALL for limit in LIMITS],
        [reads.next_asking_ms(), reads.last_kept_order(), reads.undecryptable_now()],
        [reads.waiting_at(stream, seq) for stream in s.STREAMS for seq in s.SMALL],
        [reads.message_by_n(c, d, n) for c, d in pairs for n in s.SMALL],
        [reads.given_times(d, order) for d in s.DEVICES for order in s.ORDERS],
        [reads.given_since(d, since_ms) for d in s.DEVICES for since_ms in s.SMALL],
        [reads.device_since(a, d) for a in s.ACCOUNTS for d in s.DEVICES],
    ]


class StoreAndModel(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.place = ProfilePlace(self.folder / "0", "alice")
        self.place.folder.mkdir()
        self.store = ClientStore.open(self.place, DATABASE_KEY)
        write_sample_keys(self.place)
        self.committed = Model()
        self.applied: Model | None = None
        self.changed = True

    def teardown(self) -> None:
        run(
            self.store._database,
            "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)",
        )
        self.store.close()
        shutil.rmtree(self.folder)

    @precondition(lambda self: self.applied is None)
    @rule()
    def begin(self) -> None:
        self.store.begin()
        self.applied = self.committed.copy()

    @precondition(lambda self: self.applied is not None)
    @rule(records=st.lists(s.any_record, min_size=1, max_size=20))
    def apply(self, records: list[Record]) -> None:
        assert self.applied is not None
        self.changed = True
        for record in records:
            try:
                self.applied.apply(record)
            except Conflict:
                with pytest.raises(LocalError):
                    self._write(record)
                self.rollback()
                return
            self.store.apply((record,))

    def _write(self, record: Record) -> None:
        """A question writes what waits, and what does not fit is refused at the latest then."""
        self.store.apply((record,))
        self.store.last_message(s.CONVERSATIONS[0])

    @precondition(lambda self: self.applied is not None)
    @rule()
    def commit(self) -> None:
        assert self.applied is not None
        self.store.commit()
        self.committed, self.applied = self.applied, None

    @precondition(lambda self: self.applied is not None)
    @rule()
    def rollback(self) -> None:
        self.store.rollback()
        self.applied = None
        self.changed = True

    @rule()
    def close_and_open(self) -> None:
        self.store.close()
        self.applied = None
        self.changed = True
        self.store = ClientStore.open(self.place, DATABASE_KEY)

    @rule()
    def die_and_open(self) -> None:
        """What lies on the disk at this moment is what a killed process leaves."""
        left = self.place.folder.with_name(str(int(self.place.folder.name) + 1))
        shutil.copytree(self.place.folder, left)
        self.store.close()
        self.applied = None
        self.changed = True
        self.place = ProfilePlace(left, "alice")
        self.store = ClientStore.open(self.place, DATABASE_KEY)

    @invariant()
    def store_and_model_agree(self) -> None:
        if self.changed:
            expected = self.applied or self.committed
            assert people_and_sessions(self.store) == people_and_sessions(expected)
            assert timeline(self.store) == timeline(expected)
            assert repairs(self.store) == repairs(expected)
            self.changed = False


@pytest.mark.slow
def test_store_and_model() -> None:
    few = settings(max_examples=8, stateful_step_count=15, deadline=None)
    run_state_machine_as_test(StoreAndModel, settings=few)


@pytest.mark.slow
def test_store_and_model_for_long() -> None:
    many = settings(max_examples=25, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(StoreAndModel, settings=many)


def test_a_column_for_each_field_in_order(store: ClientStore) -> None:
    every = [table for table in vars(tables).values() if isinstance(table, tables.Table)]
    assert {table.kind for table in every} == {*KEYS} - {AccountRow, Delivered} | {PeerDevice}
    for table in every:
        columns = [row[1] for row in run(store._database, f"PRAGMA table_info({table.name})")]
        assert columns == list(table.kind.__struct_fields__)


def test_records_need_a_transaction(store: ClientStore) -> None:
    with pytest.raises(LocalError):
        store.apply((PutSetting(Setting.RUN, b"1"),))
    assert store.setting(Setting.RUN) is None


def test_one_transaction_at_a_time(store: ClientStore) -> None:
    store.begin()
    with pytest.raises(LocalError):
        store.begin()
    store.apply((PutSetting(Setting.RUN, b"1"),))
    store.commit()
    with pytest.raises(LocalError):
        store.commit()
    store.rollback()
    assert store.setting(Setting.RUN) == b"1"


@pytest.mark.parametrize(
    "record",
    [
        s.message(1, sent_ms=1 << 63),
        s.message(1, text="\ud800"),
        SeenEnvelope(s.DEVICES[0], None),  # type: ignore[arg-type]  # what the store must refuse
        PutSetting(Setting.RUN, "text"),  # type: ignore[arg-type]  # what the store must refuse
    ],
    ids=["too large a number", "half a character", "nothing", "another type"],
)
def test_values_that_no_column_takes(store: ClientStore, record: Record) -> None:
    with pytest.raises(LocalError) as raised:
        commit(store, s.message(2), record)
    assert raised.value.code is Code.USAGE
    store.rollback()
    assert store.message(2) is None


def test_a_closed_store_says_so(store: ClientStore) -> None:
    store.close()
    store.close()
    with pytest.raises(LocalError):
        store.begin()
    with pytest.raises(LocalError):
        store.last_order()


def test_a_deleted_order_is_never_used_again(store: ClientStore) -> None:
    commit(store, s.message(7))
    run(store._database, "DELETE FROM message")
    store.rollback()
    assert store.search("hello", 5) == []
    assert store.last_order() == 7


def test_two_stores_of_one_profile(store: ClientStore, place: ProfilePlace) -> None:
    with pytest.raises(Unavailable) as raised:
        ClientStore.open(place, DATABASE_KEY)
    assert raised.value.code is Code.PROFILE_IN_USE

"""Any order of sending, retrying, fetching, adding, revoking and restarting leaves what a model says."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coterie.base.codes import Code
from coterie.base.ids import ConversationId, DeviceId, EnvelopeId, log_of, mailbox_of
from coterie.server.store.records import AppendMessage, ClaimKeys, MoveCursor, PostEnvelopes
from coterie.server.store.results import Appended, Denied, KeysClaimed, LeafAdded, Posted
from coterie.trials.engines.postgres import Engine, database
from tests.contracts.server_store.conftest import postgres_at, sqlite_in
from tests.engines.fixtures import TEMPLATE
from tests.server.town import EVERYONE, NOW_MS, Machine, Resident, denied, save, settle_in

T = TypeVar("T")
PEOPLE = st.integers(0, 2)
ANY = st.integers(0, 1 << 16)


class StoreMachine(RuleBasedStateMachine):
    """Three people, their direct conversations and everyone."""

    engine: ClassVar[Engine | None] = None
    """Of PostgreSQL, where that is what runs."""

    @initialize()
    def found(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.left = contextlib.ExitStack()
        if self.engine is None:
            folder = self.left.enter_context(tempfile.TemporaryDirectory())
            self.open = sqlite_in(Path(folder))
        else:
            self.open = postgres_at(self.left.enter_context(database(self.engine, TEMPLATE)))
        self.store = self.run(self.open())
        self.people = [Resident(name) for name in ("alice", "bob", "carol")]
        self.run(settle_in(self.store, *self.people, one_time=3))
        self.logs: dict[ConversationId, list[bytes]] = {EVERYONE: []}
        self.said: list[tuple[AppendMessage, int]] = []
        self.mail: dict[DeviceId, list[bytes]] = {}
        self.mail_ends: dict[DeviceId, int] = {}
        self.posted: list[PostEnvelopes] = []
        self.claimed: set[bytes] = set()

    def run(self, step: Awaitable[T]) -> T:
        return self.loop.run_until_complete(step)

    def machine(self, person: int, number: int) -> Machine:
        devices = self.people[person].devices
        return devices[number % len(devices)]

    def machines(self) -> list[Machine]:
        return [machine for person in self.people for machine in person.devices]

    @rule(person=PEOPLE, device=ANY, to=st.integers(0, 3))
    def send(self, person: int, device: int, to: int) -> None:
        """With keys first for whom the refusal names, as a client would."""
        sender = self.machine(person, device)
        peer = self.people[to].account if to < 3 else b""
        conversation = self.people[person].direct_with(self.people[to]) if to < 3 else EVERYONE
        message = sender.message(conversation, peer)
        result = self.run(save(self.store, message))
        if isinstance(result, Denied):
            assert result.code is Code.STALE_VIEW
            by_id = {machine.id: machine for machine in self.machines()}
            left_out = tuple(by_id[device_id] for _, device_id in result.devices)
            shared = self.run(save(self.store, sender.share(conversation, peer=peer, left_out=left_out)))
            assert isinstance(shared, Posted)
            result = self.run(save(self.store, message))
        log = self.logs.setdefault(conversation, [])
        log.append(message.message)
        assert isinstance(result, Appended), result
        assert result.seq == len(log)
        sender.last[conversation] = message.message
        self.said.append((message, result.seq))

    @precondition(lambda self: self.said)
    @rule(which=ANY)
    def retry(self, which: int) -> None:
        message, seq = self.said[which % len(self.said)]
        result = self.run(save(self.store, message))
        if any(machine.id == message.device for machine in self.machines()):
            assert result == Appended(seq, log_of(message.conversation), None)
        else:
            assert denied(result) is Code.REVOKED

    @precondition(lambda self: self.said)
    @rule(which=ANY)
    def send_out_of_order(self, which: int) -> None:
        said, _ = self.said[which % len(self.said)]
        sender = next((machine for machine in self.machines() if machine.id == said.device), None)
        if sender is not None:
            stray = sender.message(said.conversation, said.peer, previous=secrets.token_bytes(16))
            assert denied(self.run(save(self.store, stray))) is Code.OUT_OF_ORDER

    @rule(person=PEOPLE, device=ANY, to=PEOPLE, to_device=ANY)
    def post(self, person: int, device: int, to: int, to_device: int) -> None:
        sender, receiver = self.machine(person, device), self.machine(to, to_device)
        envelope = EnvelopeId(secrets.token_bytes(16))
        record = sender.share(None, receiver, envelope=envelope)
        result = self.run(save(self.store, record))
        if denied(result) is Code.MAILBOX_FULL:
            assert len(self.mail[receiver.id]) >= 20
            return
        assert isinstance(result, Posted), result
        self.mail_ends[receiver.id] = self.mail_ends.get(receiver.id, 0) + 1
        assert [entry.seq for _, entry in result.entries] == [self.mail_ends[receiver.id]]
        self.mail.setdefault(receiver.id, []).append(envelope)
        self.posted.append(record)

    @precondition(lambda self: self.posted)
    @rule(which=ANY)
    def post_again(self, which: int) -> None:
        record = self.posted[which % len(self.posted)]
        alive = {machine.id for machine in self.machines()}
        result = self.run(save(self.store, record))
        if record.device in alive and record.items[0].device in alive:
            assert result == Posted(())
        else:
            assert denied(result) in (Code.REVOKED, Code.UNKNOWN_DEVICE)

    @rule(person=PEOPLE, device=ANY, count=st.integers(1, 5))
    def fetch(self, person: int, device: int, count: int) -> None:
        """Take the oldest entries and acknowledge them."""
        machine = self.machine(person, device)
        entries = self.run(self.store.mailbox(machine.id, 0, count, 1 << 20))
        waiting = self.mail.setdefault(machine.id, [])
        assert [entry.envelope for entry in entries] == waiting[:count]
        if entries:
            move = MoveCursor(machine.id, mailbox_of(machine.id), entries[-1].seq)
            self.run(save(self.store, move))
            del waiting[:count]

    @rule(person=PEOPLE)
    def claim(self, person: int) -> None:
        first = self.people[person].devices[0]
        result = self.run(save(self.store, ClaimKeys(((first.account, first.id),), NOW_MS)))
        assert isinstance(result, KeysClaimed)
        for keys in result.keys:
            given = first.id + keys.one_time
            assert not keys.one_time or given not in self.claimed
            self.claimed.add(given)

    @rule(person=PEOPLE, revoke=st.booleans())
    def change_devices(self, person: int, revoke: bool) -> None:
        resident = self.people[person]
        gone = resident.devices[1:2] if revoke else []
        new = [] if revoke else [Machine(resident.account)]
        record = resident.change(*new, revoked=tuple(gone))
        result = self.run(save(self.store, record))
        if denied(result) is Code.TOO_MANY_TRIES:
            return
        assert isinstance(result, LeafAdded), result
        resident.changed(record, result)
        resident.devices = [machine for machine in resident.devices if machine not in gone] + new
        for machine in gone:
            self.mail.pop(machine.id, None)

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.store = self.run(self.open())

    @invariant()
    def logs_are_dense_and_complete(self) -> None:
        for conversation, messages in getattr(self, "logs", {}).items():
            entries = self.run(self.store.log(log_of(conversation), 0, 10_000, 1 << 30))
            assert [entry.seq for entry in entries] == list(range(1, len(messages) + 1))
            assert [entry.message for entry in entries] == messages

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.run(self.store.close())
            self.loop.close()
            self.left.close()


TestAnyOrder = StoreMachine.TestCase
TestAnyOrder.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.slow
def test_any_order_on_postgres(postgres_engine: Engine) -> None:
    class OnPostgres(StoreMachine):
        engine = postgres_engine

    run_state_machine_as_test(OnPostgres, settings=TestAnyOrder.settings)

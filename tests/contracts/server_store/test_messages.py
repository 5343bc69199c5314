"""What every store promises about messages and who must have their keys."""

from __future__ import annotations

import secrets

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import log_of, mailbox_of
from coterie.ledger.manifest import PrekeyKind
from coterie.server.store.protocol import Store
from coterie.server.store.records import (
    PutPrekeys,
    PutRun,
)
from coterie.server.store.results import (
    Appended,
    Denied,
    LeafAdded,
    Opened,
)
from coterie.wire.frames.connection import StreamEnd
from tests.contracts.server_store.conftest import Open
from tests.server.town import (
    EVERYONE,
    NOW_MS,
    Machine,
    Resident,
    denied,
    key,
    log_seqs,
    save,
    say,
    settle_in,
    share,
    talk,
)


@pytest.mark.asyncio
async def test_the_first_key_begins_a_direct_conversation(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    conversation = alice.direct_with(bob)
    stream = log_of(conversation)
    posted = await share(store, alice.device.share(conversation, bob.device, peer=bob.account))
    assert set(posted.opened) == {Opened(alice.device.id, stream, 0), Opened(bob.device.id, stream, 0)}
    result = await save(store, record := alice.device.message(conversation, bob.account))
    assert isinstance(result, Appended)
    assert (result.seq, result.stream, result.opened) == (1, stream, ())
    assert result.entry is not None
    assert (result.entry.message, result.entry.device) == (record.message, alice.device.id)
    assert await store.log(stream, 0, 10, 1 << 20) == (result.entry,)
    ends = await store.stream_ends(bob.device.id, 10)
    assert ends == (
        StreamEnd(mailbox_of(bob.device.id), 0, 1),
        StreamEnd(stream, 0, 1),
        StreamEnd(log_of(EVERYONE), 0, 0),
    )


@pytest.mark.asyncio
async def test_seqs_are_dense_whatever_is_refused_between(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    batch = [alice.device.message(conversation, bob.account)]
    for _ in range(9):
        good = alice.device.message(conversation, bob.account, previous=batch[-1].message)
        stray = alice.device.message(conversation, bob.account, previous=secrets.token_bytes(16))
        batch += [stray, good]
    results = await store.commit(batch)
    accepted = [result.seq for result in results if isinstance(result, Appended)]
    assert accepted == list(range(1, 11))
    assert {denied(result) for result in results} == {None, Code.OUT_OF_ORDER}
    assert await log_seqs(store, conversation) == accepted


@pytest.mark.asyncio
async def test_a_retry_is_answered_with_its_old_seq_and_makes_no_second_entry(
    store: Store, make: Open, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    records = []
    for seq in range(1, 4):
        records.append(record := alice.device.message(conversation, bob.account))
        assert await say(store, alice.device, record) == seq
    stream = log_of(conversation)
    retried = [Appended(seq, stream, None) for seq in range(1, 4)]
    assert await store.commit(records) == retried
    again = await make()
    assert await again.commit(records) == retried
    await again.close()
    assert await log_seqs(store, conversation) == [1, 2, 3]


@pytest.mark.asyncio
async def test_a_retry_is_known_before_anything_else_is_asked(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    first = alice.device.message(conversation, bob.account)
    await say(store, alice.device, first)
    record = bob.change(Machine(bob.account))
    bob.changed(record, await save(store, record))
    next_one = alice.device.message(conversation, bob.account)
    assert denied(await save(store, next_one)) is Code.STALE_VIEW
    assert await save(store, first) == Appended(1, log_of(conversation), None)


@pytest.mark.asyncio
async def test_an_id_used_again_elsewhere_is_a_message_of_its_own(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    record = alice.device.message(alice.direct_with(bob), bob.account)
    await say(store, alice.device, record)
    elsewhere = alice.device.message(alice.direct_with(alice), alice.account, message=record.message)
    assert await say(store, alice.device, elsewhere) == 1
    assert await save(store, record) == Appended(1, log_of(record.conversation), None)


@pytest.mark.asyncio
async def test_a_retry_is_found_behind_many_later_messages_of_everybody(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    await share(store, bob.device.share(alice.direct_with(bob), alice.device))
    conversation = alice.direct_with(bob)
    records = []
    for _ in range(100):
        for sender, peer in ((alice, bob), (bob, alice)):
            records.append(record := sender.device.message(conversation, peer.account))
            assert await say(store, sender.device, record) == len(records)
    for seq in (1, 2, 99, 100, 199, 200):
        assert await save(store, records[seq - 1]) == Appended(seq, log_of(conversation), None)


@pytest.mark.asyncio
async def test_a_message_waits_until_every_entitled_device_has_a_row(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    tablet, phone = Machine(alice.account), Machine(bob.account)
    for resident, machine in ((alice, tablet), (bob, phone)):
        record = resident.change(machine)
        resident.changed(record, await save(store, record))
    conversation = alice.direct_with(bob)
    message = alice.device.message(conversation, bob.account)
    refused = await save(store, message)
    assert isinstance(refused, Denied)
    assert (refused.code, refused.ledger_size) == (Code.STALE_VIEW, 5)
    assert set(refused.devices) == {
        (alice.account, tablet.id),
        (bob.account, bob.device.id),
        (bob.account, phone.id),
    }
    assert await store.stream_ends(phone.id, 10) == (
        StreamEnd(mailbox_of(phone.id), 0, 0),
        StreamEnd(log_of(EVERYONE), 0, 0),
    ), "a refused message begins no conversation"
    await share(store, alice.device.share(conversation, tablet, bob.device, peer=bob.account))
    refused = await save(store, message)
    assert isinstance(refused, Denied)
    assert refused.devices == ((bob.account, phone.id),)
    await share(store, alice.device.share(conversation, left_out=(phone,)))
    assert await say(store, alice.device, message) == 1


@pytest.mark.asyncio
async def test_a_row_counts_for_its_own_session_and_sender_alone(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    bob.device.session = alice.device.session
    assert denied(await save(store, bob.device.message(conversation, alice.account))) is Code.STALE_VIEW
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    alice.device.session = Machine(alice.account).session
    assert denied(await save(store, alice.device.message(conversation, bob.account))) is Code.STALE_VIEW


@pytest.mark.asyncio
async def test_a_device_that_comes_later_is_asked_for_again_but_may_be_spared_once(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    phone = Machine(bob.account)
    record = bob.change(phone)
    bob.changed(record, await save(store, record))
    (end,) = (end for end in await store.stream_ends(phone.id, 10) if end.stream == log_of(conversation))
    assert (end.acknowledged, end.end) == (1, 1), "it begins at the end of the log"
    message = alice.device.message(conversation, bob.account)
    assert denied(await save(store, message)) is Code.STALE_VIEW
    spared = alice.device.message(conversation, bob.account, spared_from=bob.leaf)
    assert await say(store, alice.device, spared) == 2
    unspared = alice.device.message(conversation, bob.account)
    assert denied(await save(store, unspared)) is Code.STALE_VIEW, "only that one message was"


@pytest.mark.asyncio
async def test_a_revoked_device_loses_everything(store: Store, alice: Resident, bob: Resident) -> None:
    await settle_in(store, alice, bob, one_time=1)
    phone = Machine(bob.account)
    record = bob.change(phone)
    bob.changed(record, await save(store, record))
    conversation = alice.direct_with(bob)
    await share(store, alice.device.share(conversation, bob.device, phone, peer=bob.account))
    record = bob.change(revoked=(phone,))
    result = await save(store, record)
    assert isinstance(result, LeafAdded)
    assert result.revoked == (phone.id,)
    bob.changed(record, result)
    row = await store.device(phone.id)
    assert row is not None
    assert row.revoked
    assert await store.mailbox(phone.id, 0, 10, 1 << 20) == ()
    assert await store.stream_ends(phone.id, 10) == (StreamEnd(mailbox_of(phone.id), 0, 1),)
    assert denied(await save(store, phone.message(conversation, alice.account))) is Code.REVOKED
    assert denied(await save(store, phone.share(None, alice.device))) is Code.REVOKED
    assert denied(await save(store, PutRun(phone.id, 1, b"a" * 16))) is Code.REVOKED
    assert denied(await save(store, PutPrekeys(phone.id, (), NOW_MS))) is Code.REVOKED
    gone = await save(store, alice.device.share(None, phone))
    assert gone == Denied(Code.UNKNOWN_DEVICE, devices=((bob.account, phone.id),))
    alice.device.session = Machine(alice.account).session
    await talk(store, alice, bob)
    assert await say(store, alice.device, alice.device.message(conversation, bob.account)) == 1


@pytest.mark.asyncio
async def test_a_dormant_device_holds_nobody_up_until_it_returns(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    later_ms = NOW_MS + limits.DORMANT_AFTER_MS
    await save(
        store, PutPrekeys(alice.device.id, (key(PrekeyKind.X_WING, 5, created_ms=later_ms),), later_ms)
    )
    conversation = alice.direct_with(bob)
    early = alice.device.message(conversation, bob.account, now_ms=later_ms - 1)
    assert denied(await save(store, early)) is Code.STALE_VIEW
    late = alice.device.message(conversation, bob.account, now_ms=later_ms)
    assert await say(store, alice.device, late) == 1
    await save(store, PutPrekeys(bob.device.id, (key(PrekeyKind.X_WING, 5, created_ms=later_ms),), later_ms))
    back = alice.device.message(conversation, bob.account, now_ms=later_ms)
    assert denied(await save(store, back)) is Code.STALE_VIEW


@pytest.mark.asyncio
async def test_only_the_two_of_a_direct_conversation_take_part(
    store: Store, alice: Resident, bob: Resident
) -> None:
    eve = Resident("eve")
    await settle_in(store, alice, bob, eve)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    assert denied(await save(store, eve.device.message(conversation, bob.account))) is Code.NOT_A_MEMBER
    assert denied(await save(store, eve.device.share(conversation, bob.device))) is Code.NOT_A_MEMBER
    unknown = Resident("nobody")
    strange = eve.device.message(eve.direct_with(unknown), unknown.account)
    assert denied(await save(store, strange)) is Code.UNKNOWN_PERSON
    foreign = eve.device.share(unknown.direct_with(bob), bob.device, peer=bob.account)
    assert denied(await save(store, foreign)) is Code.NOT_A_MEMBER
    nowhere = eve.device.message(unknown.direct_with(bob))
    assert denied(await save(store, nowhere)) is Code.NOT_A_MEMBER


@pytest.mark.asyncio
async def test_everyone_reaches_every_device_from_its_first_day(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await share(store, alice.device.share(EVERYONE, bob.device))
    assert await say(store, alice.device, alice.device.message(EVERYONE)) == 1
    carol = Resident("carol")
    await settle_in(store, carol)
    end = (await store.stream_ends(carol.device.id, 10))[-1]
    assert end == StreamEnd(log_of(EVERYONE), 1, 1)
    assert denied(await save(store, alice.device.message(EVERYONE))) is Code.STALE_VIEW


@pytest.mark.asyncio
async def test_above_a_thousand_devices_only_speakers_post_to_everyone(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    crowd = [Resident(f"person{number}") for number in range(1000)]
    await store.commit([each.register() for each in crowd])
    machines = tuple(each.device for each in crowd)
    await share(store, alice.device.share(EVERYONE, left_out=machines))
    assert denied(await save(store, alice.device.message(EVERYONE))) is Code.SPEAKERS_ONLY
    last = crowd[-1]
    last.leaf = 1001
    record = last.change(revoked=(last.device,))
    assert isinstance(await save(store, record), LeafAdded)
    assert await say(store, alice.device, alice.device.message(EVERYONE)) == 1


@pytest.mark.asyncio
async def test_the_first_message_of_a_device_stands_behind_none(
    store: Store, alice: Resident, bob: Resident
) -> None:
    """Also where what was sent before it is refused for another reason than its place: accepted, it would be
    the device's last one, and those before it would be out of order for ever."""
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    before = alice.device.message(conversation, bob.account)
    behind = alice.device.message(conversation, bob.account, previous=before.message)
    assert denied(await save(store, behind)) is Code.OUT_OF_ORDER
    assert await log_seqs(store, conversation) == []
    assert await say(store, alice.device, before) == 1
    assert await say(store, alice.device, behind) == 2

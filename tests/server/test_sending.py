"""What is sent: keys, messages, refusals, claims; on a whole server."""

from __future__ import annotations

import hmac
import secrets

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.ids import ConversationId, log_of
from coterie.ledger.manifest import PrekeyKind, SignedManifest
from coterie.server.policy import REFUSED_VIEWS
from coterie.wire.frames import (
    Accept,
    Accepted,
    Accounts,
    Claim,
    Claimed,
    Envelopes,
    FetchAccounts,
    LedgerGrew,
    LogEntries,
    MailboxEntries,
    PrekeysLow,
    PublishManifest,
    PublishPrekeys,
    Refusal,
)
from coterie.wire.frames.accounts import KnownAccount
from coterie.wire.frames.messages import EnvelopeItem, LeftOutDevice, LogEntry
from coterie.wire.frames.shared import DeviceRef
from tests.ledger.accounts import NOW_MS
from tests.server.house import House, settle
from tests.server.people import ONE_TIME_KEYS, Device, Person
from tests.server.scenes import code, logged_in, registered, two


@pytest.mark.asyncio
async def test_a_message_reaches_the_other_and_its_sender_is_told_as_much(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    send = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    answer = await alices.ask(send)
    batch = await bobs.next(LogEntries)
    assert batch.stream == log_of(alice.direct_with(bob))
    assert (batch.incarnation, batch.mailbox_end) == (house.realm.incarnation, 1)
    (entry,) = batch.entries
    assert (entry.seq, entry.account, entry.device) == (1, alice.account, alice.device.id)
    assert (entry.session, entry.message, entry.ciphertext) == (send.session, send.message, send.ciphertext)
    assert (entry.commitment, entry.server_time_ms) == (send.commitment, NOW_MS)
    said = b"".join(
        (
            prefix(Domain.FRANKING_MAC),
            send.commitment,
            alice.account,
            alice.device.id,
            send.conversation,
            NOW_MS.to_bytes(8, "big"),
        )
    )
    assert entry.mac == hmac.digest(house.realm.secrets.franking, said, "sha256")
    assert answer == Accepted(3, 1, NOW_MS, entry.mac)
    await settle()
    assert alices.waiting(LogEntries) == [], "the answer says all that the entry would"


@pytest.mark.asyncio
async def test_what_a_device_said_comes_to_it_as_an_entry_where_it_stands_behind_others(
    house: House, alice: Person, bob: Person
) -> None:
    """Bob's message and then alice's in one turn: her answer may not pass over his."""
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    share = bob.device.share(conversation, alice.account, alice.device, request=2)
    assert isinstance(await bobs.ask(share), Accepted)
    bobs.say(bob.device.message(conversation, alice.account, request=3))
    alices.say(
        alice.device.message(conversation, bob.account, request=3),
        alice.device.message(conversation, bob.account, request=4),
    )
    answers = [await alices.next(Accepted) for _ in range(2)]
    assert answers == [Accepted(3, 2), Accepted(4, 3)]
    assert [entry.seq for entry in await alices.messages(3)] == [1, 2, 3]
    assert await bobs.next(Accepted) == Accepted(3, 1, NOW_MS, (await _entry(house, conversation, 1)).mac)
    assert [entry.seq for entry in await bobs.messages(2)] == [2, 3]


@pytest.mark.asyncio
async def test_who_is_behind_in_a_log_gets_what_it_said_there_in_its_place(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    share = bob.device.share(conversation, alice.account, alice.device, request=2)
    assert isinstance(await bobs.ask(share), Accepted)
    house.turns.paused(alices.connection, paused=True)
    await bobs.ask(bob.device.message(conversation, alice.account, request=3))
    send = alice.device.message(conversation, bob.account, request=3)
    assert await alices.ask(send) == Accepted(3, 2)
    house.turns.paused(alices.connection, paused=False)
    assert [entry.seq for entry in await alices.messages(2)] == [1, 2]


@pytest.mark.asyncio
async def test_another_device_of_the_sender_gets_the_entry(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    tablet = Device(alice.account)
    alice.signed = alice.with_added(alice.signed, tablet)
    assert isinstance(await alices.ask(PublishManifest(5, alice.signed.pack())), Accepted)
    tablets = house.wire()
    await tablets.sign_in(tablet)
    answer = await alices.ask(alice.device.message(alice.direct_with(bob), bob.account, request=6))
    assert isinstance(answer, Accepted)
    assert answer.mac
    (entry,) = await tablets.messages(1)
    assert (entry.seq, entry.mac) == (1, answer.mac)


@pytest.mark.asyncio
async def test_an_answer_that_was_lost_is_made_up_for_by_the_entry(
    house: House, alice: Person, bob: Person
) -> None:
    """What a device has not acknowledged comes again, own or not."""
    alices, _ = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.message(conversation, bob.account, request=3))
    answer = await alices.ask(alice.device.message(conversation, bob.account, request=4))
    assert isinstance(answer, Accepted)
    assert answer.mac
    alices.acknowledge(log_of(conversation), 1)
    await house.pass_time(limits.ACK_SECONDS + 1)
    alices.hang_up()
    back = house.wire()
    await back.sign_in(alice.device)
    (entry,) = await back.messages(1)
    assert (entry.seq, entry.device, entry.mac) == (2, alice.device.id, answer.mac)


async def _entry(house: House, conversation: ConversationId, seq: int) -> LogEntry:
    (entry,) = await house.store.log(log_of(conversation), seq - 1, 1, 1 << 20)
    return entry


@pytest.mark.asyncio
async def test_a_retry_is_answered_and_not_delivered_again(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    send = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    await alices.ask(send)
    assert await alices.ask(msgspec.structs.replace(send, request=4)) == Accepted(4, 1)
    await bobs.messages(1)
    await settle()
    assert bobs.waiting(LogEntries) == []


@pytest.mark.asyncio
async def test_a_stale_view_names_devices_that_the_ledger_proves(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    phone = Device(bob.account)
    bob.signed = bob.with_added(bob.signed, phone)
    accepted = await bobs.ask(PublishManifest(5, bob.signed.pack()))
    assert isinstance(accepted, Accepted)
    await alices.next(LedgerGrew)
    conversation = alice.direct_with(bob)
    assert isinstance(
        await alices.ask(alice.device.message(conversation, bob.account, request=6)), Accepted
    ), "a device without an X-Wing prekey holds nobody up"
    phones = house.wire()
    await phones.sign_in(phone)
    assert isinstance(await phones.ask(PublishPrekeys(2, phone.prekeys())), Accepted)
    send = alice.device.message(conversation, bob.account, request=7)
    refusal = await alices.ask(send)
    assert refusal == Refusal(7, "stale-view", 0, (DeviceRef(bob.account, phone.id),), accepted.seq + 1)
    assert house.realm.ledger.size >= accepted.seq + 1
    left_out = LeftOutDevice(conversation, alice.device.session, phone.id, "unproven")
    assert isinstance(await alices.ask(Envelopes(8, (), (left_out,))), Accepted)
    assert isinstance(await alices.ask(msgspec.structs.replace(send, request=9)), Accepted)
    assert [entry.seq for entry in await phones.messages(2)] == [1, 2]


@pytest.mark.asyncio
@pytest.mark.parametrize("looked", [True, False])
async def test_those_who_join_between_its_tries_refuse_a_message_a_few_times_and_no_more(
    house: House, alice: Person, bob: Person, looked: bool
) -> None:
    alices, _ = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    send = alice.device.message(conversation, bob.account, request=6)
    for times in range(1, REFUSED_VIEWS + 1):
        came = await _added(house, bob)
        refusal = await alices.ask(send)
        assert isinstance(refusal, Refusal)
        assert [ref.device for ref in refusal.devices] == [came.id]
        left_out = LeftOutDevice(conversation, alice.device.session, came.id, "no-prekey")
        await alices.ask(Envelopes(10 * times, (), (left_out,)))
        size = refusal.ledger_size if looked else refusal.ledger_size - 1
        send = msgspec.structs.replace(send, request=10 * times + 1, ledger_size=size)
    last = await _added(house, bob)
    again = await alices.ask(send)
    if looked:
        assert isinstance(again, Accepted)
        following = alice.device.message(conversation, bob.account, request=100)
        assert code(await alices.ask(following)) is Code.STALE_VIEW, "the next message has to care"
    else:
        assert isinstance(again, Refusal)
        assert [ref.device for ref in again.devices] == [last.id]


async def _added(house: House, person: Person) -> Device:
    device = Device(person.account)
    await (await logged_in(house, person)).ask(person.add_device(device, request=3))
    return device


@pytest.mark.asyncio
async def test_everyone_hears_what_is_said_to_everyone(
    house: House, alice: Person, bob: Person, carol: Person
) -> None:
    await registered(house, alice, bob, carol)
    wires = {person: house.wire() for person in (alice, bob, carol)}
    for person, wire in wires.items():
        await wire.sign_in(person.device)
    everyone = house.realm.everyone
    alices = wires[alice]
    await alices.ask(alice.device.share(everyone, b"", bob.device, carol.device, request=2))
    answer = await alices.ask(alice.device.message(everyone, b"", request=3))
    for person in (bob, carol):
        (entry,) = await wires[person].messages(1)
        assert (entry.seq, entry.account) == (1, alice.account)
        assert answer == Accepted(3, 1, entry.server_time_ms, entry.mac)


@pytest.mark.asyncio
async def test_messages_for_conversations_of_others_are_refused(
    house: House, alice: Person, bob: Person, carol: Person
) -> None:
    alices, _ = await two(house, alice, bob)
    await registered(house, carol)
    foreign = alice.device.message(bob.direct_with(carol), carol.account, request=3)
    assert code(await alices.ask(foreign)) is Code.NOT_A_MEMBER
    disguised = alice.device.message(house.realm.everyone, bob.account, request=4)
    assert code(await alices.ask(disguised)) is Code.NOT_A_MEMBER
    good = alice.device.message(alice.direct_with(bob), bob.account, request=5, previous=b"")
    forged = msgspec.structs.replace(good, membership=bytes(32))
    assert code(await alices.ask(forged)) is Code.NOT_A_MEMBER


@pytest.mark.asyncio
async def test_who_sends_too_much_is_told_when_to_go_on(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    now = house.clock.monotonic_seconds()
    house.realm.rates.messages.take(alice.account, now, limits.MESSAGES_BURST)
    send = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    refusal = await alices.ask(send)
    assert refusal == Refusal(3, "busy", 10)
    house.clock.advance(0.01)
    assert isinstance(await alices.ask(msgspec.structs.replace(send, request=4)), Accepted)


@pytest.mark.asyncio
async def test_envelopes_are_counted_in_rows(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    rates = house.realm.rates
    rates.fan_out.take(alice.account, house.clock.monotonic_seconds(), 20_000 - 2)
    conversation = alice.direct_with(bob)
    three = alice.device.share(conversation, bob.account, *[bob.device] * 3, request=3)
    refusal = await alices.ask(three)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.retry_after_ms) == ("busy", 10)
    house.clock.advance(0.01)
    assert isinstance(await alices.ask(msgspec.structs.replace(three, request=4)), Accepted)


@pytest.mark.asyncio
async def test_an_envelope_counts_for_each_of_its_keys(house: House, alice: Person, bob: Person) -> None:
    alices, _ = await two(house, alice, bob)
    rates = house.realm.rates
    rates.fan_out.take(alice.account, house.clock.monotonic_seconds(), 20_000 - 3)
    keys = several(alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=3), b"2" * 32)
    assert isinstance(await alices.ask(keys), Accepted)
    refusal = await alices.ask(msgspec.structs.replace(keys, request=4))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.retry_after_ms) == ("busy", 10)


@pytest.mark.asyncio
async def test_each_session_of_an_envelope_may_be_sent_by(house: House, alice: Person, bob: Person) -> None:
    """And no other one: the server knows who has which key."""
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    more = (b"2" * 32, b"3" * 32, b"4" * 32)
    share = alice.device.share(conversation, bob.account, bob.device, request=3)
    assert isinstance(await alices.ask(several(share, *more)), Accepted)
    for request, session in enumerate((alice.device.session, *more), 4):
        send = alice.device.message(conversation, bob.account, request=request)
        assert isinstance(await alices.ask(msgspec.structs.replace(send, session=session)), Accepted)
    entries = await bobs.messages(4)
    assert [entry.session for entry in entries] == [alice.device.session, *more]
    send = alice.device.message(conversation, bob.account, request=8)
    refusal = await alices.ask(msgspec.structs.replace(send, session=b"5" * 32))
    assert isinstance(refusal, Refusal)
    assert refusal.code == Code.STALE_VIEW.value
    carried = await bobs.next(MailboxEntries)
    assert len(carried.entries) == 1


def several(frame: Envelopes, *more: bytes) -> Envelopes:
    """The same envelope, with keys of more sessions."""
    (item,) = frame.items
    assert item.share is not None
    share = msgspec.structs.replace(item.share, more=more)
    return msgspec.structs.replace(frame, items=(msgspec.structs.replace(item, share=share),))


@pytest.mark.asyncio
async def test_a_full_lane_is_busy_and_loses_nothing(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    conversation = alice.direct_with(bob)
    count = limits.LANE_FRAMES + 10
    now = house.clock.monotonic_seconds()
    sends = [
        alice.device.message(conversation, bob.account, request=request) for request in range(3, 3 + count)
    ]
    house.realm.rates.messages.take(alice.account, now, 0)
    for send in sends:
        alices.say(send)
    answers = [await alices.next(Refusal) for _ in range(10)]
    assert {answer.code for answer in answers} == {"busy"}
    assert all(answer.retry_after_ms > 0 for answer in answers)
    seen: list[int] = []
    while len(seen) < limits.LANE_FRAMES:
        entries = (await bobs.next(LogEntries)).entries
        seen += [entry.seq for entry in entries]
        bobs.acknowledge(log_of(conversation), seen[-1])
    assert seen == list(range(1, limits.LANE_FRAMES + 1))


@pytest.mark.asyncio
async def test_large_envelopes_stand_alone(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)

    def item(size: int) -> EnvelopeItem:
        return EnvelopeItem(bob.account, bob.device.id, secrets.token_bytes(16), bytes(size), None)

    large = limits.ENVELOPE_BYTES + 1
    assert code(await alices.ask(Envelopes(3, (item(large), item(1))))) is Code.TOO_LARGE
    assert isinstance(await alices.ask(Envelopes(4, (item(large),))), Accepted)
    assert [len(entry.sealed) for entry in await bobs.mail(1)] == [large]
    strange = LeftOutDevice(alice.direct_with(bob), alice.device.session, bob.device.id, "whim")
    assert code(await alices.ask(Envelopes(5, (), (strange,)))) is Code.BAD_FRAME


@pytest.mark.asyncio
async def test_claims_accounts_and_prekeys(house: House, alice: Person, bob: Person) -> None:
    alices, bobs = await two(house, alice, bob)
    ref = DeviceRef(bob.account, bob.device.id)
    given = [await alices.ask(Claim(request, (ref,))) for request in range(10, 14)]
    keys = [answer.keys[0].one_time for answer in given if isinstance(answer, Claimed)]
    assert len(set(keys)) == 4
    assert keys[3] == b""
    assert isinstance(await bobs.ask(PublishPrekeys(3, (bob.device.prekey(PrekeyKind.ONE_TIME),))), Accepted)
    foreign = alice.device.prekey(PrekeyKind.ONE_TIME)
    assert code(await bobs.ask(PublishPrekeys(4, (foreign,)))) is Code.BAD_PREKEY
    accounts = await alices.ask(
        FetchAccounts(
            20, (KnownAccount(bob.account, 0), KnownAccount(bytes(32), 0), KnownAccount(alice.account, 1))
        )
    )
    assert isinstance(accounts, Accounts)
    bobs_record, own_record = accounts.accounts
    assert SignedManifest.unpack(bobs_record.manifests[0]).manifest.account == bob.account
    assert [keys.device for keys in bobs_record.keys] == [bob.device.id]
    assert bobs_record.keys[0].x_wing == given[0].keys[0].x_wing  # type: ignore[union-attr]  # a Claimed
    assert (own_record.account, own_record.manifests) == (alice.account, ())
    assert isinstance(await alices.ask(Accept(21, bob.account)), Accepted)
    assert code(await alices.ask(Accept(22, bytes(32)))) is Code.UNKNOWN_PERSON


@pytest.mark.asyncio
async def test_a_device_is_told_when_its_one_time_keys_run_low(
    house: House, alice: Person, bob: Person
) -> None:
    alices, bobs = await two(house, alice, bob)
    (answer,) = [await alices.ask(Claim(7, (DeviceRef(bob.account, bob.device.id),)))]
    assert isinstance(answer, Claimed)
    told = await bobs.next(PrekeysLow)
    assert told.left == ONE_TIME_KEYS - 1

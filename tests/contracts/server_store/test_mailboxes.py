"""What every store promises about envelopes, cursors, batches, time and restarts."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import EnvelopeId, MessageId, log_of, mailbox_of
from coterie.server.store.protocol import Store
from coterie.server.store.records import (
    MoveCursor,
    PutAccept,
)
from coterie.server.store.results import (
    Appended,
    Denied,
    Done,
    Posted,
)
from coterie.wire.frames.connection import StreamEnd
from tests.contracts.server_store.conftest import Open
from tests.server.town import (
    NOW_MS,
    Machine,
    Resident,
    denied,
    log_seqs,
    save,
    say,
    settle_in,
    share,
    talk,
)


@pytest.mark.asyncio
async def test_what_waits_in_mailboxes_is_what_was_not_acknowledged(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    assert await store.mail_waiting() == 0
    for _ in range(3):
        await share(store, alice.device.share(None, bob.device, envelope=EnvelopeId(secrets.token_bytes(16))))
    assert await store.mail_waiting() == 3
    await save(store, MoveCursor(bob.device.id, mailbox_of(bob.device.id), 2))
    assert await store.mail_waiting() == 1


@pytest.mark.asyncio
async def test_envelopes_are_known_by_sender_and_id(store: Store, alice: Resident, bob: Resident) -> None:
    await settle_in(store, alice, bob)
    envelope = EnvelopeId(secrets.token_bytes(16))
    post = alice.device.share(None, bob.device, envelope=envelope)
    first = await share(store, post)
    assert [(device, entry.seq) for device, entry in first.entries] == [(bob.device.id, 1)]
    assert await share(store, post) == Posted(())
    twice = alice.device.share(None, bob.device, bob.device, envelope=EnvelopeId(secrets.token_bytes(16)))
    assert len((await share(store, twice)).entries) == 1
    own = await share(store, bob.device.share(None, bob.device, envelope=envelope))
    assert [entry.seq for _, entry in own.entries] == [3]
    entries = await store.mailbox(bob.device.id, 0, 10, 1 << 20)
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert entries[0] == first.entries[0][1]
    await save(store, MoveCursor(bob.device.id, mailbox_of(bob.device.id), 3))
    assert await share(store, post) == Posted(()), "also after it was fetched"


@pytest.mark.asyncio
async def test_a_frame_of_envelopes_is_taken_as_a_whole_or_not(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    stranger = Machine(bob.account)
    wrong = Machine(alice.account)
    wrong.id = bob.device.id
    result = await save(store, alice.device.share(None, bob.device, stranger, wrong))
    assert result == Denied(
        Code.UNKNOWN_DEVICE, devices=((bob.account, stranger.id), (alice.account, bob.device.id))
    )
    assert await store.mailbox(bob.device.id, 0, 10, 1 << 20) == ()


@pytest.mark.asyncio
async def test_strangers_fill_little_of_a_mailbox_and_friends_are_let_in(
    store: Store, alice: Resident, bob: Resident
) -> None:
    carol = Resident("carol")
    await settle_in(store, alice, bob, carol)
    for _ in range(20):
        await share(store, alice.device.share(None, bob.device))
    full = await save(store, alice.device.share(None, bob.device))
    assert full == Denied(Code.MAILBOX_FULL, devices=((bob.account, bob.device.id),))
    many = alice.device.share(None, *[carol.device] * 21)
    assert denied(await save(store, many)) is Code.MAILBOX_FULL, "counted within one frame too"
    assert isinstance(await save(store, PutAccept(bob.account, alice.account)), Done)
    await share(store, alice.device.share(None, bob.device))
    for _ in range(20):
        await share(store, alice.device.share(None, carol.device))
    await share(store, carol.device.share(carol.direct_with(alice), alice.device, peer=alice.account))
    await say(store, carol.device, carol.device.message(carol.direct_with(alice), alice.account))
    await share(store, alice.device.share(None, carol.device)), "who posts wants answers"
    unknown = PutAccept(bob.account, Resident("nobody").account)
    assert denied(await save(store, unknown)) is Code.UNKNOWN_PERSON


@pytest.mark.asyncio
async def test_room_comes_back_when_a_mailbox_is_fetched(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    for _ in range(20):
        await share(store, alice.device.share(None, bob.device))
    await save(store, MoveCursor(bob.device.id, mailbox_of(bob.device.id), 5))
    posted = await share(store, alice.device.share(None, *[bob.device] * 5))
    assert [entry.seq for _, entry in posted.entries] == [21, 22, 23, 24, 25]
    assert denied(await save(store, alice.device.share(None, bob.device))) is Code.MAILBOX_FULL
    assert [entry.seq for entry in await store.mailbox(bob.device.id, 0, 100, 1 << 20)] == list(range(6, 26))


@pytest.mark.asyncio
async def test_cursors_move_forward_only_and_not_past_the_end(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    stream = log_of(conversation)
    for _ in range(3):
        await say(store, alice.device, alice.device.message(conversation, bob.account))
    for seq, expected in ((2, 2), (1, 2), (99, 3)):
        await save(store, MoveCursor(bob.device.id, stream, seq))
        await save(store, MoveCursor(bob.device.id, mailbox_of(bob.device.id), seq))
        ends = {end.stream: end for end in await store.stream_ends(bob.device.id, 10)}
        assert ends[stream] == StreamEnd(stream, expected, 3)
        assert ends[mailbox_of(bob.device.id)].acknowledged == 1
    assert isinstance(await save(store, MoveCursor(Machine(bob.account).id, stream, 1)), Done)


@pytest.mark.asyncio
async def test_reading_is_bounded_by_entries_and_bytes(store: Store, alice: Resident, bob: Resident) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    for _ in range(5):
        message = alice.device.message(conversation, bob.account, ciphertext=bytes(100))
        await say(store, alice.device, message)
        await share(store, alice.device.share(None, bob.device, sealed=bytes(100)))
    stream = log_of(conversation)
    assert [each.seq for each in await store.log(stream, 1, 2, 1000)] == [2, 3]
    assert [each.seq for each in await store.log(stream, 0, 10, 250)] == [1, 2]
    assert [each.seq for each in await store.log(stream, 0, 10, 1)] == [1], "one at least"
    assert await store.log(stream, 5, 10, 1000) == ()
    mailbox = await store.mailbox(bob.device.id, 2, 10, 250)
    assert [each.seq for each in mailbox] == [3, 4]


@pytest.mark.asyncio
async def test_a_record_that_cannot_be_saved_does_not_touch_its_neighbours(
    store: Store, alice: Resident, bob: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    one = alice.device.message(conversation, bob.account)
    two = alice.device.message(conversation, bob.account, previous=one.message)
    broken = msgspec.structs.replace(two, message=MessageId(b"x" * 16), ciphertext=object())
    unknown = alice.device.share(None, Machine(bob.account))
    begun_and_denied = alice.device.message(alice.direct_with(Resident("x")), b"x" * 32)
    results = await store.commit([one, broken, unknown, begun_and_denied, two])
    assert [type(result).__name__ for result in results] == [
        "Appended",
        "Broken",
        "Denied",
        "Denied",
        "Appended",
    ]
    assert await log_seqs(store, conversation) == [1, 2]
    assert "AppendMessage could not be saved" in caplog.text


@pytest.mark.asyncio
async def test_everything_is_there_after_a_restart(make: Open, alice: Resident, bob: Resident) -> None:
    store = await make()
    await settle_in(store, alice, bob, one_time=1)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    before = (
        await store.stream_ends(bob.device.id, 10),
        await store.mailbox(bob.device.id, 0, 10, 1 << 20),
        await store.log(log_of(conversation), 0, 10, 1 << 20),
        await store.leaves(0, 10),
    )
    await store.close()
    store = await make()
    assert before == (
        await store.stream_ends(bob.device.id, 10),
        await store.mailbox(bob.device.id, 0, 10, 1 << 20),
        await store.log(log_of(conversation), 0, 10, 1 << 20),
        await store.leaves(0, 10),
    )
    assert await say(store, alice.device, alice.device.message(conversation, bob.account)) == 2
    await store.close()


@pytest.mark.asyncio
async def test_what_everybody_has_read_is_dropped_and_a_retry_is_still_known(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    stream = log_of(conversation)
    records = []
    for _ in range(3):
        records.append(record := alice.device.message(conversation, bob.account))
        await say(store, alice.device, record)
    await save(store, MoveCursor(alice.device.id, stream, 3))
    assert await store.prune(NOW_MS) == 0
    await save(store, MoveCursor(bob.device.id, stream, 2))
    assert await store.prune(NOW_MS) == 2
    assert await log_seqs(store, conversation) == [3]
    assert await store.commit(records) == [Appended(seq, stream, None) for seq in (1, 2, 3)]
    assert await say(store, alice.device, alice.device.message(conversation, bob.account)) == 4


@pytest.mark.asyncio
async def test_after_thirty_days_entries_expire_after_forty_envelopes_and_after_sixty_their_ids(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    stream = log_of(conversation)
    first = alice.device.message(conversation, bob.account)
    await say(store, alice.device, first)
    later_ms = NOW_MS + limits.KEEP_ENTRY_MS + 1
    await say(store, alice.device, alice.device.message(conversation, bob.account, now_ms=later_ms))
    assert await store.prune(later_ms - 2) == 0
    assert await store.prune(later_ms) == 1
    assert await log_seqs(store, conversation) == [2]
    assert len(await store.mailbox(bob.device.id, 0, 10, 1 << 20)) == 1
    assert await store.prune(NOW_MS + limits.KEEP_MAIL_MS + 1) > 0
    assert await store.mailbox(bob.device.id, 0, 10, 1 << 20) == ()
    ends = {end.stream: end.acknowledged for end in await store.stream_ends(bob.device.id, 10)}
    assert (ends[stream], ends[mailbox_of(bob.device.id)]) == (1, 1), "nobody waits for what is gone"
    assert await save(store, first) == Appended(1, stream, None)
    dropped = await store.prune(NOW_MS + limits.KEEP_MESSAGE_ID_MS + 1)
    assert dropped > 0
    assert denied(await save(store, first)) is Code.OUT_OF_ORDER

"""Every quota of docs/protocol.md 3.10, through a real connection, with a clock that the test moves."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import mailbox_of
from coterie.server import policy, turns
from coterie.server.policy import SHARE_LIMITS, MailShare, Tried
from coterie.wire.frames import (
    Accept,
    Accepted,
    Ack,
    Claim,
    Claimed,
    ClientFrame,
    Envelopes,
    FetchLeaves,
    Leaves,
    MailboxEntries,
    Ping,
    Pong,
    PublishManifest,
    PublishPrekeys,
    Refusal,
)
from coterie.wire.frames.messages import EnvelopeItem, LeftOutDevice
from coterie.wire.frames.shared import DeviceRef, Position
from tests.server.doorstep import Doorstep, doorstep_of
from tests.server.people import Device, Person
from tests.server.raw_client import RawClient
from tests.server.scenes import code

STRANGER_ENTRIES = 20


@pytest_asyncio.fixture
async def door(folder: Path) -> AsyncIterator[Doorstep]:
    async with doorstep_of(folder) as opened:
        yield opened


async def answered(client: RawClient, *frames: ClientFrame) -> Refusal | None:
    """Ask one after the other; the refusal of the last, None where it was taken."""
    answer: object = None
    for frame in frames:
        answer = await client.ask(frame)
    return answer if isinstance(answer, Refusal) else None


def about(refusal: Refusal | None, amount: int, per_second: float) -> bool:
    """Whether a busy server asks to wait as long as the bucket takes to fill."""
    assert refusal is not None
    assert refusal.code == Code.BUSY
    return abs(refusal.retry_after_ms / 1000 - amount / per_second) < 0.002


@pytest.mark.asyncio
async def test_messages_a_second_and_at_once(door: Doorstep, alice: Person, bob: Person) -> None:
    alices, _ = await door.move_in(alice, bob)
    conversation = alice.direct_with(bob)
    await alices.ask(alice.device.share(conversation, bob.account, bob.device, request=2))
    burst = int(limits.MESSAGES_BURST)
    refused = 0
    for start in range(0, burst, 500):
        requests = range(10 + start, 10 + start + 500)
        alices.say(*(alice.device.message(conversation, bob.account, request=each) for each in requests))
        refused += sum([isinstance(await alices.next(Accepted), Refusal) for _ in requests])
    assert refused == 0
    last = alice.device.last[conversation]
    more = alice.device.message(conversation, bob.account, request=5)
    assert about(await answered(alices, more), 1, limits.MESSAGES_PER_SECOND)
    alice.device.last[conversation] = last
    door.house.clock.advance(1 / limits.MESSAGES_PER_SECOND)
    assert await answered(alices, alice.device.message(conversation, bob.account, request=6)) is None


@pytest.mark.asyncio
async def test_key_claims(door: Doorstep, alice: Person, bob: Person) -> None:
    alices, bobs = await door.move_in(alice, bob)
    wanted = (DeviceRef(bob.account, bob.device.id),) * limits.ENVELOPES_PER_FRAME
    frames = int(limits.CLAIMS_BURST) // len(wanted)
    assert await answered(alices, *(Claim(10 + each, wanted) for each in range(frames))) is None
    assert about(await answered(alices, Claim(5, wanted)), len(wanted), limits.CLAIMS_PER_SECOND)
    assert isinstance(await bobs.ask(Claim(5, (DeviceRef(alice.account, alice.device.id),))), Claimed)
    door.house.clock.advance(len(wanted) / limits.CLAIMS_PER_SECOND)
    assert await answered(alices, Claim(6, wanted)) is None


@pytest.mark.asyncio
async def test_fan_out_is_counted_in_rows(door: Doorstep, alice: Person, bob: Person) -> None:
    alices, _ = await door.move_in(alice, bob)
    conversation, session = alice.direct_with(bob), secrets.token_bytes(32)
    row = LeftOutDevice(conversation, session, bob.device.id, "no-prekey")
    frame = Envelopes(0, (), (row,) * 1000, bob.account)

    def rows(request: int) -> Envelopes:
        return Envelopes(request, frame.items, frame.left_out, frame.to)

    frames = int(policy.FAN_OUT_BURST) // 1000
    assert await answered(alices, *(rows(10 + each) for each in range(frames))) is None
    assert about(await answered(alices, rows(5)), 1000, policy.FAN_OUT_PER_SECOND)
    door.house.clock.advance(1000 / policy.FAN_OUT_PER_SECOND)
    assert await answered(alices, rows(6)) is None


@pytest.mark.asyncio
async def test_fetches(door: Doorstep, alice: Person, bob: Person) -> None:
    alices, bobs = await door.move_in(alice, bob)
    door.house.realm.rates.fetches.take(alice.account, 0.0, limits.FETCHES_BURST - 1)
    assert isinstance(await alices.ask(FetchLeaves(5, 0)), Leaves)
    assert about(await answered(alices, FetchLeaves(6, 0)), 1, limits.FETCHES_PER_SECOND)
    assert isinstance(await bobs.ask(FetchLeaves(5, 0)), Leaves)
    door.house.clock.advance(1 / limits.FETCHES_PER_SECOND)
    assert await answered(alices, FetchLeaves(7, 0)) is None


@pytest.mark.asyncio
async def test_signatures_to_check_are_counted_before_they_are_checked(
    door: Doorstep, alice: Person, bob: Person
) -> None:
    alices, _ = await door.move_in(alice, bob)
    bad = (b"no prekey",) * (2 * limits.ONE_TIME_KEYS)
    frames = int(limits.PREKEYS_BURST) // len(bad)
    asked = [PublishPrekeys(10 + each, bad) for each in range(frames)]
    refusal = await answered(alices, *asked)
    assert refusal is not None
    assert refusal.code == Code.BAD_PREKEY
    assert about(await answered(alices, PublishPrekeys(5, bad)), len(bad), limits.PREKEYS_PER_SECOND)
    unsigned = msgspec.structs.replace(
        alice.with_added(alice.signed, Device(alice.account)), device_signature=bytes(64)
    ).pack()
    tries = [PublishManifest(100 + each, unsigned) for each in range(int(limits.MANIFEST_TRIES_BURST))]
    assert code(await alices.ask(tries[0])) is Code.BAD_MANIFEST
    assert code(await answered(alices, *tries[1:])) is Code.BAD_MANIFEST
    assert code(await alices.ask(PublishManifest(7, unsigned))) is Code.TOO_MANY_TRIES


@pytest.mark.asyncio
async def test_who_loses_a_race_or_repeats_has_made_no_try(
    door: Doorstep, alice: Person, bob: Person
) -> None:
    """The person's day and the server's work are left for what can be taken."""
    alices, _ = await door.move_in(alice, bob)
    won = alice.with_added(alice.signed, Device(alice.account))
    lost = alice.with_added(alice.signed, Device(alice.account)).pack()
    accepted = await alices.ask(PublishManifest(5, won.pack()))
    assert isinstance(accepted, Accepted)
    for request in range(100, 100 + 2 * int(limits.MANIFEST_TRIES_BURST), 2):
        assert code(await alices.ask(PublishManifest(request, lost))) is Code.STALE_MANIFEST
        again = await alices.ask(PublishManifest(request + 1, won.pack()))
        assert again == msgspec.structs.replace(accepted, request=request + 1)
    after_it = alice.with_added(won, Device(alice.account))
    assert isinstance(await alices.ask(PublishManifest(6, after_it.pack())), Accepted)


@pytest.mark.asyncio
async def test_sign_ups_of_an_address(
    door: Doorstep, alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback is exempt, so this one counts as any other address."""
    monkeypatch.setattr(turns, "is_loopback", lambda _: False)
    client = await door.connect()
    for _ in range(int(limits.SIGN_UPS_PER_HOUR) - 1):
        await door.house.realm.tries.take(Tried.SIGN_UP, ("127.0.0.1",), 0.0)
    assert isinstance(await client.ask(alice.sign_up()), Accepted)
    other = await door.connect()
    refusal = await other.ask(bob.sign_up())
    assert code(refusal) is Code.TOO_MANY_TRIES
    assert isinstance(refusal, Refusal)
    assert abs(refusal.retry_after_ms / 1000 - 3600 / limits.SIGN_UPS_PER_HOUR) < 0.002


def letters(to: Device, count: int, request: int) -> Envelopes:
    """Envelopes that carry no session's key."""
    items = (EnvelopeItem(to.account, to.id, secrets.token_bytes(16), b"sealed", None) for _ in range(count))
    return Envelopes(request, tuple(items))


@pytest.mark.asyncio
async def test_a_stranger_has_twenty_places_in_a_mailbox(door: Doorstep, alice: Person, bob: Person) -> None:
    alices, bobs = await door.move_in(alice, bob)
    assert await answered(alices, letters(bob.device, STRANGER_ENTRIES, 10)) is None
    refusal = await answered(alices, letters(bob.device, 1, 11))
    assert refusal is not None
    assert (refusal.code, refusal.devices) == (
        Code.MAILBOX_FULL.value,
        (DeviceRef(bob.account, bob.device.id),),
    )
    assert isinstance(await bobs.ask(Accept(5, alice.account)), Accepted)
    assert await answered(alices, letters(bob.device, 1, 12)) is None, "now accepted, another share"


@pytest.mark.asyncio
async def test_one_accepted_sender_has_a_third_of_that_share_and_room_again_once_it_is_read(
    door: Doorstep, alice: Person, bob: Person
) -> None:
    alices, bobs = await door.move_in(alice, bob)
    assert isinstance(await bobs.ask(Accept(5, alice.account)), Accepted)
    await bobs.close()
    third = SHARE_LIMITS[MailShare.ACCEPTED].entries // 3
    frames = [letters(bob.device, 100, 10 + each) for each in range(third // 100)]
    assert await answered(alices, *frames) is None
    assert code(await answered(alices, letters(bob.device, 1, 5))) is Code.MAILBOX_FULL
    reader = await door.connect()
    ready = await reader.sign_in(bob.device)
    end = ready.ends[0].end
    assert end == third, "what was refused is not there, what was taken is"
    read = 0
    while read < 100:
        read = (await reader.next(MailboxEntries)).entries[-1].seq
    reader.say(Ack((Position(mailbox_of(bob.device.id), door.house.realm.incarnation, read),)), Ping(1))
    await reader.next(Pong)
    await door.house.pass_time(2)
    assert await answered(alices, letters(bob.device, 50, 6), letters(bob.device, 50, 7)) is None

"""A client that lies in every field of every frame: an answer or the end of its connection, never a bug of
ours, and nobody else is troubled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import get_args

import msgspec
import pytest

from coterie.base.ids import mailbox_of
from coterie.wire.codec import LENGTH_BYTES, VERSIONS
from coterie.wire.frames import (
    Accept,
    Accepted,
    Ack,
    AddDevice,
    AskApproval,
    Claim,
    ClientFrame,
    DeleteAccount,
    EndApproval,
    Envelopes,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Hello,
    LoginProve,
    LoginStart,
    OfferManifests,
    OfferVault,
    Ping,
    Pong,
    ProveDevice,
    PublishManifest,
    PublishPrekeys,
    RelayApproval,
    Send,
    ShowHead,
    SignUp,
    Succeed,
    Sync,
    TellHealth,
    WatchApprovals,
)
from coterie.wire.frames.accounts import KnownAccount
from coterie.wire.frames.messages import LeftOutDevice
from coterie.wire.frames.offers import OfferedManifests
from coterie.wire.frames.shared import DeviceRef, Position
from tests.mutants import mutants
from tests.server.house import TLS_KEY, House, Wire, settle
from tests.server.people import Device, Person
from tests.server.scenes import logged_in, registered

Begin = Callable[[], object]


class Liars:
    """True frames of alice for bob, and connections as far on as each of them needs."""

    def __init__(self, house: House, alice: Person, bob: Person) -> None:
        self._house = house
        self._alice = alice
        self._bob = bob

    def true(self, wire: Wire) -> dict[type, ClientFrame]:
        alice, bob = self._alice, self._bob
        conversation = alice.direct_with(bob)
        device, positions = alice.device, (Position(mailbox_of(alice.device.id), wire.incarnation, 0),)
        share = device.share(conversation, bob.account, bob.device, request=9)
        offered = OfferedManifests((alice.signed.pack(),), b"", b"leaf", 1, (bytes(32),))
        left_out = (LeftOutDevice(conversation, device.session, bob.device.id, "no-prekey"),)
        return {
            Hello: Hello(VERSIONS),
            SignUp: alice.sign_up(request=9),
            LoginStart: LoginStart(9, alice.name),
            LoginProve: LoginProve(9, alice.name, alice.auth_key),
            AddDevice: AddDevice(9, alice.signed.pack(), device.prekeys()),
            ProveDevice: device.prove(wire.challenge, TLS_KEY, request=9),
            Sync: Sync(positions),
            PublishPrekeys: PublishPrekeys(9, device.prekeys()),
            PublishManifest: PublishManifest(9, alice.signed.pack(), alice.vault),
            DeleteAccount: DeleteAccount(9, bob.deletion().pack()),
            Succeed: bob.succeed(alice.identity, request=9),
            FetchVault: FetchVault(9),
            FetchAccounts: FetchAccounts(9, (KnownAccount(bob.account, 0),)),
            FetchLeaves: FetchLeaves(9, 0),
            Claim: Claim(9, (DeviceRef(bob.account, bob.device.id),)),
            Envelopes: msgspec.structs.replace(share, left_out=left_out),
            Send: device.message(conversation, bob.account, request=9),
            Accept: Accept(9, bob.account),
            Ack: Ack(positions),
            Ping: Ping(9, positions),
            TellHealth: TellHealth(1, 2),
            AskApproval: AskApproval(9, alice.name, b"r" * 16, b"request"),
            WatchApprovals: WatchApprovals(9, 60),
            RelayApproval: RelayApproval(b"r" * 16, b"answer"),
            EndApproval: EndApproval(b"r" * 16),
            ShowHead: ShowHead(9, self._house.realm.ledger.head),
            OfferManifests: OfferManifests(9, (offered,), self._house.realm.ledger.head),
            OfferVault: OfferVault(9, alice.vault, alice.auth_key, alice.auth_key),
        }

    async def ready_for(self, kind: type) -> Wire:
        """A connection on which a frame of this kind may be said."""
        house, alice = self._house, self._alice
        if kind is Hello:
            return house.wire()
        if kind is AddDevice:
            return await logged_in(house, alice)
        if kind in (SignUp, LoginStart, LoginProve, ProveDevice, AskApproval, ShowHead):
            wire = house.wire()
            await wire.greet()
            if kind is LoginProve:
                await wire.ask(LoginStart(1, alice.name))
            return wire
        wire = house.wire()
        await wire.sign_in(alice.device, sync=kind is not Sync)
        return wire


def _bytes(frame: object) -> bytes:
    try:
        data = msgspec.msgpack.encode(frame)
    except OverflowError:
        data = b"\xc0"
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.parametrize("kind", get_args(ClientFrame), ids=lambda kind: kind.__name__)
async def test_whatever_stands_in_a_frame_others_go_on(
    house: House, alice: Person, bob: Person, kind: type[ClientFrame], caplog: pytest.LogCaptureFixture
) -> None:
    await registered(house, alice, bob)
    bobs = house.wire()
    await bobs.sign_in(bob.device)
    assert isinstance(await bobs.ask(Accept(2, alice.account)), Accepted)
    liars = Liars(house, alice, bob)
    wire = await liars.ready_for(kind)
    for place, _ in mutants(liars.true(wire)[kind]):
        if wire.reason is not None or kind not in STAYS:
            wire.hang_up()
            wire = await liars.ready_for(kind)
        alice.device.last.clear()
        false = dict(mutants(liars.true(wire)[kind]))[place]
        wire.deaf = True
        wire.throw(_bytes(false))
        bobs.say(Ping(1))
        await bobs.next(Pong)
        wrong = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert wrong == [], place
    await house.pass_time(2)
    assert bobs.reason is None
    again = house.wire()
    await again.sign_in(alice.device)
    share = alice.device.share(alice.direct_with(bob), bob.account, bob.device, request=2)
    assert isinstance(await again.ask(share), Accepted)


STAYS = (
    PublishPrekeys,
    PublishManifest,
    FetchAccounts,
    FetchLeaves,
    Claim,
    Envelopes,
    Send,
    Accept,
    Ack,
    Ping,
    WatchApprovals,
    RelayApproval,
    EndApproval,
)
"""Frames after which a connection stands where it stood."""


@pytest.mark.asyncio
async def test_a_device_of_nobody_is_not_believed(house: House, alice: Person, bob: Person) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.greet()
    stranger = Device(alice.account)
    wire.say(stranger.prove(wire.challenge, TLS_KEY))
    await settle()
    assert wire.connection.caller.signed_in is None

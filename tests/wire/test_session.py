"""Session: the ways a connection may go, and two ends that never lose each other on any of them."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire import codec
from coterie.wire.frames import Frame
from coterie.wire.frames.accounts import AddDevice, LoginProve, LoginStart, Salt, SignUp, VaultOpened
from coterie.wire.frames.connection import Hello, Ping, Pong, ProveDevice, Ready, ServerLimits, Sync, Welcome
from coterie.wire.frames.messages import Accept, Ack, LogEntries, Presence, Send
from coterie.wire.frames.shared import Accepted, Position, Refusal
from coterie.wire.session import HANDSHAKE, TRANSITIONS, Direction, Role, Session, State
from tests.wire.frame_strategies import CLIENT_FRAMES, SERVER_FRAMES, frames_of

ID16 = bytes(range(16))
ID32 = bytes(range(32))
LOG = b"l" + ID16

HELLO = Hello(versions=codec.VERSIONS)
WELCOME = Welcome(
    version=1,
    incarnation=ID16,
    identity=b"identity",
    chain=(),
    statement=b"statement",
    challenge=ID32,
    limits=ServerLimits(frame_bytes=1, text_bytes=1, envelope_bytes=1),
)
SIGN_UP = SignUp(1, "alice", b"manifest", b"vault", ID32, ID32, ())
LOGIN_START = LoginStart(1, "alice")
SALT = Salt(1, ID16, 65536, 3, 4)
LOGIN_PROVE = LoginProve(2, "alice", ID32)
VAULT_OPENED = VaultOpened(2, b"vault", b"manifest")
ADD_DEVICE = AddDevice(3, b"manifest", ())
PROVE = ProveDevice(4, ID32, ID16, 1, ID16, bytes(64))
READY = Ready(4, (), 0, b"", 0)
SYNC = Sync(())
ACCEPTED = Accepted(1, 0)
REFUSED = Refusal(1, Code.BUSY)
GOODBYE = Refusal(0, Code.BUSY)
SEND = Send(5, ID16, b"", ID32, ID16, b"", b"c", ID32, ID32, 1)

SIGN_IN = (HELLO, WELCOME, PROVE, READY)
SIGN_UP_WAY = (HELLO, WELCOME, SIGN_UP, ACCEPTED, PROVE, READY, SYNC)
LOGIN_WAY = (
    HELLO,
    WELCOME,
    LOGIN_START,
    SALT,
    LOGIN_PROVE,
    VAULT_OPENED,
    ADD_DEVICE,
    ACCEPTED,
    PROVE,
    READY,
    SYNC,
)


class Pair:
    """Both ends of one connection; every frame said is heard at once."""

    def __init__(self) -> None:
        self.client = Session(Role.CLIENT)
        self.server = Session(Role.SERVER)

    def say(self, *frames: Frame) -> State:
        """Let the end that may say each frame say it; the state both are in afterwards."""
        for frame in frames:
            from_client = isinstance(frame, CLIENT_FRAMES)
            speaker: Session[Any, Any] = self.client if from_client else self.server
            listener: Session[Any, Any] = self.server if from_client else self.client
            assert listener.receive(speaker.send(frame)) == (frame,)
            assert self.client.state is self.server.state
        return self.client.state


@pytest.mark.parametrize("way", [SIGN_UP_WAY, LOGIN_WAY, (*SIGN_IN, SYNC)])
def test_the_three_ways_in_lead_to_live(way: tuple[Frame, ...]) -> None:
    assert Pair().say(*way) is State.LIVE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((SIGN_UP,), State.WELCOMED),
        ((LOGIN_START,), State.WELCOMED),
        ((LOGIN_START, SALT, LOGIN_PROVE), State.WELCOMED),
        ((LOGIN_START, SALT, LOGIN_PROVE, VAULT_OPENED, ADD_DEVICE), State.VAULT_OPEN),
        ((PROVE,), State.WELCOMED),
        ((SIGN_UP, ACCEPTED, PROVE), State.WELCOMED),
        ((PROVE, READY), State.READY),
        ((PROVE, READY, SYNC, SEND), State.LIVE),
    ],
)
def test_after_a_refusal_a_person_can_try_again(before: tuple[Frame, ...], after: State) -> None:
    pair = Pair()
    pair.say(HELLO, WELCOME, *before)
    assert pair.say(REFUSED) is after
    again: dict[State, Frame] = {
        State.WELCOMED: LOGIN_START,
        State.VAULT_OPEN: ADD_DEVICE,
        State.READY: SYNC,
        State.LIVE: SEND,
    }
    pair.say(again[after])


def test_a_stale_manifest_is_fetched_again_on_the_same_connection() -> None:
    pair = Pair()
    pair.say(*LOGIN_WAY[:7], REFUSED, LOGIN_START, SALT, LOGIN_PROVE, VAULT_OPENED)
    assert pair.say(ADD_DEVICE, ACCEPTED) is State.ENROLLED


@pytest.mark.parametrize("frame", [SIGN_UP, PROVE, LOGIN_START, SYNC, SEND, Ping(1)])
def test_nothing_but_hello_goes_out_before_welcome(frame: Any) -> None:
    for said in ([], [HELLO]):
        client = Session(Role.CLIENT)
        if said:
            client.send(*said)
        state = client.state
        with pytest.raises(LocalError) as caught:
            client.send(frame)
        assert caught.value.code is Code.UNEXPECTED_FRAME
        assert client.state is state


def test_hello_and_more_in_one_message_is_heard_by_nobody() -> None:
    server = Session(Role.SERVER)
    with pytest.raises(RemoteError) as caught:
        server.receive(codec.encode(HELLO, SIGN_UP))
    assert caught.value.code is Code.UNEXPECTED_FRAME
    assert server.state is State.BROKEN


@pytest.mark.parametrize("frame", [HELLO, SIGN_UP, LOGIN_START, LOGIN_PROVE, ADD_DEVICE, PROVE, SYNC])
def test_the_way_in_is_over_once_live(frame: Frame) -> None:
    pair = Pair()
    pair.say(*SIGN_IN, SYNC)
    with pytest.raises(RemoteError):
        pair.server.receive(codec.encode(frame))


@pytest.mark.parametrize("frame", [LogEntries(LOG, ID16, (), 0), Presence((), True)])
def test_a_client_hears_nothing_of_others_before_it_is_signed_in(frame: Frame) -> None:
    pair = Pair()
    pair.say(HELLO, WELCOME)
    with pytest.raises(RemoteError):
        pair.client.receive(codec.encode(frame))


def test_delivery_begins_with_sync() -> None:
    pair = Pair()
    pair.say(*SIGN_IN, Presence((), True), Accept(6, ID32))
    with pytest.raises(LocalError):
        pair.server.send(LogEntries(LOG, ID16, (), 0))
    with pytest.raises(LocalError):
        pair.client.send(Ack((Position(LOG, ID16, 1),)))
    pair.say(SYNC, LogEntries(LOG, ID16, (), 0), Ack((Position(LOG, ID16, 1),)))


def test_no_common_version() -> None:
    server = Session(Role.SERVER)
    with pytest.raises(RemoteError) as caught:
        server.receive(codec.encode(Hello(versions=(2, 99))))
    assert caught.value.code is Code.VERSION
    client = Session(Role.CLIENT)
    client.send(HELLO)
    assert client.receive(server.send(Refusal(0, Code.VERSION))) == (Refusal(0, Code.VERSION),)
    assert client.state is server.state is State.CLOSED


def test_a_version_that_nobody_offered() -> None:
    client = Session(Role.CLIENT)
    client.send(HELLO)
    with pytest.raises(RemoteError):
        client.receive(codec.encode(Welcome(2, ID16, b"", (), b"", ID32, WELCOME.limits)))
    with pytest.raises(LocalError):
        Session(Role.CLIENT).send(Hello(versions=(2,)))


def test_garbage_breaks_the_session_for_good() -> None:
    pair = Pair()
    pair.say(*SIGN_IN, SYNC)
    for data in (b"garbage", codec.encode(SEND), b""):
        with pytest.raises(RemoteError):
            pair.server.receive(data)
        assert pair.server.state is State.BROKEN
    with pytest.raises(LocalError):
        pair.server.send(ACCEPTED)
    assert pair.client.receive(pair.server.send(Refusal(0, Code.BAD_FRAME)))
    assert pair.server.state is pair.client.state is State.CLOSED


@pytest.mark.parametrize("so_far", [(), (HELLO,), (HELLO, WELCOME, SIGN_UP), SIGN_IN, (*SIGN_IN, SYNC)])
def test_a_server_may_end_any_connection_and_is_then_deaf(so_far: tuple[Frame, ...]) -> None:
    pair = Pair()
    pair.say(*so_far, GOODBYE)
    assert pair.client.state is State.CLOSED
    assert pair.server.receive(codec.encode(SEND)) == ()
    assert pair.client.receive(b"whatever") == ()
    with pytest.raises(LocalError):
        pair.server.send(GOODBYE)
    with pytest.raises(LocalError):
        pair.client.send(Ping(1))


@pytest.mark.parametrize("frame", [Accept(0, ID32), SIGN_UP.__class__(0, "a", b"m", b"", ID32, ID32, ())])
def test_no_request_is_the_connection_itself(frame: Any) -> None:
    pair = Pair()
    pair.say(HELLO, WELCOME)
    if isinstance(frame, Accept):
        pair.say(PROVE, READY)
    with pytest.raises(RemoteError):
        pair.server.receive(codec.encode(frame))
    with pytest.raises(LocalError):
        pair.client.send(frame)


def test_one_frame_is_sent_as_any_number_of_them() -> None:
    pair = Pair()
    pair.say(*SIGN_IN, SYNC)
    assert pair.server.receive(pair.client.send_one(Ping(1))) == (Ping(1),)
    for never in (Accepted(0, 1), WELCOME):
        with pytest.raises(LocalError):
            pair.server.send_one(never)
    with pytest.raises(LocalError):
        pair.client.send_one(Accept(0, ID32))
    with pytest.raises(RemoteError):
        pair.client.receive(codec.encode(Accepted(0, 1)))
    assert pair.client.state is State.BROKEN
    pair.server.send_one(GOODBYE)
    assert pair.server.state is State.CLOSED
    with pytest.raises(LocalError):
        pair.server.send_one(Pong(1, 0))


def test_a_client_cannot_refuse() -> None:
    client: Session[Any, Any] = Session(Role.CLIENT)
    for refusal in (GOODBYE, REFUSED):
        with pytest.raises(LocalError):
            client.send(refusal)


def test_a_message_that_cannot_be_encoded_changes_no_state() -> None:
    pair = Pair()
    pair.say(HELLO, WELCOME)
    with pytest.raises(LocalError):
        pair.client.send(LoginStart(1, "\ud800"))
    assert pair.client.state is State.WELCOMED


def test_send_all_says_everything_in_order() -> None:
    pair = Pair()
    pair.say(*SIGN_IN, SYNC)
    pings = [Ping(n) for n in range(3000)]
    messages = pair.client.send_all(pings)
    assert len(messages) == 3
    assert [frame for message in messages for frame in pair.server.receive(message)] == pings
    assert pair.client.send_all([]) == []


def test_the_table_names_every_frame_in_its_own_direction() -> None:
    said = {(way, frame) for (_, way, frame) in TRANSITIONS}
    assert said == {(Direction.TO_SERVER, frame) for frame in CLIENT_FRAMES} | {
        (Direction.TO_CLIENT, frame) for frame in SERVER_FRAMES
    }
    assert HANDSHAKE.items() <= TRANSITIONS.items()


def test_every_state_can_be_reached_and_left() -> None:
    ends = {State.BROKEN, State.CLOSED}
    assert {then for (state, _, _), then in TRANSITIONS.items() if state is not then} == set(State) - ends - {
        State.NEW
    }
    assert {state for (state, _, _), then in TRANSITIONS.items() if state is not then} | {State.LIVE} == set(
        State
    ) - ends


class TwoEnds(RuleBasedStateMachine):
    """Both ends say whatever their own table allows; messages stay under way for as long as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Session(Role.CLIENT)
        self.server = Session(Role.SERVER)
        self.to_server: deque[tuple[bytes, tuple[Frame, ...]]] = deque()
        self.to_client: deque[tuple[bytes, tuple[Frame, ...]]] = deque()

    def _draw(self, data: st.DataObject, state: State, way: Direction) -> Frame | None:
        kinds = [kind for (at, direction, kind) in TRANSITIONS if at is state and direction is way]
        if not kinds:
            return None
        frame = data.draw(st.sampled_from(kinds).flatmap(frames_of))
        match frame:
            case Hello():
                return HELLO
            case Welcome():
                return WELCOME
            case _ if getattr(frame, "request", 1) == 0:
                return None
            case _:
                return frame

    @rule(data=st.data())
    def client_speaks(self, data: st.DataObject) -> None:
        frame: Any = self._draw(data, self.client.state, Direction.TO_SERVER)
        if frame is not None:
            self.to_server.append((self.client.send(frame), (frame,)))

    @rule(data=st.data())
    def server_speaks(self, data: st.DataObject) -> None:
        frame: Any = self._draw(data, self.server.state, Direction.TO_CLIENT)
        if frame is not None:
            self.to_client.append((self.server.send(frame), (frame,)))

    @precondition(lambda self: self.to_server)
    @rule()
    def server_hears(self) -> None:
        message, frames = self.to_server.popleft()
        assert self.server.receive(message) == (() if self.server.state is State.CLOSED else frames)

    @precondition(lambda self: self.to_client)
    @rule()
    def client_hears(self) -> None:
        message, frames = self.to_client.popleft()
        assert self.client.receive(message) == frames

    @precondition(lambda self: self.server.state is State.LIVE and self.client.state is State.LIVE)
    @rule()
    def server_ends_it(self) -> None:
        self.to_client.append((self.server.send(GOODBYE), (GOODBYE,)))

    @invariant()
    def nobody_breaks(self) -> None:
        assert State.BROKEN not in (self.client.state, self.server.state)

    @invariant()
    def with_nothing_under_way_both_stand_at_the_same_place(self) -> None:
        if not self.to_server and not self.to_client:
            assert self.client.state is self.server.state


TestTwoEnds = TwoEnds.TestCase
TestTwoEnds.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_pong_answers_even_while_signing_up() -> None:
    pair = Pair()
    assert pair.say(HELLO, WELCOME, Ping(7), SIGN_UP, Pong(7, 0)) is State.SIGNING_UP

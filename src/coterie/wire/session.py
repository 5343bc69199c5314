"""One connection without its socket: which frame may be said when, for both ends (docs/protocol.md 3.2).

Both ends hold the same states and the same table. A state is left by the frame that is sent or received, so
while frames are under way the ends may differ; the table allows for every such crossing. Where a request is
refused before the device is signed in, the table leads back to where a person can try again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, cast, overload

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire import codec
from coterie.wire.frames import ClientFrame, Frame, ServerFrame
from coterie.wire.frames.accounts import (
    Accounts,
    AddDevice,
    Claim,
    Claimed,
    DeleteAccount,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Leaves,
    LedgerGrew,
    LoginProve,
    LoginStart,
    PrekeysLow,
    PublishManifest,
    PublishPrekeys,
    Salt,
    SignUp,
    Succeed,
    VaultGiven,
    VaultOpened,
)
from coterie.wire.frames.approval import (
    ApprovalAsked,
    ApprovalEnded,
    ApprovalRelayed,
    AskApproval,
    EndApproval,
    RelayApproval,
    WatchApprovals,
)
from coterie.wire.frames.connection import (
    Hello,
    Ping,
    Pong,
    ProveDevice,
    Ready,
    ShowHead,
    Sync,
    TellHealth,
    Welcome,
)
from coterie.wire.frames.messages import Accept, Ack, Envelopes, LogEntries, MailboxEntries, Presence, Send
from coterie.wire.frames.offers import OfferManifests, OfferVault
from coterie.wire.frames.shared import Accepted, Refusal


class Role(Enum):
    CLIENT = "client"
    SERVER = "server"


class Direction(Enum):
    TO_SERVER = "to server"
    TO_CLIENT = "to client"


class State(Enum):
    """How far a connection has come; the names say who is expected to speak, and about what."""

    __hash__ = object.__hash__
    """An enum's own goes by the name, in Python; the tables are looked up with every frame."""

    NEW = "new"
    HELLO_SAID = "hello said"
    WELCOMED = "welcomed"
    LEDGER_ASKED = "ledger asked"
    HEAD_SHOWN = "head shown"
    OFFERING = "offering"
    SIGNING_UP = "signing up"
    SALT_ASKED = "salt asked"
    SALTED = "salted"
    PROVING_LOGIN = "proving login"
    VAULT_OPEN = "vault open"
    ADDING_DEVICE = "adding device"
    ASKING_APPROVAL = "asking approval"
    AWAITING_APPROVAL = "awaiting approval"
    ENROLLED = "enrolled"
    PROVING_DEVICE = "proving device"
    READY = "ready"
    LIVE = "live"
    BROKEN = "broken"
    """The other side broke the protocol: a server may still say why."""
    CLOSED = "closed"


Transitions = dict[tuple[State, Direction, type[Frame]], State]
Table = dict[State, dict[type[Frame], State]]

_UP = Direction.TO_SERVER
_DOWN = Direction.TO_CLIENT

HANDSHAKE: Transitions = {
    (State.NEW, _UP, Hello): State.HELLO_SAID,
    (State.HELLO_SAID, _DOWN, Welcome): State.WELCOMED,
    (State.WELCOMED, _UP, SignUp): State.SIGNING_UP,
    (State.WELCOMED, _UP, LoginStart): State.SALT_ASKED,
    (State.WELCOMED, _UP, ProveDevice): State.PROVING_DEVICE,
    (State.WELCOMED, _UP, FetchLeaves): State.LEDGER_ASKED,
    (State.LEDGER_ASKED, _DOWN, Leaves): State.WELCOMED,
    (State.LEDGER_ASKED, _DOWN, Refusal): State.WELCOMED,
    (State.WELCOMED, _UP, ShowHead): State.HEAD_SHOWN,
    (State.HEAD_SHOWN, _DOWN, Accepted): State.WELCOMED,
    (State.HEAD_SHOWN, _DOWN, Refusal): State.WELCOMED,
    (State.WELCOMED, _UP, OfferManifests): State.OFFERING,
    (State.OFFERING, _DOWN, Accepted): State.WELCOMED,
    (State.OFFERING, _DOWN, Refusal): State.WELCOMED,
    (State.SIGNING_UP, _DOWN, Accepted): State.ENROLLED,
    (State.SIGNING_UP, _DOWN, Refusal): State.WELCOMED,
    (State.SALT_ASKED, _DOWN, Salt): State.SALTED,
    (State.SALT_ASKED, _DOWN, Refusal): State.WELCOMED,
    (State.SALTED, _UP, LoginProve): State.PROVING_LOGIN,
    (State.SALTED, _UP, LoginStart): State.SALT_ASKED,
    (State.PROVING_LOGIN, _DOWN, VaultOpened): State.VAULT_OPEN,
    (State.PROVING_LOGIN, _DOWN, Refusal): State.WELCOMED,
    (State.VAULT_OPEN, _UP, AddDevice): State.ADDING_DEVICE,
    (State.VAULT_OPEN, _UP, LoginStart): State.SALT_ASKED,
    (State.ADDING_DEVICE, _DOWN, Accepted): State.ENROLLED,
    (State.ADDING_DEVICE, _DOWN, Refusal): State.VAULT_OPEN,
    (State.WELCOMED, _UP, AskApproval): State.ASKING_APPROVAL,
    (State.ASKING_APPROVAL, _DOWN, Accepted): State.AWAITING_APPROVAL,
    (State.ASKING_APPROVAL, _DOWN, Refusal): State.WELCOMED,
    (State.AWAITING_APPROVAL, _UP, RelayApproval): State.AWAITING_APPROVAL,
    (State.AWAITING_APPROVAL, _UP, EndApproval): State.AWAITING_APPROVAL,
    (State.AWAITING_APPROVAL, _DOWN, ApprovalRelayed): State.AWAITING_APPROVAL,
    (State.AWAITING_APPROVAL, _DOWN, ApprovalEnded): State.WELCOMED,
    (State.WELCOMED, _UP, RelayApproval): State.WELCOMED,
    (State.WELCOMED, _UP, EndApproval): State.WELCOMED,
    (State.ENROLLED, _UP, ProveDevice): State.PROVING_DEVICE,
    (State.PROVING_DEVICE, _DOWN, Ready): State.READY,
    (State.PROVING_DEVICE, _DOWN, Refusal): State.WELCOMED,
    (State.READY, _UP, Sync): State.LIVE,
}
"""Until a device is signed in and has said where it stands."""

_TALKING = tuple(
    state for state in State if state not in (State.NEW, State.HELLO_SAID, State.BROKEN, State.CLOSED)
)
_SIGNED_IN = (State.READY, State.LIVE)
_NO_VERSION_YET = frozenset((State.NEW, State.HELLO_SAID))
_REQUESTS = (
    PublishPrekeys,
    PublishManifest,
    DeleteAccount,
    Succeed,
    FetchAccounts,
    FetchLeaves,
    FetchVault,
    Claim,
    Envelopes,
    Send,
    Accept,
    WatchApprovals,
    RelayApproval,
    EndApproval,
    OfferManifests,
    OfferVault,
)
_ANSWERS = (Accepted, Refusal, Accounts, Leaves, VaultGiven, Claimed)
_NEWS = (Presence, LedgerGrew, PrekeysLow, ApprovalAsked, ApprovalRelayed, ApprovalEnded)

TRANSITIONS: Transitions = {
    **HANDSHAKE,
    **{(state, _UP, Ping): state for state in _TALKING},
    **{(state, _DOWN, Pong): state for state in _TALKING},
    **{(state, _UP, request): state for state in _SIGNED_IN for request in _REQUESTS},
    **{(state, _DOWN, frame): state for state in _SIGNED_IN for frame in _ANSWERS + _NEWS},
    (State.LIVE, _UP, Ack): State.LIVE,
    (State.LIVE, _UP, TellHealth): State.LIVE,
    (State.LIVE, _DOWN, LogEntries): State.LIVE,
    (State.LIVE, _DOWN, MailboxEntries): State.LIVE,
}
"""Every frame that may be said. Besides these, a server may end a connection by a Refusal of request 0: from
every state but CLOSED, and that is all it may say once BROKEN. Requests are numbered from 1 on."""


def _by_state(direction: Direction) -> Table:
    rows: Table = {state: {} for state in State}
    for (state, way, frame), then in TRANSITIONS.items():
        if way is direction:
            rows[state][frame] = then
    return rows


_TO_SERVER = _by_state(_UP)
_TO_CLIENT = _by_state(_DOWN)


def _steady(table: Table) -> frozenset[type[Frame]]:
    return frozenset(kind for kind, then in table[State.LIVE].items() if then is State.LIVE)


_STEADY_TO_SERVER = _steady(_TO_SERVER)
_STEADY_TO_CLIENT = _steady(_TO_CLIENT)
"""What leaves a live connection as it is."""
_LIVE, _CLOSED = State.LIVE, State.CLOSED
"""Looked up once: to find a member of an enum takes as long as a call."""

Heard = TypeVar("Heard", ClientFrame, ServerFrame)
Said = TypeVar("Said", ClientFrame, ServerFrame)


class Session(Generic[Heard, Said]):
    """One end of a connection: bytes in, frames out, and the other way round. Holds no clock and no socket.

    Not safe to be used from two threads.
    """

    __slots__ = ("_decode", "_heard_live", "_hearing", "_said_live", "_saying", "_state", "role")

    @overload
    def __init__(self: Session[ServerFrame, ClientFrame], role: Literal[Role.CLIENT]) -> None: ...
    @overload
    def __init__(self: Session[ClientFrame, ServerFrame], role: Literal[Role.SERVER]) -> None: ...
    def __init__(self, role: Role) -> None:
        self.role = role
        decode = codec.decode_server if role is Role.CLIENT else codec.decode_client
        self._decode: Callable[[bytes], tuple[Heard, ...]] = cast("Any", decode)
        self._hearing = _TO_CLIENT if role is Role.CLIENT else _TO_SERVER
        self._saying = _TO_SERVER if role is Role.CLIENT else _TO_CLIENT
        self._heard_live = _STEADY_TO_CLIENT if role is Role.CLIENT else _STEADY_TO_SERVER
        self._said_live = _STEADY_TO_SERVER if role is Role.CLIENT else _STEADY_TO_CLIENT
        self._state = State.NEW

    @property
    def state(self) -> State:
        """Where this end stands, what it has sent included."""
        return self._state

    def receive(self, data: bytes) -> tuple[Heard, ...]:
        """The frames of one message, in order.

        Raises RemoteError: bad-frame (not a message of this protocol), unexpected-frame (not now), version
        (no common one). None of the message's frames counts then, and the session is BROKEN for good. Once
        CLOSED nothing is heard any more: what was still under way returns no frames.
        """
        state = self._state
        if state is _CLOSED:
            return ()
        try:
            frames = self._decode(data)
            if state is _LIVE and len(frames) == 1:
                frame = frames[0]
                if type(frame) in self._heard_live and getattr(frame, "request", 1) != 0:
                    return frames
            self._state = self._after(frames, self._hearing, RemoteError)
        except RemoteError:
            self._state = State.BROKEN
            raise
        return frames

    def send(self, *frames: Said | codec.Packed) -> bytes:
        """One message with these frames. Raises LocalError where one may not be said now; nothing changes."""
        then = self._after(frames, self._saying, LocalError)
        data = codec.encode(*frames)
        self._state = then
        return data

    def send_one(self, frame: Said | codec.Packed) -> bytes:
        """As send(): nearly always it is one frame, after which a live connection is as before."""
        if self._state is _LIVE and type(frame) in self._said_live and getattr(frame, "request", 1) != 0:
            return codec.encode_one(frame)  # type: ignore[arg-type]  # nothing packed is among those
        return self.send(frame)

    def send_all(
        self, frames: Sequence[Said | codec.Packed], fill_bytes: int = limits.FRAME_BYTES
    ) -> list[bytes]:
        """As send(), in as many messages as the limits of a message and fill_bytes demand; none for no
        frames."""
        then = self._after(frames, self._saying, LocalError)
        messages = codec.encode_all(frames, fill_bytes)
        self._state = then
        return messages

    def _after(
        self, frames: Sequence[Frame | codec.Packed], table: Table, blame: type[LocalError | RemoteError]
    ) -> State:
        state = self._state
        for frame in frames:
            kind = frame.kind if isinstance(frame, codec.Packed) else type(frame)
            then = table[state].get(kind)
            if getattr(frame, "request", 1) == 0:
                ends = isinstance(frame, Refusal) and table is _TO_CLIENT and state is not State.CLOSED
                then = State.CLOSED if ends else None
            if then is None:
                raise blame(Code.UNEXPECTED_FRAME, f"{kind.__name__} while {state.value}")
            if state in _NO_VERSION_YET and not _version_fits(frame):
                raise blame(Code.VERSION)
            state = then
        return state


def _version_fits(frame: Frame | codec.Packed) -> bool:
    match frame:
        case Hello(versions=versions):
            return not set(versions).isdisjoint(codec.VERSIONS)
        case Welcome(version=version):
            return version in codec.VERSIONS
        case _:
            return True

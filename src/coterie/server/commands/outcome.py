"""What a command wants done. The gateway carries it out in this order: commit, then reply, then push."""

from __future__ import annotations

from typing import assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.base.ids import AccountId
from coterie.server.caller import SignedIn
from coterie.server.store.records import Record
from coterie.server.store.results import (
    AccountEnded,
    AccountSucceeded,
    BlobBegun,
    Broken,
    Denied,
    Done,
    KeysClaimed,
    LeafAdded,
    LeavesAdded,
    Otherwise,
    Posted,
    ResetsCompleted,
)
from coterie.wire.frames import (
    Accepted,
    AskApproval,
    Claimed,
    EndApproval,
    Refusal,
    RelayApproval,
    ServerFrame,
    TellHealth,
    WatchApprovals,
)
from coterie.wire.frames.accounts import ClaimedKeys
from coterie.wire.frames.shared import DeviceRef, Position


class DeviceSignedIn(msgspec.Struct, frozen=True):
    """This connection is the device's from now on; another one it had is closed."""

    who: SignedIn


class AskRival(msgspec.Struct, frozen=True):
    """Ping the device's other connection, then handle the frame again."""


class VaultOpenedFor(msgspec.Struct, frozen=True):
    """A password was proven on this connection."""

    account: AccountId


class BeginAnew(msgspec.Struct, frozen=True):
    """The data turned out to be a copy: all connections end, and the next life begins."""


class StartDelivery(msgspec.Struct, frozen=True):
    """Deliver after these positions."""

    positions: tuple[Position, ...]


class Acknowledge(msgspec.Struct, frozen=True):
    """The device has committed everything up to these positions."""

    positions: tuple[Position, ...]


class KeepHealth(msgspec.Struct, frozen=True):
    """What a device told of itself, for the figures, while its connection lasts."""

    told: TellHealth


class HandOnApproval(msgspec.Struct, frozen=True):
    """Something about a device that wants to join: server/approvals.py hands it on, and keeps it in
    memory."""

    frame: AskApproval | WatchApprovals | RelayApproval | EndApproval


Push = (
    Acknowledge
    | StartDelivery
    | DeviceSignedIn
    | VaultOpenedFor
    | AskRival
    | KeepHealth
    | HandOnApproval
    | BeginAnew
)


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one frame leads to.

    request: of the frame, 0 where it has none. save: what to commit, None for nothing. reply: what to answer;
    where something is saved and reply is empty, its result is the answer. If what is to be saved is denied,
    the refusal is the answer and nothing is pushed.
    """

    request: int
    save: Record | None = None
    reply: tuple[ServerFrame, ...] = ()
    push: tuple[Push, ...] = ()


def refusal(request: int, code: Code, retry_after_seconds: float = 0.0) -> Outcome:
    """No, and nothing is saved."""
    return Outcome(request, reply=(Refusal(request, code.value, round(retry_after_seconds * 1000)),))


def answer(request: int, result: Otherwise) -> ServerFrame:
    """The frame that tells of a result; of a message that was appended settling.py tells."""
    match result:
        case Posted() | Done() | ResetsCompleted():
            return Accepted(request, 0)
        case Denied(code, retry_after_ms, devices, ledger_size):
            refs = tuple(DeviceRef(account, device) for account, device in devices)
            return Refusal(request, code.value, retry_after_ms, refs, ledger_size)
        case LeavesAdded(size=size):
            return Accepted(request, size)
        case LeafAdded(index=index) | AccountEnded(index=index) | AccountSucceeded(index=index):
            return Accepted(request, index)
        case KeysClaimed(keys):
            given = (ClaimedKeys(key.device, key.one_time, key.fallback, key.x_wing) for key in keys)
            return Claimed(request, tuple(given))
        case Broken() | BlobBegun():
            raise LocalError(Code.USAGE, "a record that could not be saved, or is none of this channel's")
        case _:
            assert_never(result)

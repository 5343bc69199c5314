"""Requests under way on the present connection: their numbers and what each was for."""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId
from coterie.wire.frames.messages import EnvelopeItem
from coterie.wire.frames.shared import DeviceRef


class LeavesAsked(msgspec.Struct, frozen=True):
    start: int


class AccountsAsked(msgspec.Struct, frozen=True):
    accounts: tuple[AccountId, ...]


class ClaimAsked(msgspec.Struct, frozen=True):
    devices: tuple[DeviceRef, ...]
    conversation: ConversationId
    session: SessionId


class OwedClaimed(msgspec.Struct, frozen=True):
    """Keys of devices that are owed something and have no session."""

    devices: tuple[DeviceRef, ...]


class RepairClaimed(msgspec.Struct, frozen=True):
    """Keys of devices that are asked for messages."""

    devices: tuple[DeviceRef, ...]


class EnvelopesGiven(msgspec.Struct, frozen=True):
    items: tuple[EnvelopeItem, ...]
    to: bytes


class ReceiptsGiven(msgspec.Struct, frozen=True):
    """told: of each session of a device, from which index on and up to which one its messages are here."""

    device: DeviceId
    told: tuple[tuple[SessionId, int, int], ...]


class MessageGiven(msgspec.Struct, frozen=True, gc=False):
    order: int
    conversation: ConversationId
    round: int
    """How often the conversation's outbox had been sent again when this was sent."""


class PrekeysGiven(msgspec.Struct, frozen=True):
    keys: tuple[bytes, ...]


class DeletionGiven(msgspec.Struct, frozen=True):
    """change: as in EndAccount; seq: of the deletion."""

    change: bytes
    seq: int


class SuccessionGiven(msgspec.Struct, frozen=True):
    """change: as in ReplaceIdentity; seq: of the heir's first manifest."""

    change: bytes
    seq: int


class VaultAsked(msgspec.Struct, frozen=True):
    pass


class ManifestGiven(msgspec.Struct, frozen=True):
    """change: as in ChangeAccount; seq: of the manifest."""

    change: bytes
    seq: int


class ApprovalsWatched(msgspec.Struct, frozen=True):
    """Devices that want to join are looked for."""


class ManifestsOffered(msgspec.Struct, frozen=True):
    """To a restored server: what it lacks of these."""

    accounts: tuple[AccountId, ...]


class VaultOffered(msgspec.Struct, frozen=True):
    """To a restored server: the account's vault."""


Purpose = (
    LeavesAsked
    | AccountsAsked
    | ClaimAsked
    | OwedClaimed
    | RepairClaimed
    | EnvelopesGiven
    | ReceiptsGiven
    | MessageGiven
    | PrekeysGiven
    | ManifestGiven
    | VaultAsked
    | DeletionGiven
    | SuccessionGiven
    | ApprovalsWatched
    | ManifestsOffered
    | VaultOffered
)


class Requests:
    """Numbers rise for as long as the program runs; what was under way is forgotten with the connection."""

    def __init__(self) -> None:
        self._last = 0
        self._open: dict[int, tuple[Purpose, int]] = {}

    def new(self, purpose: Purpose, now_ms: int) -> int:
        """A number for a request that is about to be sent."""
        self._last += 1
        self._open[self._last] = (purpose, now_ms)
        return self._last

    def answered(self, request: int) -> Purpose | None:
        """What the request was for; None where nobody asked (then the answer is ignored)."""
        found = self._open.pop(request, None)
        return found[0] if found else None

    def forget(self) -> None:
        self._open.clear()

    def overdue(self, now_ms: int) -> bool:
        """Whether the oldest request has waited for longer than an answer may take."""
        if not self._open:
            return False
        _, since_ms = next(iter(self._open.values()))
        return now_ms - since_ms > limits.ANSWER_SECONDS * 1000

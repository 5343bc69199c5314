"""A device that wants to join an account, and a device of that account, speak through the server.

What they say is opaque to it (e2ee/approval.py); nothing of it is stored (docs/protocol.md 3.12).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.wire.frames.shared import Id16, NameText, Natural

RequestBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.APPROVAL_REQUEST_BYTES)]
MessageBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.APPROVAL_MESSAGE_BYTES)]
RendezvousOrNone = Annotated[bytes, msgspec.Meta(max_length=16)]


class AskApproval(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=18, forbid_unknown_fields=True
):
    """A device without an account asks the devices of this name. Accepted, whoever has the name."""

    request: Natural
    name: NameText
    rendezvous: Id16
    message: RequestBytes


class WatchApprovals(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=19, forbid_unknown_fields=True
):
    """A person looks for devices that want to join: tell of them for so long; 0: no more. rendezvous: of that
    one alone, b"" for the newest."""

    request: Natural
    seconds: Annotated[int, msgspec.Meta(ge=0, le=limits.APPROVAL_SECONDS)]
    rendezvous: RendezvousOrNone = b""


class RelayApproval(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=20, forbid_unknown_fields=True
):
    """For the other side. The first of a device of the account makes it the other side."""

    rendezvous: Id16
    message: MessageBytes


class EndApproval(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=21, forbid_unknown_fields=True
):
    """This side has nothing more to say there."""

    rendezvous: Id16


class ApprovalAsked(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=47, forbid_unknown_fields=True
):
    """Somebody, perhaps a stranger, asks to join the account of a device that watches."""

    rendezvous: Id16
    message: RequestBytes


class ApprovalRelayed(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=48, forbid_unknown_fields=True
):
    """From the other side."""

    rendezvous: Id16
    message: MessageBytes


class ApprovalEnded(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=49, forbid_unknown_fields=True
):
    """There is no other side any more, or the time is over."""

    rendezvous: Id16

"""Who speaks on a connection, as far as it has been proven."""

from __future__ import annotations

from enum import Enum

import msgspec

from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.server.policy import RefusedView


class Rival(Enum):
    """Whether the device that wants to sign in has a connection already (encryption rule 28)."""

    NONE = "none"
    CONNECTED = "connected"
    ANSWERED = "answered"
    """It was pinged, and answered in time."""
    SILENT = "silent"


class SignedIn(msgspec.Struct, frozen=True):
    """The device that has proven itself. succeeded: its account goes on under another identity, and it may
    fetch what waits for it, no more."""

    account: AccountId
    device: DeviceId
    name: UserName
    succeeded: bool = False


class Caller(msgspec.Struct, frozen=True):
    """address: of the peer, shortened to what rates count by. challenge: of this connection, 32 bytes.
    vault_of: whose password was proven here. refused_view: the last Send that was refused as stale-view."""

    address: str
    loopback: bool
    challenge: bytes
    signed_in: SignedIn | None = None
    vault_of: AccountId | None = None
    rival: Rival = Rival.NONE
    refused_view: RefusedView | None = None

"""What is kept of the ledger, of accounts and their devices, and of the keys of both sides."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.changed_by import ChangedBy
from coterie.base.ids import (
    AccountId,
    DeviceId,
    UserName,
)
from coterie.base.quiet import Quiet


class PutLeaves(msgspec.Struct, frozen=True):
    """Leaves covered by a verified head, from index start on, and that head."""

    start: int
    leaves: tuple[bytes, ...]
    head: bytes


class PeerDevice(msgspec.Struct, frozen=True):
    """A device of somebody (or of oneself) as the newest verified manifest lists it."""

    device: DeviceId
    account: AccountId
    name: str
    curve25519: bytes
    ed25519: bytes
    created_ms: int
    revoked_ms: int
    approved_by: bytes
    marked: bool

    @property
    def live(self) -> bool:
        return self.revoked_ms == 0


NEVER_MS = 1 << 62


class Standing(StrEnum):
    """What this device's person knows of an account (encryption rule 22)."""

    PINNED = "pinned"
    """The first identity that was seen under its name, or one that was accepted."""
    VERIFIED = "verified"
    """The person has compared safety numbers or emoji with the account's person."""
    TAKEN_BACK = "taken-back"
    """Verified once, and not any more: what waits for a word about a verified one goes on waiting for it."""
    CHANGED = "changed"
    """Another identity had this name before: nothing goes to it alone until the person accepts it."""
    CHANGED_VERIFIED = "changed-verified"
    """The same, and the one before was verified: only a new verification will do."""


class AccountRow(msgspec.Struct, frozen=True):
    """An account whose manifest was proven against its leaf. Saving replaces its devices.

    changed_ms: when it followed another identity; 0 where it did not. changed_by: by whose word; by a reset
    the time is that of the signed head under which it was seen, else the one that a device signed.

    from_ms: its name stands for it from then on, where it stood for another account before (0: from the
    beginning; NEVER_MS: that one has cancelled it). deleted_ms: when its owner ended it, as they signed it;
    0: it goes on. seq is its tombstone's then.
    """

    account: AccountId
    name: UserName
    seq: int
    manifest: bytes
    devices: tuple[PeerDevice, ...]
    standing: Standing = Standing.PINNED
    changed_ms: int = 0
    deleted_ms: int = 0
    from_ms: int = 0
    changed_by: ChangedBy = ChangedBy.RESET

    @property
    def verified(self) -> bool:
        return self.standing is Standing.VERIFIED

    @property
    def once_verified(self) -> bool:
        """Whether this identity was verified here at some time, or one before it under its name: devices that
        came by recovery need a word, and an identity after it a new verification."""
        return self.standing in (Standing.VERIFIED, Standing.TAKEN_BACK, Standing.CHANGED_VERIFIED)

    @property
    def waits(self) -> bool:
        """Whether nothing is sent to it alone until the person has looked."""
        return self.standing in (Standing.CHANGED, Standing.CHANGED_VERIFIED)


class PeerKeys(msgspec.Struct, frozen=True):
    """Verified reusable prekeys of a device; key b"" and id 0 where it has none."""

    device: DeviceId
    fallback_id: int
    fallback_key: bytes
    x_wing_id: int
    x_wing_key: bytes
    x_wing_created_ms: int


class OwnXWing(Quiet, frozen=True):
    """A private X-Wing prekey of this device. replaced_ms 0: the current one."""

    id: int
    private: bytes
    created_ms: int
    replaced_ms: int


class PruneXWing(msgspec.Struct, frozen=True):
    """Delete private X-Wing prekeys that were replaced before a time."""

    replaced_before_ms: int


class OwnFreshKey(Quiet, frozen=True):
    """A private X-Wing key whose public half went to one device inside an envelope (encryption rule 12).

    Ids count up and are never used again. passed_ms: when one sealed to a newer key was opened; 0 before.
    """

    id: int
    device: DeviceId
    private: bytes
    made_ms: int
    passed_ms: int


class PassFreshKeys(msgspec.Struct, frozen=True):
    """Change: a device has sealed to this own fresh key, so it seals to none of those before any more."""

    device: DeviceId
    id: int
    now_ms: int


class PruneFreshKeys(msgspec.Struct, frozen=True):
    """Remove own fresh keys that were passed before the given time."""

    before_ms: int


class PeerFreshKey(msgspec.Struct, frozen=True):
    """The newest X-Wing key that another device gave inside an envelope. key b"": not to be used."""

    device: DeviceId
    id: int
    key: bytes
    since_ms: int


class DropPeerFreshKey(msgspec.Struct, frozen=True):
    """Forget a device's fresh key, never its id: older ones are not taken again."""

    device: DeviceId


class OlmRow(Quiet, frozen=True):
    """A session between this device and another; its id stays known for ever."""

    session: bytes
    account: AccountId
    device: DeviceId
    pickle: bytes
    received_ms: int
    """When it last opened something; its creation before that."""
    unanswered_ms: int = 0
    """Since when nothing came back on a session that began here; 0 once something did."""
    former: bool = False
    """Begun in an earlier life of the server: it still opens, and seals nothing any more."""


class DropOlm(msgspec.Struct, frozen=True):
    """Forget a session's pickle, never its id."""

    session: bytes

"""What a person may change about their own account: each becomes part of the next manifest.

A change says what should hold afterwards, so that it can be signed again on a newer manifest, and a second
time means nothing more (encryption rule 2).
"""

from __future__ import annotations

import msgspec

from coterie.base.ids import DeviceId
from coterie.base.quiet import Quiet


class RenameDevice(Quiet, frozen=True):
    """name: at most limits.DEVICE_NAME_BYTES."""

    device: DeviceId
    name: str


class RevokeDevice(msgspec.Struct, frozen=True):
    """The device gets no key and no message any more, and cannot connect."""

    device: DeviceId


class LoseDevice(msgspec.Struct, frozen=True):
    """Lost or stolen: revoked, every sending session of this device ends, and the vault counts as exposed
    until there is another."""

    device: DeviceId


class UnmarkDevice(msgspec.Struct, frozen=True):
    """A device that came in by recovery is like any other from now on; only an unmarked one may say so."""

    device: DeviceId


class AddApproved(Quiet, frozen=True):
    """A new device that this one approves, with these keys. by: this device; the mark of one that came in by
    recovery passes on (encryption rule 2)."""

    device: DeviceId
    name: str
    curve25519: bytes
    ed25519: bytes
    created_ms: int
    by: DeviceId


class NewVault(Quiet, frozen=True):
    """Another vault, packed, made from the one with the hash `replaces`: on top of a third it would bring
    back what another device has just put an end to. Auth keys: those that it names and the server lacks, or
    b""."""

    vault: bytes
    replaces: bytes
    auth_key: bytes = b""
    recovery_auth_key: bytes = b""


class KeepName(msgspec.Struct, frozen=True):
    """Nothing but the next manifest: it cancels whatever would begin the account's name anew."""


Change = RenameDevice | RevokeDevice | LoseDevice | UnmarkDevice | AddApproved | NewVault | KeepName

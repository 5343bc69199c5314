"""Field types and the two answers that many requests share."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits

Id16 = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Id32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Key32 = Id32
OptionalKey = Annotated[bytes, msgspec.Meta(max_length=32)]
"""32 bytes, or nothing."""
StreamBytes = Annotated[bytes, msgspec.Meta(min_length=17, max_length=17)]
MessageIdOrNone = Annotated[bytes, msgspec.Meta(max_length=16)]
"""16 bytes, or none where there is no such message."""
MacOrNone = Annotated[bytes, msgspec.Meta(max_length=32)]
Signature64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))]
NameText = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARACTERS)]
ManifestBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.MANIFEST_BYTES)]
VaultBytes = Annotated[bytes, msgspec.Meta(max_length=limits.VAULT_BYTES)]
PrekeyBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=2048)]
DeletionBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.DELETION_BYTES)]
OptionalDeletion = Annotated[bytes, msgspec.Meta(max_length=limits.DELETION_BYTES)]
"""A packed SignedDeletion, or nothing."""
SuccessionBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=limits.SUCCESSION_BYTES)]
OptionalSuccession = Annotated[bytes, msgspec.Meta(max_length=limits.SUCCESSION_BYTES)]
"""A packed SignedSuccession, or nothing."""
OptionalPrekey = Annotated[bytes, msgspec.Meta(max_length=2048)]
"""A packed SignedPrekey, or nothing."""
HeadBytes = Annotated[bytes, msgspec.Meta(max_length=4096)]


class Position(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """How far a device has come in a stream: everything up to seq is committed on the device."""

    stream: StreamBytes
    incarnation: Id16
    seq: Natural


class DeviceRef(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device of an account."""

    account: Id32
    device: Id16


class Accepted(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="t", tag=32, forbid_unknown_fields=True
):
    """Committed. seq: the log entry's for Send, the ledger leaf's index for manifests, for
    offered ones the size of the ledger that holds them, else 0.

    With server_time_ms and mac, which are the entry's too, the answer to Send stands for the entry: it comes
    no second time on this connection. Else it does, and they are 0 and b"".
    """

    request: Natural
    seq: Natural
    server_time_ms: Natural = 0
    mac: MacOrNone = b""


class Refusal(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=33, forbid_unknown_fields=True
):
    """The server said no; nothing was stored.

    code: a value of wire.refusals.ServerRefusal. devices and ledger_size: for stale-view, the entitled
    devices without a row and the ledger size at which that was seen. request 0: about the connection.
    """

    request: Natural
    code: Annotated[str, msgspec.Meta(max_length=32)]
    retry_after_ms: Natural = 0
    devices: Annotated[tuple[DeviceRef, ...], msgspec.Meta(max_length=100_000)] = ()
    ledger_size: Natural = 0

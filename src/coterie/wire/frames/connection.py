"""The handshake, the proof of a device, and keeping a connection alive."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.wire.frames.shared import HeadBytes, Id16, Id32, Natural, Position, Signature64, StreamBytes


class Hello(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=1, forbid_unknown_fields=True):
    """The first thing a client says; all it says before Welcome has been checked."""

    versions: Annotated[tuple[Natural, ...], msgspec.Meta(min_length=1, max_length=16)]


class ServerLimits(msgspec.Struct, frozen=True, array_like=True):
    """What this server takes, so that a client can say so before sending."""

    frame_bytes: Natural
    text_bytes: Natural
    envelope_bytes: Natural


class Welcome(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=34, forbid_unknown_fields=True
):
    """Who the server is. identity: founding public identity, packed; chain: signed identity statements from
    there to the current one; statement: signed ServerStatement, which names TLS and ledger key; restores:
    signed restore statements from the first ledger to the one that the statement names."""

    version: Natural
    incarnation: Id16
    identity: Annotated[bytes, msgspec.Meta(max_length=4096)]
    chain: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=64)]
    statement: Annotated[bytes, msgspec.Meta(max_length=16384)]
    challenge: Id32
    limits: ServerLimits
    restores: Annotated[
        tuple[Annotated[bytes, msgspec.Meta(max_length=8192)], ...],
        msgspec.Meta(max_length=limits.RESTORES_MOST),
    ] = ()


class ProveDevice(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=2, forbid_unknown_fields=True
):
    """A device signs in. signature: the device's Ed25519 over
    prefix(PROVE_DEVICE) + msgpack [challenge, SHA-256 of the certificate's public key as seen, account,
    device, run, run_nonce]. run: this start's number (encryption rule 28)."""

    request: Natural
    account: Id32
    device: Id16
    run: Natural
    run_nonce: Id16
    signature: Signature64


class StreamEnd(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A stream this device is entitled to: what it has acknowledged, and where the stream ends now.

    Entries behind skip_after up to skip_to came while the device was dormant and are not for it; 0 and 0
    where there are none.
    """

    stream: StreamBytes
    acknowledged: Natural
    end: Natural
    skip_after: Natural = 0
    skip_to: Natural = 0

    def resumed(self, seq: int) -> int:
        """Where a device that has everything up to seq stands: behind what is not for it."""
        return self.skip_to if self.skip_after <= seq < self.skip_to else seq


class Ready(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=35, forbid_unknown_fields=True):
    """The device is signed in. one_time_keys: how many of its keys the server still has."""

    request: Natural
    ends: Annotated[tuple[StreamEnd, ...], msgspec.Meta(max_length=50_000)]
    ledger_size: Natural
    head: HeadBytes
    one_time_keys: Natural


class ShowHead(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=27, forbid_unknown_fields=True
):
    """The newest head that this client has of the server's ledger: a server that has not signed it as far as
    it knows was restored from a copy."""

    request: Natural
    head: HeadBytes


class Sync(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=3, forbid_unknown_fields=True):
    """Start delivering: after these positions; streams not named, after what was acknowledged."""

    positions: Annotated[tuple[Position, ...], msgspec.Meta(max_length=50_000)]


class Ping(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=4, forbid_unknown_fields=True):
    """Alive? With the client's positions, so that a lost wake-up costs one interval at most."""

    nonce: Natural
    positions: Annotated[tuple[Position, ...], msgspec.Meta(max_length=50_000)] = ()


class TellHealth(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=22, forbid_unknown_fields=True
):
    """How many messages this device cannot open, for the server's figures; only where its person wants that.
    Nothing answers it."""

    undecryptable_now: Natural
    undecryptable_ever: Natural


class Pong(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=36, forbid_unknown_fields=True):
    """Alive; ledger_size: of the newest published head."""

    nonce: Natural
    ledger_size: Natural

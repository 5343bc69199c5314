"""That a device speaks on a connection, and may: the same for both channels (docs/protocol.md 3.3, 3.14)."""

from __future__ import annotations

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import SealBroken
from coterie.base.signing import verify_device
from coterie.server.caller import Caller
from coterie.server.realm import Realm
from coterie.server.store.protocol import DeviceRow
from coterie.wire.frames import ProveDevice
from coterie.wire.frames.blobs import ProveBlobs


def is_signed(
    frame: ProveDevice | ProveBlobs, domain: Domain, who: Caller, realm: Realm, row: DeviceRow
) -> bool:
    """Whether the device has signed for this connection and this channel, with the key of its manifest."""
    said = [who.challenge, realm.tls_key, frame.account, frame.device, frame.run, frame.run_nonce]
    try:
        verify_device(row.ed25519, prefix(domain) + msgspec.msgpack.encode(said), frame.signature)
    except SealBroken:
        return False
    return True


def shut_out(row: DeviceRow, now_ms: int) -> tuple[Code, float] | None:
    """Why a device may not be here at all, and in how many seconds it may try again (0.0: never); None where
    it may."""
    if row.revoked:
        return (Code.DELETED if row.ended else Code.REVOKED), 0.0
    if row.waits_until_ms:
        return Code.RESET_PENDING, (row.waits_until_ms - now_ms) / 1000
    return None

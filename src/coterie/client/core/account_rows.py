"""Rows of proven accounts out of their manifests."""

from __future__ import annotations

import msgspec

from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.client.store.records import NEVER_MS, AccountRow, PastSigned, PeerDevice
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames.accounts import AccountRecord


def newer(known: AccountRow | None, row: AccountRow) -> bool:
    """Whether a proven row brings another manifest than the one known before."""
    return known is None or known.seq < row.seq


def account_row(signed: SignedManifest, known: AccountRow | None) -> AccountRow:
    """The row of a proven manifest."""
    manifest = signed.manifest
    account = AccountId(manifest.account)
    devices = tuple(
        PeerDevice(
            device=DeviceId(entry.id),
            account=account,
            name=entry.name,
            curve25519=entry.curve25519,
            ed25519=entry.ed25519,
            created_ms=entry.created_ms,
            revoked_ms=entry.revoked_ms,
            approved_by=entry.approved_by,
            marked=entry.marked,
        )
        for entry in manifest.devices
    )
    row = AccountRow(account, UserName(manifest.name), manifest.seq, signed.pack(), devices)
    if known is None:
        return row
    return msgspec.structs.replace(
        row,
        standing=known.standing,
        changed_ms=known.changed_ms,
        from_ms=known.from_ms,
        changed_by=known.changed_by,
    )


def replaced(
    known: AccountRow, row: AccountRow, record: AccountRecord, now_ms: int
) -> tuple[PastSigned, ...]:
    """What to keep of an account that has moved on from `known` to `row`, as `record` showed it: whoever
    loses the newer ones is shown the way (core/returning.py)."""
    if known.seq == row.seq:
        return ()
    if row.deleted_ms:
        return (PastSigned(row.account, row.seq, record.deletion, NEVER_MS),)
    before = (SignedManifest.unpack(known.manifest), *map(SignedManifest.unpack, record.manifests))
    numbered = {each.manifest.seq: each.pack() for each in before}
    return tuple(
        PastSigned(row.account, seq, packed, now_ms)
        for seq, packed in numbered.items()
        if known.seq <= seq < row.seq
    )

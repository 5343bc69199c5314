"""PublishManifest -> Accepted: the account changes its devices or its vault (encryption rules 2 and 8)."""

from __future__ import annotations

import hashlib

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError
from coterie.base.ids import DeviceId
from coterie.server.caller import SignedIn
from coterie.server.commands.manifests import checked_successor, kept, new_leaf, unpack_manifest
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.store.records import NewDevice, ReplaceManifest
from coterie.server.vault import read_vault
from coterie.wire.frames import PublishManifest


async def handle(frame: PublishManifest, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Tries are counted before anything is verified: that costs the server milliseconds."""
    wait_seconds = realm.rates.manifests.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.TOO_MANY_TRIES, wait_seconds)
    row = await reads.account(who.account)
    if row is None:
        return refusal(frame.request, Code.UNKNOWN_PERSON)
    try:
        return Outcome(frame.request, save=_checked(frame, row, now))
    except Refused as error:
        return refusal(frame.request, error.code)


def _checked(frame: PublishManifest, row: AccountRow, now: Now) -> ReplaceManifest:
    """New devices bring their prekeys themselves, when they sign in for the first time."""
    signed = unpack_manifest(frame.manifest)
    manifest = signed.manifest
    if manifest.account != row.account:
        raise Refused(Code.BAD_MANIFEST, "a manifest of another account")
    added: tuple[NewDevice, ...] = ()
    revoked: tuple[DeviceId, ...] = ()
    if signed.hash != row.hash:
        before = checked_successor(row, signed).manifest
        _check_vault(frame, row, manifest.vault_hash, changed=manifest.vault_hash != before.vault_hash)
        added = tuple(NewDevice(entry.id, entry.ed25519) for entry in manifest.devices[len(before.devices) :])
        revoked = tuple(
            old.id
            for old, new in zip(before.devices, manifest.devices, strict=False)
            if old.live and not new.live
        )
    return ReplaceManifest(
        account=row.account,
        previous=manifest.previous,
        manifest=kept(signed, manifest),
        leaf=new_leaf(signed, manifest, row.leaf),
        added=added,
        revoked=revoked,
        salt=_vault_random(frame.vault),
        vault=frame.vault,
        now_ms=now.wall_ms,
    )


def _check_vault(frame: PublishManifest, row: AccountRow, vault_hash: bytes, *, changed: bool) -> None:
    """A new vault comes with its manifest, and names no auth key that the server lacks."""
    if not frame.vault:
        if changed:
            raise Refused(Code.BAD_MANIFEST, "a manifest of a vault that is not here")
        return
    if hashlib.sha256(frame.vault).digest() != vault_hash:
        raise Refused(Code.BAD_MANIFEST, "a manifest of another vault")
    try:
        named = set(read_vault(frame.vault).verifiers)
    except RemoteError as error:
        raise Refused(Code.BAD_MANIFEST, error.note) from None
    if not named or not named <= {verifier.id for verifier in row.verifiers}:
        raise Refused(Code.BAD_MANIFEST, "a vault that names other auth keys")


def _vault_random(vault: bytes) -> bytes:
    return read_vault(vault).random if vault else b""

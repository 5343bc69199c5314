"""PublishManifest -> Accepted: the account changes its devices or its vault (encryption rules 2 and 8)."""

from __future__ import annotations

import hashlib

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError
from coterie.base.ids import DeviceId
from coterie.ledger.manifest import SignedManifest
from coterie.server.caller import SignedIn
from coterie.server.commands.manifests import checked_successor, kept, new_leaf, offered, take_try
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.store.records import NewDevice, ReplaceManifest, Verifier
from coterie.server.vault import read_vault, verifier_id
from coterie.wire.frames import PublishManifest

AUTH_KEYS = 2
"""By the password, and by the recovery key."""


async def handle(frame: PublishManifest, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Tries are counted before anything is verified; whoever lost a race has made none."""
    wait_seconds = realm.rates.fetches.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    row = await reads.account(who.account)
    if row is None:
        return refusal(frame.request, Code.UNKNOWN_PERSON)
    try:
        signed = offered(frame.manifest, row)
        wait_seconds = take_try(signed, row, realm, now)
        if wait_seconds:
            return refusal(frame.request, Code.TOO_MANY_TRIES, wait_seconds)
        return Outcome(frame.request, save=_checked(frame, signed, row, realm, now))
    except Refused as error:
        return refusal(frame.request, error.code)


def _checked(
    frame: PublishManifest, signed: SignedManifest, row: AccountRow, realm: Realm, now: Now
) -> ReplaceManifest:
    """New devices bring their prekeys themselves, when they sign in for the first time."""
    manifest = signed.manifest
    added: tuple[NewDevice, ...] = ()
    revoked: tuple[DeviceId, ...] = ()
    verifiers: tuple[Verifier, ...] = ()
    if signed.hash != row.hash:
        before = checked_successor(row, signed).manifest
        _check_vault(frame, manifest.vault_hash, changed=manifest.vault_hash != before.vault_hash)
        verifiers = _verifiers(frame, row, realm) if frame.vault else ()
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
        verifiers=verifiers,
        now_ms=now.wall_ms,
    )


def _check_vault(frame: PublishManifest, vault_hash: bytes, *, changed: bool) -> None:
    """A new vault comes with its manifest, and nothing else of a vault comes without one."""
    if not frame.vault:
        if changed or frame.auth_key or frame.recovery_auth_key:
            raise Refused(Code.BAD_MANIFEST, "a manifest of a vault that is not here")
        return
    if hashlib.sha256(frame.vault).digest() != vault_hash:
        raise Refused(Code.BAD_MANIFEST, "a manifest of another vault")


def _verifiers(frame: PublishManifest, row: AccountRow, realm: Realm) -> tuple[Verifier, ...]:
    """Of the two auth keys that the vault names, from now on the only ones: a login that no device knows of
    would outlive its password. What the frame does not bring the server has to have."""
    try:
        named = read_vault(frame.vault).verifiers
    except RemoteError as error:
        raise Refused(Code.BAD_MANIFEST, error.note) from None
    known = {verifier.id: verifier for verifier in row.verifiers}
    for key in (frame.auth_key, frame.recovery_auth_key):
        if key:
            id = verifier_id(key)
            known[id] = Verifier(id, realm.verifier_mac(key))
    if len(set(named)) != AUTH_KEYS or not known.keys() >= set(named):
        raise Refused(Code.BAD_MANIFEST, "a vault that names other auth keys")
    return tuple(known[id] for id in named)


def _vault_random(vault: bytes) -> bytes:
    return read_vault(vault).random if vault else b""

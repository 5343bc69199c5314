"""OfferVault -> Accepted: a vault that came after the copy was made, and what logs in by it (3.13)."""

from __future__ import annotations

import hashlib

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.ledger.manifest import SignedManifest
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.server.store.records import PutVault, Verifier
from coterie.server.vault import read_vault, verifier_id
from coterie.wire.frames import Accepted, OfferVault


async def handle(frame: OfferVault, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """The newest manifest says which vault it is, and the vault which auth keys; what is missing of these is
    no reason to refuse: the account can be opened by the other one."""
    wait_seconds = realm.rates.fetches.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    row = await reads.account(who.account)
    if row is None or not realm.restores:
        return refusal(frame.request, Code.STALE_MANIFEST)
    manifest = SignedManifest.unpack(row.manifest).manifest
    try:
        face = read_vault(frame.vault)
    except RemoteError:
        return refusal(frame.request, Code.BAD_MANIFEST)
    if hashlib.sha256(frame.vault).digest() != manifest.vault_hash:
        return refusal(frame.request, Code.STALE_MANIFEST)
    known = {each.id: each for each in row.verifiers}
    for key in filter(None, (frame.auth_key, frame.recovery_auth_key)):
        id = verifier_id(key)
        known[id] = Verifier(id, realm.verifier_mac(key))
    verifiers = tuple(known[id] for id in face.verifiers if id in known)
    if frame.vault == row.vault and {each.id for each in row.verifiers} >= {each.id for each in verifiers}:
        return Outcome(frame.request, reply=(Accepted(frame.request, 0),))
    return Outcome(frame.request, save=PutVault(row.account, row.hash, face.random, frame.vault, verifiers))

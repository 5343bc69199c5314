"""Succeed -> Accepted: an account goes on under another identity, by the word of the one before and of a live
device (encryption rules 2, 8 and 22)."""

from __future__ import annotations

import hashlib

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken
from coterie.base.ids import AccountId
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.succession import SignedSuccession, check_heir_manifest, check_succession
from coterie.server.caller import SignedIn
from coterie.server.commands.manifests import kept, last_word, refused_as, unpack_manifest
from coterie.server.commands.outcome import Outcome
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store import records
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.vault import read_vault, verifiers_of
from coterie.wire.frames import Succeed


async def handle(frame: Succeed, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    return await last_word(
        frame.request, who, reads, realm, now, lambda row: _checked(frame, row, realm, now)
    )


def _checked(frame: Succeed, row: AccountRow, realm: Realm, now: Now) -> records.Succeed:
    """A name that is being begun anew has to be kept first: this manifest would pass over no number."""
    heir = unpack_manifest(frame.manifest)
    newest = SignedManifest.unpack(row.manifest)
    try:
        signed = SignedSuccession.unpack(frame.succession)
        check_succession(newest, signed)
        check_heir_manifest(newest, signed, heir)
        vault = read_vault(frame.vault)
    except RemoteError as error:
        raise Refused(Code.BAD_MANIFEST, error.note) from None
    except SealBroken as error:
        raise refused_as(error, Code.BAD_MANIFEST) from None
    manifest, said = heir.manifest, signed.succession
    if row.resetting:
        raise Refused(Code.STALE_MANIFEST, "the name is being begun anew")
    if hashlib.sha256(frame.vault).digest() != manifest.vault_hash:
        raise Refused(Code.BAD_MANIFEST, "a manifest of another vault")
    leaf = Leaf(LeafKind.SUCCESSION, said.name_hash, said.heir, said.seq, heir.hash, row.leaf)
    return records.Succeed(
        account=row.account,
        heir=AccountId(manifest.account),
        previous=manifest.previous,
        succession=frame.succession,
        manifest=kept(heir, manifest),
        leaf=records.NewLeaf(leaf.pack(), said.name_hash, row.leaf),
        devices=tuple(records.NewDevice(entry.id, entry.ed25519) for entry in manifest.devices),
        salt=vault.random,
        vault=frame.vault,
        verifiers=verifiers_of((frame.auth_key, frame.recovery_auth_key), vault, realm.verifier_mac),
        now_ms=now.wall_ms,
    )

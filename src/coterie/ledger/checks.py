"""Whether manifests, prekeys and servers may be believed: well-formed, in order, signed by whom they must.

Server and clients check alike. Malformed bytes raise RemoteError; a bad signature or a contradiction raises
SealBroken, with code bad-manifest, stale-manifest (does not follow by seq and hash), too-many-devices or
bad-key. docs/protocol.md, Manifests; encryption rules 2, 3 and 19.
"""

from __future__ import annotations

from collections.abc import Callable

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.curves import curve25519_is_low_order
from coterie.base.errors import SealBroken, SecurityStop, Unavailable
from coterie.base.ids import NO_HASH, AccountId, DeviceId
from coterie.base.names import could_be_name
from coterie.base.signing import IdentityPublic, LedgerPublic, account_id, verify_device, verify_identity
from coterie.ledger.devices import bad_manifest, check_devices, check_grown
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.manifest import KEY_BYTES, Manifest, Prekey, SignedManifest, SignedPrekey
from coterie.ledger.restores import check_restores
from coterie.ledger.statements import IdentityStatement, ServerStatement, SignedStatement, ledger_id


def check_first(signed: SignedManifest, vault_hash: bytes | None = None) -> None:
    """The manifest an account begins with: seq 1, one live device, approved as `first`, which co-signs.

    vault_hash: what the manifest must name, where the vault is at hand.
    """
    manifest = signed.manifest
    _check_form(manifest)
    if manifest.seq != 1:
        raise _stale("a first manifest that is not number 1")
    _check_alone(manifest)
    if vault_hash is not None and manifest.vault_hash != vault_hash:
        raise bad_manifest("a manifest of another vault")
    _check_signatures(signed, manifest)


def check_heir(signed: SignedManifest, vault_hash: bytes) -> None:
    """The manifest with which another identity begins a name anew: one live device, which co-signs; its
    number and its predecessor are those of the name."""
    manifest = signed.manifest
    _check_form(manifest)
    _check_alone(manifest)
    if manifest.vault_hash != vault_hash:
        raise bad_manifest("a manifest of another vault")
    _check_signatures(signed, manifest)


def check_begun(signed: SignedManifest) -> None:
    """The first manifest of an account that follows another by that one's word: well-formed, signed by its
    identity and by a device of its own. What else must hold: ledger/succession.py."""
    _check_form(signed.manifest)
    _check_signatures(signed, signed.manifest)


def check_alone(signed: SignedManifest) -> None:
    """A manifest of any number by itself: well-formed, signed by its identity and by a device that it lists.
    Whether it is the account's is for its leaf to say, or for one that follows it."""
    manifest = signed.manifest
    if manifest.seq == 1:
        check_first(signed)
        return
    _check_form(manifest)
    _check_signatures(signed, manifest)


def check_successor(old: SignedManifest, new: SignedManifest, *, cancelled: int = 0) -> None:
    """The manifest after `old`, which has been checked before. cancelled: how many resets of the name lie
    between the two, each of which took a number."""
    before, after = old.manifest, new.manifest
    _check_form(after)
    if after.seq != before.seq + 1 + cancelled or after.previous != old.hash:
        raise _stale("a manifest that does not follow the one before it")
    if (after.account, after.name, after.identity) != (before.account, before.name, before.identity):
        raise bad_manifest("a manifest with another account, name or identity")
    check_grown(before.devices, after.devices, new.cosigner)
    _check_signatures(new, after)


def check_newest(signed: SignedManifest, leaf: Leaf) -> None:
    """First contact: the newest manifest alone, against its leaf in the ledger.

    That of a reset or a succession is the first one of another identity, and names the manifest before it all
    the same.
    """
    manifest = signed.manifest
    if leaf.kind not in (LeafKind.MANIFEST, LeafKind.RESET, LeafKind.SUCCESSION):
        raise bad_manifest("a manifest for a leaf of another kind")
    named = (leaf.hash, leaf.seq, leaf.account, leaf.name_hash)
    if named != (signed.hash, manifest.seq, manifest.account, name_hash(manifest.name)):
        raise bad_manifest("a manifest that is not the one in the ledger")
    if manifest.seq == 1:
        check_first(signed)
        return
    _check_form(manifest)
    if leaf.kind is LeafKind.RESET:
        _check_alone(manifest)
    _check_signatures(signed, manifest)


def check_prekey(
    signed: SignedPrekey,
    account: AccountId,
    device: DeviceId,
    ed25519_key: bytes,
    now_ms: int,
    *,
    max_age_ms: int | None,
) -> Prekey:
    """Signed by and for that device, not from the future, not older than max_age_ms, a usable key."""
    _as(Code.BAD_PREKEY, lambda: verify_device(ed25519_key, signed.payload, signed.signature))
    prekey = signed.prekey
    if prekey.account != account or prekey.device != device:
        raise SealBroken("a prekey of another device", Code.BAD_PREKEY)
    if prekey.created_ms > now_ms + limits.CLOCK_SKEW_MS:
        raise SealBroken("a prekey from the future", Code.BAD_PREKEY)
    if max_age_ms is not None and now_ms - prekey.created_ms > max_age_ms:
        raise SealBroken("a prekey that is too old", Code.BAD_PREKEY)
    if curve25519_is_low_order(prekey.key[-KEY_BYTES:]):
        raise SealBroken("a prekey of low order", Code.BAD_PREKEY)
    return prekey


def check_welcome(
    pinned: AccountId | None,
    identity: bytes,
    chain: tuple[bytes, ...],
    statement: bytes,
    tls_key: bytes,
    now_ms: int,
    *,
    known_identity: bytes = b"",
    restores: tuple[bytes, ...] = (),
) -> ServerStatement:
    """Whether a server is who it was: its founding identity, the way to its current one, and its statement.

    pinned: id of the founding identity, None at a first contact; chain: packed SignedStatements of identity
    changes; tls_key: SHA-256 of the public key (SubjectPublicKeyInfo, DER) of the certificate seen;
    known_identity: the current identity as last accepted, which the chain may only go on from; restores:
    packed SignedStatements by which its first ledger became the present one.

    Raises SecurityStop(identity-changed) where anything is false, Unavailable(statement-expired) where all is
    true but out of date, RemoteError where bytes are malformed.
    """
    founding = IdentityPublic.unpack(identity)
    server = account_id(founding)
    if pinned is not None and server != pinned:
        raise _false_server("another founding identity than the pinned one")
    passed = [founding]
    for seq, link in enumerate(chain, start=1):
        passed.append(_next_identity(passed[-1], seq, link))
    if known_identity and known_identity not in [each.pack() for each in passed]:
        raise _false_server("an identity that was known is not in the chain")
    signed = SignedStatement.unpack(statement)
    _check_statement_signature(passed[-1], signed)
    said = ServerStatement.unpack(signed.payload)
    LedgerPublic.unpack(said.ledger_key)
    if said.server != server or said.identity != passed[-1].pack():
        raise _false_server("a statement of another server or identity")
    if said.tls_key != tls_key:
        raise _false_server("a certificate that the statement does not name")
    if said.ledger != ledger_id(server, said.ledger_nonce):
        raise _false_server("a ledger id that is not this server's")
    check_restores(restores, said, tuple(passed))
    if not said.issued_ms - limits.CLOCK_SKEW_MS <= now_ms < said.expires_ms:
        raise Unavailable(Code.STATEMENT_EXPIRED, "the server's statement is not valid now")
    return said


def check_recorded(
    chain: tuple[bytes, ...], statement: bytes, view: LedgerView, restores: tuple[bytes, ...] = ()
) -> None:
    """Whether the ledger records what a server proved itself by: the statement under its number, and before
    it each change of identity and each restore, in order. So nobody is shown a certificate, an identity or a
    restore that others do not see.

    The view must go as far as the server's newest head. Raises SecurityStop(identity-changed), RemoteError.
    """
    signed = SignedStatement.unpack(statement)
    said = ServerStatement.unpack(signed.payload)
    *before, last = (b"", *view.statements(said.seq + 1))
    if last != signed.hash or len(before) != said.seq:
        raise _false_server("a statement that the ledger does not record")
    for links in (chain, restores):
        recorded = iter(before)
        if not all(SignedStatement.unpack(link).hash in recorded for link in links):
            raise _false_server("a change of identity or a restore that the ledger does not record")


def _next_identity(current: IdentityPublic, seq: int, link: bytes) -> IdentityPublic:
    signed = SignedStatement.unpack(link)
    _check_statement_signature(current, signed)
    change = IdentityStatement.unpack(signed.payload)
    if change.old != account_id(current) or change.seq != seq:
        raise _false_server("a chain of identities with a gap")
    return IdentityPublic.unpack(change.new)


def _check_statement_signature(identity: IdentityPublic, signed: SignedStatement) -> None:
    try:
        verify_identity(identity, signed.payload, signed.signature)
    except SealBroken as error:
        raise _false_server(error.note) from None


def _check_form(manifest: Manifest) -> None:
    """What must hold in any manifest, whatever came before it."""
    if manifest.account != account_id(IdentityPublic.unpack(manifest.identity)):
        raise bad_manifest("an account id that is not that of the identity")
    if (manifest.seq == 1) != (manifest.previous == NO_HASH):
        raise bad_manifest("a previous hash where there is no predecessor, or the reverse")
    if not could_be_name(manifest.name):
        raise bad_manifest("a name that nobody can have")
    check_devices(manifest.devices)


def _check_alone(manifest: Manifest) -> None:
    """An account begins with one device."""
    if len(manifest.devices) != 1 or not manifest.devices[0].live:
        raise bad_manifest("a first manifest without exactly one live device")


def _check_signatures(signed: SignedManifest, manifest: Manifest) -> None:
    entry = manifest.entry(signed.cosigner)
    if entry is None:
        raise bad_manifest("co-signed by an unknown device")
    identity = IdentityPublic.unpack(manifest.identity)
    _as(Code.BAD_MANIFEST, lambda: verify_identity(identity, signed.payload, signed.identity_signature))
    _as(Code.BAD_MANIFEST, lambda: verify_device(entry.ed25519, signed.payload, signed.device_signature))


def _as(code: Code, check: Callable[[], None]) -> None:
    """Run a check of base.signing under the code of what it belongs to."""
    try:
        check()
    except SealBroken as error:
        raise SealBroken(error.note, code) from None


def _stale(note: str) -> SealBroken:
    return SealBroken(note, Code.STALE_MANIFEST)


def _false_server(note: str) -> SecurityStop:
    return SecurityStop(Code.IDENTITY_CHANGED, note)

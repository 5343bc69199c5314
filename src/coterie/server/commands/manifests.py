"""What sign-up, new devices and changes of manifests have in common: checking, and what is to be kept."""

from __future__ import annotations

from collections.abc import Callable

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken
from coterie.base.ids import AccountId
from coterie.ledger.checks import check_prekey, check_successor
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import DeviceEntry, Manifest, PrekeyKind, SignedManifest, SignedPrekey
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.store.records import KeptManifest, KeyToKeep, NewDevice, NewLeaf, Record
from coterie.wire.refusals import SERVER_CODES

STANDING_KINDS = (PrekeyKind.FALLBACK, PrekeyKind.X_WING)


def refused_as(error: RemoteError | SealBroken, otherwise: Code) -> Refused:
    """The refusal that says what a check found; `otherwise` for what a server has no word for."""
    return Refused(error.code if error.code in SERVER_CODES else otherwise, error.note)


def offered(data: bytes, row: AccountRow) -> SignedManifest:
    """A manifest that this account may be given, or has already; no signature is looked at yet.

    So a device that lost a race, or repeats what it gave, costs next to nothing and no try.
    Raises Refused(bad-manifest, too-large, stale-manifest).
    """
    signed = unpack_manifest(data)
    manifest = signed.manifest
    if manifest.account != row.account:
        raise Refused(Code.BAD_MANIFEST, "a manifest of another account")
    if row.hash not in (manifest.previous, signed.hash):
        raise Refused(Code.STALE_MANIFEST, "a manifest that does not follow the newest one")
    return signed


def take_try(signed: SignedManifest, row: AccountRow, realm: Realm, now: Now) -> float:
    """0.0, or the seconds to wait: what comes next costs the server milliseconds, taken or not."""
    if signed.hash == row.hash:
        return 0.0
    return realm.rates.manifests.take(row.account, now.monotonic_seconds)


async def last_word(
    request: int, who: SignedIn, reads: Reads, realm: Realm, now: Now, checked: Callable[[AccountRow], Record]
) -> Outcome:
    """What ends an account, by its own word: tries are counted as those of manifests are. checked: what is to
    be saved, or Refused."""
    wait_seconds = realm.rates.manifests.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(request, Code.TOO_MANY_TRIES, wait_seconds)
    row = await reads.account(who.account)
    if row is None:
        return refusal(request, Code.UNKNOWN_PERSON)
    try:
        return Outcome(request, save=checked(row))
    except Refused as error:
        return refusal(request, error.code)


def unpack_manifest(data: bytes) -> SignedManifest:
    try:
        return SignedManifest.unpack(data)
    except RemoteError as error:
        code = Code.TOO_LARGE if error.code is Code.TOO_LARGE else Code.BAD_MANIFEST
        raise Refused(code, error.note) from None


def checked_successor(row: AccountRow, new: SignedManifest) -> SignedManifest:
    """The account's newest manifest, which `new` follows. Raises Refused."""
    old = SignedManifest.unpack(row.manifest)
    try:
        check_successor(old, new, cancelled=int(row.resetting))
    except (RemoteError, SealBroken) as error:
        raise refused_as(error, Code.BAD_MANIFEST) from None
    return old


def kept(signed: SignedManifest, manifest: Manifest) -> KeptManifest:
    return KeptManifest(manifest.seq, signed.hash, signed.pack())


def new_leaf(signed: SignedManifest, manifest: Manifest, previous: int) -> NewLeaf:
    """previous: index of the name's newest leaf, -1 for none."""
    hashed = name_hash(manifest.name)
    leaf = Leaf(LeafKind.MANIFEST, hashed, manifest.account, manifest.seq, signed.hash, previous)
    return NewLeaf(leaf.pack(), hashed, previous)


def checked_keys(
    packed: tuple[bytes, ...], account: AccountId, entry: DeviceEntry, now: Now
) -> tuple[KeyToKeep, ...]:
    """Prekeys that this device signed and that are not too old. Raises Refused(bad-key)."""
    keys = []
    for data in packed:
        try:
            prekey = check_prekey(
                SignedPrekey.unpack(data),
                account,
                entry.id,
                entry.ed25519,
                now.wall_ms,
                max_age_ms=limits.PREKEY_MAX_AGE_MS,
            )
        except (RemoteError, SealBroken) as error:
            raise Refused(Code.BAD_PREKEY, error.note) from None
        keys.append(KeyToKeep(prekey.kind, prekey.id, prekey.created_ms, data))
    return tuple(keys)


def first_keys(packed: tuple[bytes, ...], account: AccountId, entry: DeviceEntry, now: Now) -> NewDevice:
    """A new device with its keys, among them a fallback and an X-Wing prekey. Raises Refused(bad-key)."""
    keys = checked_keys(packed, account, entry, now)
    kinds = [key.kind for key in keys]
    if any(kinds.count(kind) != 1 for kind in STANDING_KINDS):
        raise Refused(Code.BAD_PREKEY, "not one fallback and one X-Wing prekey")
    return NewDevice(entry.id, entry.ed25519, keys)

"""OfferManifests -> Accepted: what a restored copy lacks of accounts comes back (docs/protocol.md 3.13).

Nothing is believed that does not prove itself: a manifest as the successor of the one here, a deletion by its
owner's signature, and an account that is not here by its leaf in the ledger before, under a head that this
server signed. So nobody comes in by this who had not come in before.
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken
from coterie.base.ids import AccountId
from coterie.base.names import canonical
from coterie.ledger.checks import check_alone, check_newest, check_successor
from coterie.ledger.deletion import SignedDeletion, check_deletion
from coterie.ledger.heads import Head, SignedHead, check_head
from coterie.ledger.leaves import Leaf
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.restores import unpack_restores
from coterie.ledger.tree import verify_inclusion
from coterie.server.caller import Caller
from coterie.server.commands.manifests import kept, refused_as, unpack_manifest
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.store.records import NewDevice, OfferedAccount, TakeOffers
from coterie.wire.frames import Accepted, OfferManifests, Refusal
from coterie.wire.frames.offers import OfferedManifests


async def handle(frame: OfferManifests, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Of several accounts those that do not hold are passed over; of one alone it is said why. Either
    answer names the size of the ledger that shows how things stand with all of them."""
    alone = len(frame.accounts) == 1
    if not realm.restores or (who.signed_in is None and not alone):
        return refusal(frame.request, Code.STALE_MANIFEST)
    asking = who.address if who.signed_in is None else who.signed_in.account
    offers: list[OfferedAccount] = []
    for offered in frame.accounts:
        try:
            row, signed = await _news(offered, reads)
            limited = who.signed_in is not None or not who.loopback
            wait_seconds = (
                realm.rates.offers.take(asking, now.monotonic_seconds, len(signed)) if limited else 0
            )
            if wait_seconds:
                return refusal(frame.request, Code.BUSY, wait_seconds)
            offer = _checked(offered, frame.head, row, signed, realm)
        except Refused as error:
            if alone:
                size = await reads.ledger_size()
                return Outcome(
                    frame.request, reply=(Refusal(frame.request, error.code.value, ledger_size=size),)
                )
            continue
        if offer is not None:
            offers.append(offer)
    if not offers:
        return Outcome(frame.request, reply=(Accepted(frame.request, await reads.ledger_size()),))
    return Outcome(frame.request, save=TakeOffers(tuple(offers), now.wall_ms))


async def _news(
    offered: OfferedManifests, reads: Reads
) -> tuple[AccountRow | None, tuple[SignedManifest, ...]]:
    """The account as it stands here, and the manifests after that; no signature is looked at yet."""
    manifests = tuple(unpack_manifest(each) for each in offered.manifests)
    account = manifests[-1].manifest.account
    row = await reads.account(account)
    if row is None and await reads.deletion(account) is not None:
        raise Refused(Code.DELETED)
    known = row.seq if row is not None else 0
    return row, tuple(each for each in manifests if each.manifest.seq > known)


def _checked(
    offered: OfferedManifests,
    head: bytes,
    row: AccountRow | None,
    new: tuple[SignedManifest, ...],
    realm: Realm,
) -> OfferedAccount | None:
    """What to take; None where all of it stands here and in this life's ledger. Raises Refused."""
    if row is not None and row.leaf >= 0 and not new and not offered.deletion:
        return None
    try:
        if row is None:
            _check_was_there(offered, head, new, realm)
        else:
            _check_follows(SignedManifest.unpack(row.manifest), new)
        newest = new[-1] if new else SignedManifest.unpack(row.manifest if row is not None else b"")
        tombstone = _tombstone(offered.deletion, newest)
    except (RemoteError, SealBroken) as error:
        raise refused_as(error, Code.BAD_MANIFEST) from None
    manifest = newest.manifest
    return OfferedAccount(
        account=AccountId(manifest.account),
        name=manifest.name,
        base=row.hash if row is not None else b"",
        manifests=tuple(kept(each, each.manifest) for each in new),
        devices=tuple(NewDevice(each.id, each.ed25519) for each in manifest.devices),
        revoked=tuple(each.id for each in manifest.devices if not each.live),
        deletion=offered.deletion,
        tombstone=tombstone,
        salt=realm.salt_for_nobody(manifest.name),
    )


def _check_follows(before: SignedManifest, new: tuple[SignedManifest, ...]) -> None:
    """Numbers may have gone to resets of the name in between; the hash says what follows what."""
    for signed in new:
        passed = max(0, signed.manifest.seq - before.manifest.seq - 1)
        check_successor(before, signed, cancelled=passed)
        before = signed


def _check_was_there(
    offered: OfferedManifests, head: bytes, new: tuple[SignedManifest, ...], realm: Realm
) -> None:
    """An account that the copy does not know: it stood in a ledger of this server before."""
    if not new:
        raise Refused(Code.BAD_MANIFEST, "nothing is offered")
    leaf = Leaf.unpack(offered.leaf)
    signed = SignedHead.unpack(head)
    ledger = Head.unpack(signed.payload).ledger
    if ledger not in {each.old_ledger for each in unpack_restores(realm.restores)}:
        raise Refused(Code.BAD_MANIFEST, "a head of none of this server's ledgers")
    proven = check_head(signed, realm.ledger_key, ledger)
    verify_inclusion(offered.leaf, offered.index, proven.size, offered.path, proven.root)
    manifest = new[-1].manifest
    if canonical(manifest.name) != manifest.name:
        raise Refused(Code.BAD_NAME, "not in its canonical form")
    if offered.deletion:
        if leaf.hash != SignedDeletion.unpack(offered.deletion).hash:
            raise Refused(Code.BAD_MANIFEST, "another deletion than the one in the ledger before")
        check_alone(new[-1])
    else:
        check_newest(new[-1], leaf)
    check_alone(new[0])
    _check_follows(new[0], new[1:])


def _tombstone(deletion: bytes, newest: SignedManifest) -> tuple[bytes, int]:
    """Hash and number of a deletion that holds."""
    if not deletion:
        return b"", 0
    signed = SignedDeletion.unpack(deletion)
    passed = max(0, signed.deletion.seq - newest.manifest.seq - 1)
    check_deletion(newest, signed, cancelled=passed)
    return signed.hash, signed.deletion.seq

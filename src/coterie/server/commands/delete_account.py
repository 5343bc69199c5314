"""DeleteAccount -> Accepted: an account ends, by the word of its identity and of a live device (encryption
rules 2 and 4)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError, SealBroken
from coterie.ledger.deletion import SignedDeletion, check_deletion
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.ledger.manifest import SignedManifest
from coterie.server.caller import SignedIn
from coterie.server.commands.manifests import last_word, refused_as
from coterie.server.commands.outcome import Outcome
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import AccountRow, Reads
from coterie.server.store.records import EndAccount, NewLeaf
from coterie.wire.frames import DeleteAccount


async def handle(frame: DeleteAccount, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    return await last_word(frame.request, who, reads, realm, now, lambda row: _checked(frame, row))


def _checked(frame: DeleteAccount, row: AccountRow) -> EndAccount:
    """One that passes over a reset of the name cancels it, as a manifest does."""
    try:
        signed = SignedDeletion.unpack(frame.deletion)
        check_deletion(SignedManifest.unpack(row.manifest), signed, cancelled=int(row.resetting))
    except RemoteError as error:
        raise Refused(Code.BAD_MANIFEST, error.note) from None
    except SealBroken as error:
        raise refused_as(error, Code.BAD_MANIFEST) from None
    deletion = signed.deletion
    if deletion.seq != row.seq + 1 + int(row.resetting):
        raise Refused(Code.STALE_MANIFEST, "a deletion that does not follow the newest manifest")
    leaf = Leaf(LeafKind.TOMBSTONE, deletion.name_hash, deletion.account, deletion.seq, signed.hash, row.leaf)
    return EndAccount(
        account=row.account,
        previous=deletion.previous,
        deletion=frame.deletion,
        leaf=NewLeaf(leaf.pack(), deletion.name_hash, row.leaf),
    )

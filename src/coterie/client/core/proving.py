"""Whether an account is what its newest leaf says (encryption rules 2, 9, 19 and 22)."""

from __future__ import annotations

import msgspec

from coterie.base.changed_by import ChangedBy
from coterie.base.codes import Code
from coterie.base.errors import SealBroken, SecurityStop
from coterie.base.ids import AccountId
from coterie.client.core.account_rows import account_row
from coterie.client.core.people import People
from coterie.client.store.records import AccountRow
from coterie.ledger.checks import check_newest, check_successor
from coterie.ledger.deletion import SignedDeletion, check_tombstone
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.succession import SignedSuccession, check_heir_leaf, heir_device
from coterie.wire.frames.accounts import AccountRecord


class Proving:
    """Holds what the server gave of an account against the ledger. Saves nothing."""

    def __init__(self, people: People) -> None:
        self._people = people

    def prove(self, record: AccountRecord, view: LedgerView) -> AccountRow | None:
        """The account's row as its newest leaf says; None where the answer does not reach that leaf. Raises
        SealBroken, RemoteError, SecurityStop."""
        account = AccountId(record.account)
        found = view.newest_of_account(account)
        known = self._people.rows.get(account)
        if known is not None and view.follows and (found is None or found[1].seq < known.seq):
            return None
        if found is None:
            raise SealBroken("an account that is not in the ledger")
        _, leaf = found
        if known is not None and known.seq == leaf.seq:
            return known
        if leaf.kind is LeafKind.TOMBSTONE:
            return self._ended(record, known, leaf, view)
        chain = [SignedManifest.unpack(packed) for packed in record.manifests]
        chain = [signed for signed in chain if signed.manifest.seq <= leaf.seq]
        if not chain or chain[-1].manifest.seq < leaf.seq:
            return None
        if known is not None:
            _follow(SignedManifest.unpack(known.manifest), chain, view)
        check_newest(chain[-1], leaf)
        row = account_row(chain[-1], known)
        if any(self._people.owner_of(each.device) not in (None, account) for each in row.devices):
            raise SealBroken("a device id of another account", Code.BAD_MANIFEST)
        return row if known is not None else self._heir(record, row, view)

    def _heir(self, record: AccountRecord, row: AccountRow, view: LedgerView) -> AccountRow | None:
        """An account that is proven for the first time. Where its leaf says that it follows another by that
        one's word, and somebody of this name was known here, that word has to be there: signed by the
        identity before and by a device that is live in its newest list, which is proven first."""
        began = view.succession(row.account)
        if began is None or not self._people.knew(began[1].name_hash, began[1].seq):
            return row
        before, leaf = self._people.rows.get(began[0]), began[1]
        if before is None or before.seq + 1 != leaf.seq:
            return None
        signed = SignedSuccession.unpack(record.succession)
        newest = SignedManifest.unpack(before.manifest)
        check_heir_leaf(newest, signed, leaf)
        if before.account == self._people.me:
            check_goes_along(self._people, row)
        entry = newest.manifest.entry(signed.cosigner)
        by = ChangedBy.RECOVERY if entry is not None and entry.marked else ChangedBy.DEVICE
        return msgspec.structs.replace(
            row, changed_ms=signed.succession.time_ms, changed_by=by, from_ms=before.from_ms
        )

    def _ended(
        self, record: AccountRecord, known: AccountRow | None, leaf: Leaf, view: LedgerView
    ) -> AccountRow | None:
        """An account as its owner's signed deletion leaves it; None where no proof came.

        A server that ends an account by itself gains no more than by not serving it: for others the account
        is unproven from then on. Its own devices know better: SecurityStop(identity-changed).
        """
        if known is not None and record.deletion:
            signed = SignedDeletion.unpack(record.deletion)
            cancelled = view.cancelled_between(AccountId(leaf.account), known.seq, leaf.seq)
            check_tombstone(SignedManifest.unpack(known.manifest), signed, leaf, cancelled=cancelled)
            return msgspec.structs.replace(known, seq=leaf.seq, deleted_ms=max(1, signed.deletion.time_ms))
        if leaf.account == self._people.me:
            raise SecurityStop(Code.IDENTITY_CHANGED, "the own account was ended by none of its devices")
        return None


def _follow(before: SignedManifest, chain: list[SignedManifest], view: LedgerView) -> None:
    """Each manifest after one that is known, by the one before it. Raises SealBroken."""
    for signed in chain:
        if signed.manifest.seq > before.manifest.seq:
            seqs = (before.manifest.seq, signed.manifest.seq)
            cancelled = view.cancelled_between(AccountId(signed.manifest.account), *seqs)
            check_successor(before, signed, cancelled=cancelled)
            before = signed


def check_goes_along(people: People, heir: AccountRow) -> None:
    """The own account goes on: with this device, or it was taken from its owner. Raises SecurityStop."""
    mine = people.device_of(people.me, people.device)
    there = {each.device: each.ed25519 for each in heir.devices}
    if mine is None or there.get(heir_device(people.device, heir.account)) != mine.ed25519:
        raise SecurityStop(Code.IDENTITY_CHANGED, "the own account goes on without this device")

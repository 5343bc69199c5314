"""Bringing people back to a server that was restored from a copy (docs/protocol.md 3.13; decision 0039).

Its new ledger knows nobody until somebody brings their newest manifest. Each device brings the highest one
that it knows of everybody who is not there, or stands there by an older one: its own account at once, others
after a moment, when most are back. Until a name has come as far as it is known here nothing is sealed for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SecurityStop
from coterie.base.ids import AccountId, UserName
from coterie.client.core.old_ledger import OldLedger
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.requests import ManifestsOffered, Requests
from coterie.client.events import NameWentBack
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import NEVER_MS, AccountRow, PastSigned
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import OfferManifests
from coterie.wire.frames.offers import OfferedManifests

PAUSE_MS = 300
JITTER_MS = 1200
PER_PERSON_MS = 2
"""So long each that others may bring them meanwhile: a crowd does not bring everybody a thousand times."""
PAST_MOST = 64
_jitter = secrets.SystemRandom()


class Returning:
    """Works only in a ledger that began after a restore."""

    def __init__(self, reads: Reads, people: People, requests: Requests, profile: Profile) -> None:
        self._reads = reads
        self._people = people
        self._requests = requests
        self._active = profile.goes_on
        self.behind: set[AccountId] = set()
        """Who is not in the ledger as far as known here."""
        self.gone_back: set[AccountId] = set()
        """Of whom the ledger says something else than what their own devices signed, as known here."""
        self._offered: set[AccountId] = set()
        self.answered: set[AccountId] = set()
        """Whom this device has brought on this connection: there is no more to wait for."""
        self._promised: list[tuple[int, tuple[AccountId, ...]]] = []
        """In a ledger of which size the server says that they stand."""
        self._told: set[AccountId] = set()
        self._live = False
        self.wake_at_ms: int | None = None
        """When to bring others."""
        self._has_waited = False
        """That time is over, and it is not done yet: then there is no clock to wait for any more."""

    def load(self, view: LedgerView) -> None:
        """Look at everybody (at the start, and after a failed commit)."""
        self.behind.clear()
        if not self._active:
            return
        for row in self._people.rows.values():
            if not self._stands(row, view) and self._counts(row):
                self.behind.add(row.account)
            found = view.newest_of_account(row.account)
            if found is not None and found[1].seq == row.seq and found[1].kind is LeafKind.MANIFEST:
                self.accepts(row, found[1])

    def _counts(self, row: AccountRow) -> bool:
        return row.from_ms < NEVER_MS and not self._people.is_replaced(row.account)

    def _stands(self, row: AccountRow, view: LedgerView) -> bool:
        found = view.newest_of_account(row.account)
        return found is not None and found[1].seq >= row.seq

    def came(self, leaf: Leaf) -> None:
        """A leaf of somebody was proven."""
        account = AccountId(leaf.account)
        row = self._people.rows.get(account)
        if account in self.behind and (row is None or leaf.seq >= row.seq):
            self.behind.discard(account)

    def not_here(self, name: UserName, view: LedgerView) -> frozenset[AccountId]:
        """Who had a name in the ledger before, and does not stand in this one."""
        rows = self._people.rows.values() if self._active else ()
        gone = (each.account for each in rows if each.name == name)
        return frozenset(each for each in gone if view.newest_of_account(each) is None)

    def accepts(self, known: AccountRow, leaf: Leaf) -> bool:
        """Whether a leaf that is not newer than what is known here may be taken: in a ledger that goes on, an
        older one by which a name has come back so far. One that its owner did not sign so stays noted."""
        if not self._active:
            return False
        signed = SignedManifest.unpack(known.manifest)
        hashes = {each.seq: SignedManifest.unpack(each.signed).hash for each in self._past(known)}
        hashes |= {signed.manifest.seq - 1: signed.manifest.previous, signed.manifest.seq: signed.hash}
        if hashes.get(leaf.seq, leaf.hash) != leaf.hash:
            self.gone_back.add(known.account)
        return True

    def connected(self, now_ms: int) -> Outcome:
        """The own account first of all: what else this device says of it follows from there."""
        self._live = True
        self._offered.clear()
        self.answered.clear()
        self._promised.clear()
        self._told.clear()
        self.wake_at_ms, self._has_waited = None, False
        if not self.behind:
            return NOTHING
        others = len(self.behind)
        wait_ms = PAUSE_MS + _jitter.randrange(JITTER_MS + PER_PERSON_MS * others)
        self.wake_at_ms = now_ms + wait_ms
        return self._offer([each for each in (self._people.me,) if each in self.behind], now_ms)

    def disconnected(self) -> None:
        self._live = False
        self.wake_at_ms = None

    def own_offer(self, request: int) -> OfferManifests | None:
        """For a server that does not know this device; None where there is nothing to bring."""
        row = self._people.rows.get(self._people.me) if self._active else None
        if row is None:
            return None
        old = OldLedger(self._reads)
        return OfferManifests(request, (self._offered_of(row, old),), old.head)

    def due(self, view: LedgerView, now_ms: int, *, current: bool) -> Outcome:
        """All leaves are here (current): bring who is missing still, once on each connection; and tell of
        whom the server shows an older manifest although it was given the newer one."""
        if self.wake_at_ms is not None and now_ms >= self.wake_at_ms:
            self.wake_at_ms, self._has_waited = None, True
        if not self._live or not current or not (self.behind or self.gone_back):
            return NOTHING
        offer = NOTHING
        if self._has_waited:
            self._has_waited = False
            offer = self._offer(sorted(self.behind - self._offered), now_ms)
        stays = {each for each in self.behind & self.answered if view.newest_of_account(each) is not None}
        self.gone_back |= stays
        tell = self.gone_back - self._told
        self._told |= tell
        show = tuple(NameWentBack(self._people.person(each)) for each in sorted(tell))
        return Outcome(send=offer.send, show=show)

    def was_answered(self, asked: ManifestsOffered, size: int) -> None:
        """The server took what it lacked of these, or will not. size: of the ledger that shows it."""
        self._promised.append((size, asked.accounts))

    def shown(self, size: int) -> None:
        """So many leaves are proven here: whom they should have brought back by now is not waited for."""
        for promised, accounts in self._promised:
            if promised <= size:
                self.answered.update(accounts)
        self._promised = [each for each in self._promised if each[0] > size]

    @property
    def awaited_no_more(self) -> set[AccountId]:
        """Who is not back although this device has brought them: nothing is sealed for them, others go on."""
        return self.answered & self.behind

    def check(self, account: bytes) -> None:
        """Raises SecurityStop(ledger-split) for somebody of whom the server shows less than is known here."""
        if account in self.gone_back:
            raise SecurityStop(Code.LEDGER_SPLIT, "a name that went backwards over a restore")

    def _offer(self, accounts: list[AccountId], now_ms: int) -> Outcome:
        """In frames of bounded size."""
        self._offered.update(accounts)
        rows = [self._people.rows[each] for each in accounts if each in self._people.rows]
        frames = tuple(self._frames(rows, now_ms)) if rows else ()
        return Outcome(send=frames)

    def _frames(self, rows: list[AccountRow], now_ms: int) -> Iterator[OfferManifests]:
        old = OldLedger(self._reads)
        batch: list[OfferedManifests] = []
        whose: list[AccountId] = []
        size = 0
        for row in rows:
            offered = self._offered_of(row, old)
            weight = sum(map(len, offered.manifests)) + len(offered.deletion)
            if batch and (len(batch) == limits.OFFERS_PER_FRAME or size + weight > limits.OFFERED_BYTES):
                yield self._frame(batch, whose, old.head, now_ms)
                batch, whose, size = [], [], 0
            batch.append(offered)
            whose.append(row.account)
            size += weight
        yield self._frame(batch, whose, old.head, now_ms)

    def _frame(
        self, batch: list[OfferedManifests], whose: list[AccountId], head: bytes, now_ms: int
    ) -> OfferManifests:
        request = self._requests.new(ManifestsOffered(tuple(whose)), now_ms)
        return OfferManifests(request, tuple(batch), head)

    def _offered_of(self, row: AccountRow, old: OldLedger) -> OfferedManifests:
        manifests: list[bytes] = []
        size = len(row.manifest)
        for each in reversed(self._past(row)):
            size += len(each.signed)
            if size > limits.OFFERED_BYTES or len(manifests) + 1 == PAST_MOST:
                break
            manifests.insert(0, each.signed)
        ended = [each.signed for each in self._reads.past(row.account) if each.since_ms == NEVER_MS]
        leaf, index, path = old.of(row.account)
        return OfferedManifests((*manifests, row.manifest), ended[0] if ended else b"", leaf, index, path)

    def _past(self, row: AccountRow) -> list[PastSigned]:
        return [each for each in self._reads.past(row.account) if each.since_ms < NEVER_MS]

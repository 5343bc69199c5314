"""Keeping the whole ledger, and every account as its newest leaf says (encryption rules 9, 19, 21).

Leaves count only once a signed head covers them and its root is the one computed here; manifests only once
they match their leaf. A server that contradicts itself stops everything (SecurityStop).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SealBroken, SecurityStop
from coterie.base.ids import AccountId
from coterie.client.core.account_news import news_of
from coterie.client.core.account_rows import newer, replaced
from coterie.client.core.alarms import OwnDevices, Witness
from coterie.client.core.freshness import Freshness
from coterie.client.core.held import Held
from coterie.client.core.peer_prekeys import proven_keys
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.proving import Proving
from coterie.client.core.recorded import Recorded
from coterie.client.core.requests import AccountsAsked, LeavesAsked, ManifestsOffered, Requests
from coterie.client.core.resets import Resets
from coterie.client.core.returning import Returning
from coterie.client.core.standing import changed, first_seen
from coterie.client.core.unledgered import Unledgered
from coterie.client.events import Event
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AccountRow, PutLeaves, Record, Setting
from coterie.ledger.heads import Head, SignedHead
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.manifest import SignedManifest
from coterie.wire.frames import Accounts, ClientFrame, FetchAccounts, FetchLeaves, Leaves, Ready
from coterie.wire.frames.accounts import AccountRecord, KnownAccount

log = logging.getLogger("coterie.client.trust")


class Trust:
    """The ledger as this client computed it, and what still has to be fetched."""

    def __init__(self, reads: Reads, profile: Profile, people: People, requests: Requests) -> None:
        self._reads = reads
        self._profile = profile
        self._people = people
        self.own = OwnDevices(reads, people)
        self._proving = Proving(people)
        self.held = Held(reads, people)
        self.witness = Witness(reads, profile)
        self.freshness = Freshness(reads)
        self._recorded = Recorded(reads)
        self.resets = Resets(people)
        self.unledgered = Unledgered(people)
        self._requests = requests
        self._goes_on = profile.goes_on
        self.returning = Returning(reads, people, requests, profile)
        self._fetching = False
        self._refused: set[AccountId] = set()
        self.view = LedgerView(follows=self._goes_on)
        self._pending: list[bytes] = []
        self._head_size = 0
        self._hinted = 0
        self._nothing_came = False
        self._asked_ahead = 0
        self._lacking = people.unproven
        self._aged: list[AccountId] = []
        """Accounts with prekeys that may have been renewed since they came: asked for in the background."""
        self.wake_at_ms: int | None = None
        """When to look for such prekeys again."""
        self.load()

    def load(self) -> None:
        """Read the ledger from the store (at the start and after a failed commit)."""
        self.view = LedgerView.from_leaves(self._reads.leaves(), follows=self._goes_on)
        self._pending.clear()
        self._head_size = self.view.size
        self._hinted = 0
        self._lacking.clear()
        self.returning.load(self.view)
        self._lacking.update(self.returning.behind)
        for account, leaf in self.view.newest_leaves():
            self._note(account, leaf)

    @property
    def current(self) -> bool:
        """Whether something may be sealed by what is known: every leaf of the newest head is here, so that
        revocations up to it are known, and the own account does not go on as another one."""
        return self._is_whole and self.view.heir(self._people.me) is None

    @property
    def synced(self) -> bool:
        """Current, and every account stands as its newest leaf says."""
        return self.current and self.settled

    @property
    def settled(self) -> bool:
        """Every leaf is here, and every account stands as its newest leaf says."""
        waits = self._lacking - self._refused - self.returning.awaited_no_more
        return self._is_whole and not waits

    @property
    def _is_whole(self) -> bool:
        """Every leaf of the newest head is here. What the server merely spoke of has been asked for; what it
        showed to others has come."""
        known = max(self._head_size, self._hinted, self.witness.ahead)
        return self.view.size >= known and not self._pending

    def lacks(self, account: AccountId) -> bool:
        """Whether the newest manifest of an account has not come yet. An answer that does not reach it, or
        does not hold, changes nothing: else a server could hide a revocation by withholding it."""
        return account in self._lacking or self._followed(account)

    def _followed(self, account: AccountId) -> bool:
        """Whether the ledger gives an account's name to another one, whose manifest has not come yet. Of one
        that was ended before it was proven here it never comes, and the name does not go back."""
        row = self._people.rows.get(account)
        found = self.view.newest_of_name(name_hash(row.name)) if row else None
        if found is None or found[1].account == account:
            return False
        return found[1].account in self._lacking or found[1].account not in self._people.rows

    def connected(self, ready: Ready, now_ms: int) -> Outcome:
        self._fetching = False
        self._refused.clear()
        self._head_size = self.view.size
        self._hinted = 0
        self._nothing_came = False
        self._asked_ahead = 0
        self._look_for_aged(now_ms)
        outcome = self.grew(ready.head, now_ms)
        self._recorded.connected(self._head_size, self.view, self._proven)
        due = self.resets.due(now_ms, current=self.current)
        return Outcome(due.save, outcome.send, due.show)

    def disconnected(self) -> None:
        self._fetching = False
        self.freshness.disconnected()
        self.returning.disconnected()
        self.wake_at_ms = self.resets.wake_at_ms = None

    def tick(self, now_ms: int) -> Outcome:
        """Names whose time has come begin anew. Once a day: ask for prekeys that have aged."""
        due = self.resets.due(now_ms, current=self.current)
        if self.wake_at_ms is None or now_ms < self.wake_at_ms:
            return due
        self._look_for_aged(now_ms)
        return Outcome(due.save, self._fetch(now_ms), due.show)

    def after_turn(self, now_ms: int) -> Outcome:
        """Ask once for leaves that others were shown; say what is doubtful. Who does not get them seals
        nothing (rule 20: that is no proof of fraud, and no view to send by)."""
        ahead = self.witness.ahead
        send: tuple[ClientFrame, ...] = ()
        if ahead > max(self._asked_ahead, self.view.size):
            self._asked_ahead = self._hinted = max(self._hinted, ahead)
            send = self._fetch(now_ms)
        withheld = ahead > self.view.size >= max(self._head_size, self._hinted) and not self._fetching
        back = self.returning.due(self.view, now_ms, current=self.current)
        doubts = self.freshness.tell(now_ms, withheld=withheld)
        return Outcome(send=(*send, *back.send), show=(*doubts, *back.show))

    def renew(self, account: AccountId, now_ms: int) -> Outcome:
        """Somebody has no prekeys that would do: ask whether there are others by now."""
        if account not in self._aged:
            self._aged.insert(0, account)
        return Outcome(send=self._fetch(now_ms))

    def _look_for_aged(self, now_ms: int) -> None:
        self._aged = self._reads.aged_accounts(now_ms - limits.PREKEY_ROTATE_MS)
        self.wake_at_ms = now_ms + limits.DAY_MS

    def grew(self, head: bytes, now_ms: int) -> Outcome:
        """The server has published a head. What was not proven before is asked for once more."""
        self._refused.clear()
        said = self._checked(head)
        self._head_size = max(self._head_size, said.size)
        self.freshness.seen(said, now_ms)
        return Outcome(send=self._fetch(now_ms))

    def brought(self, asked: ManifestsOffered, size: int, now_ms: int) -> Outcome:
        """The server has been given what it may lack of people; a ledger of this size shows it."""
        self.returning.was_answered(asked, size)
        self.returning.shown(self._proven)
        return self.want(size, (), now_ms)

    def want(self, size: int, accounts: Iterable[AccountId], now_ms: int) -> Outcome:
        """The server spoke of a ledger of this size, and of devices of accounts that may be well again: a
        hint to ask for both, no more (rule 21)."""
        self._lacking.update(account for account in accounts if account in self._people.rows)
        self._hinted = max(self._hinted, size)
        return Outcome(send=self._fetch(now_ms))

    def leaves(self, frame: Leaves, now_ms: int) -> Outcome:
        """Take leaves; keep them once the head that came with them proves them."""
        self._fetching = False
        if frame.start != self.view.size:
            return Outcome(send=self._fetch(now_ms))
        head = self._checked(frame.head)
        if head.size < self.view.size:
            raise RemoteError(Code.BAD_FRAME, "a head behind the leaves that were given")
        before = self._proven
        for at, packed in enumerate(frame.leaves):
            if self.view.size == head.size:
                break
            try:
                self._take(packed)
            except SealBroken as broken:
                more = (*self._pending, *frame.leaves[at:])
                raise self.witness.broken(broken.note, frame.head, head, more) from None
        if self.view.size < head.size:
            if not frame.leaves:
                raise RemoteError(Code.BAD_FRAME, "the ledger ends before its head")
            self._head_size = max(self._head_size, head.size)
            return Outcome(send=self._fetch(now_ms))
        if self.view.root() != head.root:
            raise SecurityStop(Code.LEDGER_SPLIT, "the head's root is not that of the leaves")
        self.witness.grown(self.view, frame.head)
        self.freshness.seen(head, now_ms)
        self._hinted = 0
        proven, self._pending = tuple(self._pending), []
        for packed in proven:
            leaf = Leaf.unpack(packed)
            self._note(AccountId(leaf.account), leaf)
        self._recorded.grown(self.view, self._proven)
        self.returning.shown(self._proven)
        self._check_progress(frame, head)
        self._head_size = max(self._head_size, head.size)
        cancelled = self.resets.cancelled(self.view, self._head_ms)
        due = self.resets.due(now_ms, current=self.current)
        return Outcome(
            save=(PutLeaves(before, proven, frame.head), *cancelled.save, *due.save),
            send=self._fetch(now_ms),
            show=(*cancelled.show, *due.show),
        )

    def _check_progress(self, frame: Leaves, head: Head) -> None:
        """A head that was told of may overtake an answer, once; a ledger that is never shown was made up."""
        nothing_came = not frame.leaves and head.size < self._head_size
        if nothing_came and self._nothing_came:
            raise RemoteError(Code.BAD_FRAME, "a ledger as large as the server said is not there")
        self._nothing_came = nothing_came

    def accounts(self, frame: Accounts, asked: tuple[AccountId, ...], now_ms: int) -> Outcome:
        """Take manifests and prekeys; what does not match its leaf is left unproven."""
        self._fetching = False
        save: list[Record] = []
        show: list[Event] = []
        got = {AccountId(record.account) for record in frame.accounts}
        for record in sorted(frame.accounts, key=self._place):
            try:
                row = self._proving.prove(record, self.view)
            except SecurityStop:
                raise
            except (SealBroken, RemoteError) as error:
                log.warning("an account does not match the ledger: %s", error.code.value)
                self._refused.add(AccountId(record.account))
                show.extend(self.unledgered.shown(record))
                continue
            if row is None:
                self._refused.add(AccountId(record.account))
                continue
            known = self._people.rows.get(row.account)
            if known is None:
                gone = self.returning.not_here(row.name, self.view)
                row = first_seen(self._people, row, self._head_ms, gone)
                announced = self.resets.announced(row, now_ms, gone)
                save.extend(announced.save)
                show.extend(announced.show)
                (row,) = (each for each in announced.save if isinstance(each, AccountRow))
            else:
                save += (*replaced(known, row, record, now_ms), row)
            self._people.saved(row)
            self._lacking.discard(row.account)
            self._refused.discard(self.view.heir(row.account) or row.account)
            save.extend(proven_keys(row, record.keys, self._reads, now_ms))
            show.extend(news_of(self._people, known, row))
            if known is None:
                show.extend(changed(self._people, row))
            show.extend(self.held.questions(row.account, known))
            asked_about = self.own.changed(known, row) if newer(known, row) else NOTHING
            save.extend(asked_about.save)
            show.extend(asked_about.show)
        if not got.intersection(asked):
            self._refused.update(asked)
        return Outcome(save=tuple(save), send=self._fetch(now_ms), show=tuple(show))

    def _place(self, record: AccountRecord) -> int:
        """Accounts in the order of the ledger: one that follows another is proven after it."""
        found = self.view.newest_of_account(AccountId(record.account))
        return found[0] if found else 0

    def heard(self, head: bytes) -> None:
        """A head out of somebody's message (rule 14). Raises SecurityStop where it proves a split view."""
        self.witness.heard(head, self.view, self._proven)

    def _checked(self, packed: bytes) -> Head:
        """A head of the pinned ledger that agrees with the leaves kept here, as far as both go."""
        return self.witness.signed(packed, self.view, self._proven)

    @property
    def _proven(self) -> int:
        """How many leaves a signed head covers."""
        return self.view.size - len(self._pending)

    @property
    def _head_ms(self) -> int:
        """The time of the newest signed head."""
        head = self._reads.setting(Setting.HEAD)
        return Head.unpack(SignedHead.unpack(head).payload).time_ms if head else 0

    def _take(self, packed: bytes) -> None:
        """One leaf after those that are here. A name that goes backwards, or has two leaves of one number,
        stops everything (rule 20)."""
        leaf = self.view.append(packed)
        self._pending.append(packed)
        known = self._people.rows.get(AccountId(leaf.account))
        if known is None or leaf.kind is not LeafKind.MANIFEST or known.seq < leaf.seq:
            return
        if self.returning.accepts(known, leaf):
            return
        if SignedManifest.unpack(known.manifest).hash != leaf.hash:
            raise SecurityStop(Code.LEDGER_SPLIT, "a leaf behind the manifest that was proven before")

    def _note(self, account: AccountId, leaf: Leaf) -> None:
        row = self._people.rows.get(account)
        if leaf.kind is LeafKind.SERVER or (leaf.kind is LeafKind.TOMBSTONE and row is None):
            return
        passed = row is None and self.view.heir(account) is not None
        if (passed and not self._people.knew(leaf.name_hash, leaf.seq)) or self.view.is_void(account):
            self._lacking.discard(account)
            return
        self.returning.came(leaf)
        if row is None or row.seq < leaf.seq:
            self._lacking.add(account)
            self._refused.discard(account)
        elif self._goes_on and account not in self.returning.behind | self.returning.gone_back:
            self._lacking.discard(account)

    def _fetch(self, now_ms: int) -> tuple[ClientFrame, ...]:
        """The next thing to ask for: leaves first, then accounts, one request at a time."""
        if self._fetching:
            return ()
        if self.view.size < max(self._head_size, self._hinted):
            self._fetching = True
            request = self._requests.new(LeavesAsked(self.view.size), now_ms)
            return (FetchLeaves(request, self.view.size),)
        wanted = tuple(sorted(self._lacking - self._refused - self.returning.behind))[
            : limits.ACCOUNTS_PER_FRAME
        ]
        if not wanted:
            wanted = tuple(self._aged[: limits.ACCOUNTS_PER_FRAME])
            del self._aged[: limits.ACCOUNTS_PER_FRAME]
        if not wanted:
            return ()
        self._fetching = True
        request = self._requests.new(AccountsAsked(wanted), now_ms)
        return (FetchAccounts(request, tuple(self._known(account) for account in wanted)),)

    def _known(self, account: AccountId) -> KnownAccount:
        row = self._people.rows.get(account)
        return KnownAccount(account, row.seq if row else 0)

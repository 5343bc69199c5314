"""Names that begin anew with another identity: everything of the one before was lost (rules 2 and 22).

A reset that somebody sees counts 24 hours later for them, by their own clock, whatever the server says about
time; a manifest of the account before, in the ledger by then, cancels it. Until then the name means the
account before, and nothing is sealed for the new one. docs/protocol.md 2.7.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from coterie.base import limits
from coterie.base.changed_by import ChangedBy
from coterie.base.ids import AccountId
from coterie.client.core.people import People
from coterie.client.core.standing import changed, former_of
from coterie.client.events import Event, NameReset, ResetState
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import NEVER_MS, AccountRow, Record, Standing
from coterie.ledger.leaves import LedgerView


class Resets:
    """Which identity a name stands for, and from when on."""

    def __init__(self, people: People) -> None:
        self._people = people
        self.wake_at_ms: int | None = None
        """When the next reset takes effect, while connected."""

    def announced(self, row: AccountRow, now_ms: int, gone: frozenset[AccountId] = frozenset()) -> Outcome:
        """An account was proven for the first time. Where its name was another one's here, it is not believed
        at once. The row as it is to be saved is the first record. gone: as in standing.former_of()."""
        others = [each for each in former_of(self._people, row, gone) if each.from_ms < NEVER_MS]
        by_its_own_word = row.changed_by is not ChangedBy.RESET and not gone
        if row.account == self._people.me or by_its_own_word or not others:
            return Outcome(save=(row,))
        later = msgspec.structs.replace(row, from_ms=now_ms + limits.RESET_AFTER_MS)
        return Outcome(save=(later,), show=(self._told(later, ResetState.ANNOUNCED),))

    def cancelled(self, view: LedgerView, head_ms: int) -> Outcome:
        """Leaves were proven: resets that the account before has cancelled are void for ever, late or not.

        Where one had taken effect here the name goes back to that account as to another identity: it may have
        been accepted, and nobody knows who has the keys of the one before by now.
        """
        save: list[Record] = []
        show: list[Event] = []
        for before, after in view.cancelled():
            heir = self._people.rows.get(after)
            if heir is None or heir.from_ms == NEVER_MS:
                continue
            settled = self._settled([heir], NEVER_MS, ResetState.CANCELLED)
            save.extend(settled.save)
            show.extend(settled.show)
            returned = None if heir.from_ms else self._returned(before, heir, head_ms)
            if returned is not None:
                save.append(returned)
                show.extend(changed(self._people, returned))
        return Outcome(save=tuple(save), show=tuple(show))

    def _returned(self, account: AccountId, heir: AccountRow, head_ms: int) -> AccountRow | None:
        """The account before, which has the name again; None where it was not known here, or is one's own."""
        row = self._people.rows.get(account)
        if row is None or account == self._people.me:
            return None
        verified = row.once_verified or heir.once_verified
        standing = Standing.CHANGED_VERIFIED if verified else Standing.CHANGED
        row = msgspec.structs.replace(row, standing=standing, changed_ms=head_ms)
        self._people.saved(row)
        return row

    def due(self, now_ms: int, *, current: bool) -> Outcome:
        """Those whose time has come take effect: from now on nothing goes to them until the person looked.
        Not before all leaves are here (current): who was away has not heard yet where the one before said
        no."""
        pending = tuple(self._pending())
        self.wake_at_ms = min((row.from_ms for row in pending if row.from_ms > now_ms), default=None)
        due = [row for row in pending if row.from_ms <= now_ms] if current else []
        if not due:
            return NOTHING
        settled = self._settled(due, 0, ResetState.IN_EFFECT)
        news = (each for row in due for each in changed(self._people, self._people.rows[row.account]))
        return Outcome(save=settled.save, show=(*settled.show, *news))

    def _pending(self) -> Iterable[AccountRow]:
        return (row for row in self._people.to_come if 0 < row.from_ms < NEVER_MS)

    def _settled(self, rows: list[AccountRow], from_ms: int, state: ResetState) -> Outcome:
        saved = tuple(msgspec.structs.replace(row, from_ms=from_ms) for row in rows)
        for row in saved:
            self._people.saved(row)
        return Outcome(save=saved, show=tuple(self._told(row, state) for row in saved))

    def _told(self, row: AccountRow, state: ResetState) -> NameReset:
        own = self._people.rows.get(self._people.me)
        mine = own is not None and own.name == row.name
        return NameReset(row.name, AccountId(row.account), state, row.from_ms, own=mine)

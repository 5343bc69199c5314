"""Whether this device goes along with a server that says it was restored from a copy (decision 0039).

The server's identity has signed that (ledger/restores.py). Here it is held against what this device knows:
once a day at most, and only from a past that it was shown. Everything else stays pinned as it is.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SecurityStop, Unavailable
from coterie.base.ids import ConversationId, LedgerId
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.events import ServerRestored
from coterie.client.outcome import Outcome
from coterie.client.store.records import BeginLife, DropGroupOut, DropSetting, PutSetting, Setting
from coterie.e2ee.group import count_of
from coterie.ledger.leaves import LedgerView
from coterie.ledger.restores import unpack_restores
from coterie.ledger.statements import RestoreStatement, ServerStatement


class LedgerLeft(msgspec.Struct, frozen=True, array_like=True):
    """A ledger that was gone on from, and the key that signed its heads."""

    ledger: LedgerId
    key: bytes


_left = msgspec.msgpack.Decoder(tuple[LedgerLeft, ...])


def ledgers_left(reads: Reads) -> tuple[LedgerLeft, ...]:
    """Oldest first, as many as a server's Welcome may name."""
    packed = reads.setting(Setting.LEDGERS_LEFT)
    return _left.decode(packed) if packed else ()


class NewLife(msgspec.Struct, frozen=True):
    """profile: with the new ledger; outcome: what to keep and to say before anything else is done."""

    profile: Profile
    outcome: Outcome


class Lives:
    """Asked once on each connection, before this device signs in."""

    def __init__(self, reads: Reads, profile: Profile, people: People) -> None:
        self._reads = reads
        self._profile = profile
        self._people = people

    def begun(
        self, said: ServerStatement, packed: tuple[bytes, ...], view: LedgerView, now_ms: int
    ) -> NewLife | None:
        """None where the server's data is in the life that is known here. said, packed: statement and
        restores of Welcome, proven; view: all leaves that are here.

        Raises SecurityStop: identity-changed where only one of both is new, ledger-split for a restore too
        soon after another, or from a past that was not shown here. Unavailable(statement-expired) for a
        ledger that was left.
        """
        known = self._reads.setting(Setting.INCARNATION)
        if said.ledger == self._profile.ledger:
            if known not in (None, said.incarnation):
                raise SecurityStop(Code.IDENTITY_CHANGED, "another incarnation in the same ledger")
            return None
        if said.founding_ledger != self._profile.founding_ledger:
            raise SecurityStop(Code.IDENTITY_CHANGED, "another first ledger")
        left = ledgers_left(self._reads)
        known_ledgers = {*(each.ledger for each in left), self._profile.ledger}
        if said.ledger in known_ledgers:
            raise Unavailable(Code.STATEMENT_EXPIRED, "a ledger that was left")
        restores = unpack_restores(packed)
        fresh = tuple(each for each in restores if each.ledger not in known_ledgers)
        self._check_pace(fresh, now_ms)
        self._check_past(fresh, view)
        return self._goes_on(said, fresh[-1], left, now_ms)

    def _check_pace(self, fresh: tuple[RestoreStatement, ...], now_ms: int) -> None:
        """By this device's clock since the last one was heard of, and by the server's between several."""
        before = self._reads.setting(Setting.RESTORED_MS)
        times = [each.time_ms for each in fresh]
        paces = [later - earlier for earlier, later in pairwise(times)]
        if before is not None:
            paces.append(abs(now_ms - int.from_bytes(before, "big")))
        if any(pace < limits.RESTORE_EVERY_MS for pace in paces):
            raise SecurityStop(Code.LEDGER_SPLIT, "a server that was restored twice within a day")

    def _check_past(self, fresh: tuple[RestoreStatement, ...], view: LedgerView) -> None:
        """The copy's ledger is a beginning of the one kept here, as far as both go."""
        for each in fresh:
            shown = each.old_ledger == self._profile.ledger and each.old_size <= view.size
            if shown and view.root(each.old_size) != each.old_root:
                raise SecurityStop(Code.LEDGER_SPLIT, "restored from a ledger that was not shown here")

    def _goes_on(
        self, said: ServerStatement, last: RestoreStatement, left: tuple[LedgerLeft, ...], now_ms: int
    ) -> NewLife:
        profile = msgspec.structs.replace(self._profile, ledger=said.ledger, ledger_key=said.ledger_key)
        before = LedgerLeft(self._profile.ledger, self._profile.ledger_key)
        left = (*left, before)[-limits.RESTORES_MOST :]
        return NewLife(
            profile,
            Outcome(
                save=(
                    DropGroupOut(b""),
                    BeginLife(now_ms - limits.KEEP_SENT_MS, self._ended()),
                    PutSetting(Setting.PROFILE, profile.pack()),
                    PutSetting(Setting.INCARNATION, said.incarnation),
                    PutSetting(Setting.LEDGERS_LEFT, msgspec.msgpack.encode(left)),
                    PutSetting(Setting.RESTORED_MS, now_ms.to_bytes(8, "big")),
                    PutSetting(Setting.COUNTED_FROM, self._count(last).to_bytes(8, "big")),
                    PutSetting(Setting.PREKEYS_DUE, b"1"),
                    PutSetting(Setting.VAULT_DUE, b"1"),
                    DropSetting(Setting.TOPPED_UP_MS),
                    DropSetting(Setting.TRUST_TOLD),
                ),
                show=(ServerRestored(last.copied_ms),),
            ),
        )

    def _count(self, last: RestoreStatement) -> int:
        """A count that this device never had: this home may be a copy, of which the original has counted
        on. Restores are a day apart, so the time of the last one tells them apart."""
        before = int.from_bytes(self._reads.setting(Setting.COUNTED_FROM) or b"", "big")
        return max(count_of(last.time_ms // limits.HOUR_MS), before + count_of(1))

    def _ended(self) -> tuple[ConversationId, ...]:
        """Conversations with those to whom nothing is sent any more."""
        return tuple(
            each.id
            for each in self._reads.conversations()
            if self._people.is_deleted(each.peer) or self._people.is_replaced(each.peer)
        )

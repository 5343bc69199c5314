"""Which messages are missing: every device counts what it says in a conversation (encryption rule 14).

What lies below the first message held of a device is before my time. A number that was skipped is missing
until it comes; where something waits to be opened, its key has a minute first. Others name what they had:
that counts until the device itself says more, so that nobody can make others seem silenced for long. Behind
a time in which this device was dormant everybody's count begins anew, and with each life of the server every
device begins another count itself: what it says then is no number that it may have used (decision 0046).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from coterie.base.errors import SealBroken
from coterie.base.ids import ConversationId, DeviceId, log_of
from coterie.client.core.people import People, target_of
from coterie.client.core.ports import Reads
from coterie.client.events import MessagesMissing
from coterie.client.outcome import Outcome
from coterie.client.store.records import Record, Setting, TipRow
from coterie.e2ee.group import InnerMessage, count_began

KEY_WAIT_MS = 60_000
NAMED_AHEAD_MOST = 1000
"""How far beyond what is held here a message of somebody else may say that a device has spoken."""


class Skipped(msgspec.Struct, frozen=True):
    """Numbers of a device, first to last, that a message shows to be missing; hash: of the last one."""

    device: DeviceId
    first: int
    last: int
    hash: bytes


class Replayed(SealBroken):
    """What was said already, or something else in its place: nothing is missing."""


class Gaps:
    """Counts what is held of each device, and tells what is missing once everything else is here."""

    def __init__(self, reads: Reads, people: People) -> None:
        self._reads = reads
        self._people = people
        self._newest: dict[tuple[ConversationId, DeviceId], int] = {}
        self._noticed_ms: dict[tuple[ConversationId, DeviceId], int] = {}
        self._changed = True

    def forget(self) -> None:
        """After a failed commit: count from the store again."""
        self._newest.clear()
        self._changed = True

    def check(self, inner: InnerMessage) -> None:
        """Refuse a second message with one number of one device (SealBroken)."""
        known = self._reads.tip(inner.conversation, inner.device)
        if known is None or inner.n > known.n:
            return
        if self._reads.n_used(inner.conversation, inner.device, inner.n):
            raise Replayed("two messages with one number of one device")

    def skipped(self, inner: InnerMessage, seq: int) -> Iterator[Skipped]:
        """What a message that is about to be taken shows to be missing: before its own number, and of others
        that it names. Empty on the other side of a dormant time."""
        anew_from = self._anew_from(inner.conversation)
        if seq <= anew_from:
            return
        for parent in inner.named:
            if parent.device == self._people.device:
                continue
            own = parent.device == inner.device
            if not own and parent.n <= self._newest.get((inner.conversation, parent.device), 0):
                continue
            tip = self._reads.tip(inner.conversation, parent.device)
            if tip is None or not tip.first_n or tip.anew_from < anew_from:
                continue
            counts = own or parent.n <= tip.n + NAMED_AHEAD_MOST
            if counts and parent.n > tip.n:
                first = max(tip.n, count_began(parent.n)) + 1
                yield Skipped(parent.device, first, parent.n, parent.hash)

    def take(self, inner: InnerMessage, hash: bytes, order: int, seq: int) -> tuple[Record, ...]:
        """A message that is about to be saved: its device's tip, and tips that it names as parents. seq: its
        place in the log, or seq_of_lost."""
        conversation, device = inner.conversation, inner.device
        known = self._reads.tip(conversation, device)
        anew_from = self._anew_from(conversation)
        before = seq <= anew_from
        if before and known is not None and (known.anew_from >= anew_from or not seq):
            return ()
        if known is None or not known.first_n or (known.anew_from < anew_from and not before):
            newer = known is None or inner.n > known.n
            place = (inner.n, hash, order) if newer or known is None else (known.n, known.hash, known.order)
            begun = 0 if before else anew_from
            tip = TipRow(conversation, device, *place, first_n=inner.n, held=1, anew_from=begun)
        elif count_began(inner.n) > known.n:
            self._changed = True
            first_n = count_began(inner.n) + 1
            tip = msgspec.structs.replace(
                known, n=inner.n, hash=hash, order=order, first_n=first_n, held=1, named_n=0
            )
        elif count_began(known.n) >= inner.n:
            tip = known
        elif inner.n > known.n:
            self._changed |= inner.n > known.n + 1 or known.named_n > known.n
            tip = msgspec.structs.replace(
                known, n=inner.n, hash=hash, order=order, held=known.held + 1, named_n=0
            )
        else:
            self._changed = True
            first = min(known.first_n, inner.n)
            tip = msgspec.structs.replace(known, first_n=first, held=known.held + 1)
        self._newest[conversation, device] = tip.n
        return (tip, *self._named(inner, anew_from, before=before))

    def seq_of_lost(self, inner: InnerMessage) -> int:
        """On which side of a dormant time a message counts that has no place in the log: 0 where it is of an
        earlier count, and changes none."""
        tip, anew_from = (
            self._reads.tip(inner.conversation, inner.device),
            self._anew_from(inner.conversation),
        )
        counts = tip is not None and tip.anew_from == anew_from and 0 < tip.first_n <= inner.n
        return anew_from + 1 if counts else 0

    def _anew_from(self, conversation: ConversationId) -> int:
        """Behind which place of the log everybody's count began anew, since this device was dormant."""
        row = self._reads.position(log_of(conversation))
        if row is None or not row.anew_from or row.incarnation != self._reads.setting(Setting.INCARNATION):
            return 0
        return row.anew_from

    def _named(self, inner: InnerMessage, anew_from: int, *, before: bool) -> Iterator[TipRow]:
        """Messages of others that the sender had and that are not here."""
        for parent in inner.parents:
            device = parent.device
            if device in (inner.device, self._people.device):
                continue
            if parent.n <= self._newest.get((inner.conversation, device), 0):
                continue
            tip = self._reads.tip(inner.conversation, device)
            if tip is None or not tip.first_n or (tip.anew_from < anew_from) != before:
                continue
            self._newest[inner.conversation, device] = max(tip.n, tip.named_n)
            if tip.n < parent.n <= tip.n + NAMED_AHEAD_MOST and parent.n > tip.named_n:
                self._changed = True
                yield msgspec.structs.replace(tip, named_n=parent.n)

    def tell(self, now_ms: int) -> Outcome:
        """Once all that waited is committed: what is missing, where that changed since it was told."""
        if not self._changed:
            return Outcome()
        self._changed = False
        save: list[Record] = []
        show: list[MessagesMissing] = []
        for tip in self._reads.gaps():
            if self._may_still_open(tip, now_ms):
                self._changed = True
                continue
            self._noticed_ms.pop((tip.conversation, tip.device), None)
            save.append(msgspec.structs.replace(tip, told=tip.missing))
            conversation = self._reads.conversation(tip.conversation)
            account = self._people.owner_of(tip.device)
            if conversation is not None and account is not None:
                target = target_of(conversation, self._people)
                name = self._people.name_of(account)
                show.append(MessagesMissing(tip.conversation, target, name, tip.missing))
        return Outcome(save=tuple(save), show=tuple(show))

    def _may_still_open(self, tip: TipRow, now_ms: int) -> bool:
        """Whether entries that are here may be what is missing: for a minute after the gap was noticed. Not
        longer, or a server could cover each message that it drops by an entry that nobody can open."""
        if not tip.missing:
            return False
        noticed_ms = self._noticed_ms.setdefault((tip.conversation, tip.device), now_ms)
        if 0 <= now_ms - noticed_ms < KEY_WAIT_MS:
            return self._reads.waiting_count(log_of(tip.conversation), tip.device) >= tip.missing
        return False

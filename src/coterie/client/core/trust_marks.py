"""Whom the person has verified on one own device counts on the others (decision 0033).

A mark names an account id, so it never goes to another identity, and the newest word about it counts. What
makes somebody more trusted is taken from no device that may be a thief's (core.alarms); what takes trust back
is taken from every own device. Told as read marks are, whole, to each device that has not had it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from typing import assert_never

import msgspec

from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.alarms import OwnDevices
from coterie.client.core.fanout import Fanout
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.standing import Standings
from coterie.client.outcome import Outcome
from coterie.client.store.records import EnvelopeOut, PeerDevice, PutSetting, Setting
from coterie.content.trust_marks import MARKS_MOST, TrustMark, TrustMarks, Word
from coterie.e2ee.pairwise import PlainKind

PAUSE_MS = 1000
JITTER_MS = 3000
DOUBTED_MOST = 1000
"""Marks of one device that wait for the person's word about it."""
_jitter = secrets.SystemRandom()


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """applied: it counts here; not yet where its account is not proven yet."""

    mark: TrustMark
    applied: bool


class Doubted(msgspec.Struct, frozen=True, array_like=True):
    """What a device said that may be a thief's: it counts once the person says that it is theirs."""

    sender: bytes
    mark: TrustMark


_doubted = msgspec.msgpack.Decoder(tuple[Doubted, ...])
_kept = msgspec.msgpack.Decoder(tuple[Kept, ...])
_told = msgspec.msgpack.Decoder(dict[bytes, bytes])


class Marks:
    """Keeps the newest word about everybody, and tells the other own devices."""

    def __init__(
        self, reads: Reads, people: People, own: OwnDevices, standings: Standings, fanout: Fanout
    ) -> None:
        self._reads = reads
        self._people = people
        self._own = own
        self._standings = standings
        self._fanout = fanout
        self._live = False
        self.wake_at_ms: int | None = None

    def connected(self, now_ms: int) -> Iterator[Outcome]:
        """Those whom a mark is about may be proven by now; devices may be there that were told nothing."""
        self._live = True
        self.later(now_ms)
        yield from self.released(now_ms)
        yield from self.apply(now_ms)

    def later(self, now_ms: int) -> None:
        """There may be something to tell."""
        if self._live and self.wake_at_ms is None:
            self.wake_at_ms = now_ms + PAUSE_MS + _jitter.randrange(JITTER_MS)

    def disconnected(self) -> None:
        self._live = False
        self.wake_at_ms = None

    def said(self, now_ms: int) -> Outcome:
        """The person has said something here: what stands differs from the marks. It counts as later than all
        that was known of the same."""
        kept = self._kept()
        before = dict(kept)
        for account, device, word in self._standings.words():
            known = kept.get((account, device))
            waits = known is not None and not known.applied and word is Word.TAKEN_BACK
            if waits or (known.mark.word if known else Word.TAKEN_BACK) is word:
                continue
            time_ms = max(now_ms, known.mark.time_ms + 1 if known else 1)
            kept[account, device] = Kept(TrustMark(account, device, word, time_ms, self._people.device), True)
        return Outcome() if kept == before else self._put(kept, now_ms)

    def came(self, marks: TrustMarks, sender: DeviceId, now_ms: int) -> Iterator[Outcome]:
        """An own device tells what it knows. A time that is still to come counts as now."""
        said = [msgspec.structs.replace(each, time_ms=min(each.time_ms, now_ms)) for each in marks.marks]
        if sender in self._own.doubtful():
            yield self._hold(sender, said)
            kept = self._kept()
            said = [each for each in said if self._takes_back(each, kept)]
        yield from self._take(said, now_ms)

    def released(self, now_ms: int) -> Iterator[Outcome]:
        """The person may have said of devices that they are theirs: what those have told counts now."""
        held, doubtful = self._doubted(), self._own.doubtful()
        stay = tuple(each for each in held if each.sender in doubtful)
        if len(stay) == len(held):
            return
        live = {each.id for each in self._people.own_devices() if not each.revoked}
        yield Outcome(save=(PutSetting(Setting.TRUST_DOUBTED, msgspec.msgpack.encode(stay)),))
        yield from self._take([each.mark for each in held if each.sender in live - doubtful], now_ms)

    def _take(self, said: list[TrustMark], now_ms: int) -> Iterator[Outcome]:
        kept = self._kept()
        before = dict(kept)
        for mark in said:
            known = kept.get(mark.about)
            if known is None or known.mark.order < mark.order:
                kept[mark.about] = Kept(mark, applied=False)
        if kept != before:
            yield self._put(kept, now_ms)
            yield from self.apply(now_ms)

    def apply(self, now_ms: int) -> Iterator[Outcome]:
        """Let count what came, of those who are proven here."""
        kept = self._kept()
        due = [each.mark for each in kept.values() if not each.applied]
        moved = False
        for mark in due:
            account = AccountId(mark.account)
            if not self._is_known(mark):
                continue
            match mark.word:
                case Word.VERIFIED:
                    yield self._standings.verified(account)
                    yield self._standings.asked(account)
                case Word.TAKEN_BACK:
                    yield self._standings.taken_back(account)
                case Word.CONFIRMED:
                    yield self._standings.confirmed(account, DeviceId(mark.device))
                case _:
                    assert_never(mark.word)
            kept[mark.about] = Kept(mark, applied=True)
            moved = True
        if moved:
            yield self._put(kept, now_ms)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        """Tell every other own device what it was not told, but those that may be somebody else's."""
        if self.wake_at_ms is None or now_ms < self.wake_at_ms:
            return
        self.wake_at_ms = None
        marks = tuple(each.mark for each in self._kept().values())
        if not marks:
            return
        if self._people.me in self._people.unproven:
            self.later(now_ms)
            return
        digest = hashlib.sha256(msgspec.msgpack.encode(marks)).digest()[:16]
        told = self._told()
        devices = tuple(each for each in self._others() if told.get(each.device) != digest)
        reached: set[bytes] = set()
        for start in range(0, len(marks), MARKS_MOST):
            content = TrustMarks(marks[start : start + MARKS_MOST]).pack()
            outcome = self._fanout.tell(devices, PlainKind.TRUST_MARKS, content, now_ms)
            reached.update(each.device for each in outcome.save if isinstance(each, EnvelopeOut))
            yield outcome
        if reached:
            told |= dict.fromkeys(reached, digest)
            yield Outcome(save=(PutSetting(Setting.TRUST_TOLD, msgspec.msgpack.encode(told)),))

    def _hold(self, sender: DeviceId, said: list[TrustMark]) -> Outcome:
        """The newest about each, and no more than DOUBTED_MOST of one device."""
        others, mine = [], {}
        for each in self._doubted():
            if each.sender == sender:
                mine[each.mark.about] = each
            else:
                others.append(each)
        for mark in said:
            known = mine.get(mark.about)
            if known is None or known.mark.order < mark.order:
                mine[mark.about] = Doubted(sender, mark)
        held = (*others, *list(mine.values())[-DOUBTED_MOST:])
        return Outcome(save=(PutSetting(Setting.TRUST_DOUBTED, msgspec.msgpack.encode(held)),))

    def _takes_back(self, told: TrustMark, kept: dict[tuple[bytes, bytes], Kept]) -> bool:
        """Whether a mark ends what stands here. Of others there is no end: a thief's device could fill the
        store with accounts that nobody knows, and every own device would hand them on."""
        known = kept.get(told.about)
        return told.word is Word.TAKEN_BACK and known is not None and known.mark.word is Word.VERIFIED

    def _is_known(self, mark: TrustMark) -> bool:
        """Whether what a mark is about is proven here."""
        account = AccountId(mark.account)
        if mark.device:
            return self._people.device_of(account, DeviceId(mark.device)) is not None
        return account in self._people.rows

    def _others(self) -> tuple[PeerDevice, ...]:
        row = self._people.rows.get(self._people.me)
        skipped = {self._people.device, *self._own.doubtful()}
        devices = row.devices if row else ()
        return tuple(each for each in devices if each.live and each.device not in skipped)

    def _put(self, kept: dict[tuple[bytes, bytes], Kept], now_ms: int) -> Outcome:
        self.later(now_ms)
        return Outcome(save=(PutSetting(Setting.TRUST_MARKS, msgspec.msgpack.encode(tuple(kept.values()))),))

    def _kept(self) -> dict[tuple[bytes, bytes], Kept]:
        packed = self._reads.setting(Setting.TRUST_MARKS)
        return {each.mark.about: each for each in (_kept.decode(packed) if packed else ())}

    def _doubted(self) -> tuple[Doubted, ...]:
        packed = self._reads.setting(Setting.TRUST_DOUBTED)
        return _doubted.decode(packed) if packed else ()

    def _told(self) -> dict[bytes, bytes]:
        packed = self._reads.setting(Setting.TRUST_TOLD)
        return _told.decode(packed) if packed else {}

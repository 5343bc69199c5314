"""Giving messages again to devices that ask for them (encryption rule 24; docs/decisions/0038).

Every message goes as one envelope, without a key, and changes no session. How often each device was given
each message stands in the store; what a device asks beyond all measure is kept unopened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from coterie.base import limits
from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.client.core.fanout import SLICE, Fanout
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.repair_rules import MayHave
from coterie.client.core.trust import Trust
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import MessageRow, PeerDevice, RepairGiven
from coterie.content.repair import (
    REPAIR_INNER_BYTES,
    WANTED_MOST,
    Entry,
    NotForYou,
    Repair,
    RepairRequest,
    Stood,
    Wanted,
)
from coterie.e2ee.pairwise import PlainKind

AT_ONCE: Final = 20
LOOKED_AT_ONCE: Final = 200
AGAIN_MS: Final = 1000
"""So many are given in one step, so many looked for, and the next after so long: whoever is asked has other
things to do."""
PATIENCE_MS: Final = 60_000
"""So long a request is kept whose account is not in the ledger, for others bring it back to a restored
server; or whose device has no keys here."""
QUEUE_MOST: Final = 2000
DEVICES_MOST: Final = 1000
"""Whose requests are counted; beyond that counting begins anew."""


class _Asked(msgspec.Struct, frozen=True):
    by: PeerDevice
    wanted: Wanted
    at_ms: int
    stood: Stood | None


class Answering:
    """What was asked and not answered is known while the program runs: who is not answered asks again."""

    def __init__(
        self,
        reads: Reads,
        people: People,
        trust: Trust,
        fanout: Fanout,
        may_have: MayHave,
    ) -> None:
        self._reads = reads
        self._people = people
        self._trust = trust
        self._fanout = fanout
        self._may_have = may_have
        self._queue: deque[_Asked] = deque(maxlen=QUEUE_MOST)
        self._heard_ms: dict[DeviceId, deque[int]] = {}
        self._claimed: set[DeviceId] = set()
        self.wake_at_ms: int | None = None

    def forget(self) -> None:
        """After a failed commit: whoever has asked asks again."""
        self._queue.clear()
        self._claimed.clear()

    def disconnected(self) -> None:
        self._claimed.clear()

    def floods(self, device: DeviceId, now_ms: int) -> bool:
        """Whether a device has asked so often within the hour that its envelopes are not opened for now."""
        times = self._heard_ms.get(device)
        if times is None or len(times) < limits.REPAIR_REQUESTS_PER_HOUR:
            return False
        return 0 <= now_ms - times[0] < limits.HOUR_MS

    def heard(self, asker: PeerDevice, request: RepairRequest, now_ms: int) -> Iterator[Outcome]:
        """A device asks. It is answered at once where it is known who may have what."""
        if len(self._heard_ms) >= DEVICES_MOST:
            self._heard_ms.clear()
        self._heard_ms.setdefault(asker.device, deque(maxlen=limits.REPAIR_REQUESTS_PER_HOUR)).append(now_ms)
        self._queue.extend(_Asked(asker, wanted, now_ms, request.stood) for wanted in request.wanted)
        yield from self.answer(now_ms)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        if self.wake_at_ms is not None and now_ms >= self.wake_at_ms:
            yield from self.answer(now_ms)

    def answer(self, now_ms: int) -> Iterator[Outcome]:
        """Give what is asked for and may be given, a few at a time; nothing before the newest manifests that
        the server has spoken of are known."""
        left = AT_ONCE if self._trust.current else 0
        never: dict[PeerDevice, list[Entry]] = {}
        keyless: dict[PeerDevice, None] = {}
        for _ in range(min(len(self._queue), LOOKED_AT_ONCE)):
            if not left:
                break
            outcome = self._next(self._queue.popleft(), never, keyless, now_ms)
            left -= bool(outcome.send)
            yield outcome
        for device, entries in never.items():
            for start in range(0, len(entries), WANTED_MOST):
                said = NotForYou(tuple(entries[start : start + WANTED_MOST]))
                yield self._fanout.tell((device,), PlainKind.NOT_FOR_YOU, said.pack(), now_ms)
        yield self._claim([each for each in keyless if each.device not in self._claimed], now_ms)
        self.wake_at_ms = now_ms + AGAIN_MS if self._queue else None

    def _next(
        self,
        asked: _Asked,
        never: dict[PeerDevice, list[Entry]],
        keyless: dict[PeerDevice, None],
        now_ms: int,
    ) -> Outcome:
        """Give one message, or put it with those that are not for whoever asks; or keep the request for a
        moment."""
        fresh = 0 <= now_ms - asked.at_ms < PATIENCE_MS
        if fresh and self._trust.lacks(asked.by.account):
            self._queue.append(asked)
            return NOTHING
        device = self._people.device_of(asked.by.account, asked.by.device)
        row = self._wanted(asked.wanted)
        if device is None or row is None:
            return NOTHING
        is_never = bool(asked.wanted.message) and self._may_have.never(row, device, asked.stood)
        if not is_never and not self._may_have(row, device, asked.stood):
            return NOTHING
        if not self._has_keys(device):
            keyless[device] = None
            self._queue.extend((asked,) if fresh else ())
            return NOTHING
        if is_never:
            never.setdefault(device, []).append(Entry(row.conversation, row.message))
            return NOTHING
        return self._one(device, row, now_ms)

    def _has_keys(self, device: PeerDevice) -> bool:
        keys = self._reads.peer_keys(device.device)
        return keys is not None and bool(keys.x_wing_key)

    def _claim(self, devices: list[PeerDevice], now_ms: int) -> Outcome:
        """Of a device that has only ever been heard nothing is known to seal to: once on each connection."""
        some = tuple(devices[:SLICE])
        self._claimed.update(each.device for each in some)
        return self._fanout.claim_to_mend(some, now_ms)

    def _one(self, device: PeerDevice, row: MessageRow, now_ms: int) -> Outcome:
        times = self._reads.given_times(device.device, row.order)
        within_hour = self._reads.given_since(device.device, now_ms - limits.HOUR_MS)
        if times >= limits.REPAIR_TIMES or within_hour >= limits.REPAIRS_PER_HOUR:
            return NOTHING
        if len(row.inner) > REPAIR_INNER_BYTES:
            return NOTHING
        content = Repair(row.franking_key, row.index, row.inner).filled().pack()
        told = self._fanout.tell((device,), PlainKind.REPAIR, content, now_ms)
        given = (RepairGiven(device.device, row.order, times + 1, now_ms),) if told.send else ()
        return Outcome(save=(*given, *told.save), send=told.send)

    def _wanted(self, wanted: Wanted) -> MessageRow | None:
        """The message as it stands here, where it is here."""
        conversation, device = ConversationId(wanted.conversation), DeviceId(wanted.device)
        if wanted.message:
            order = self._reads.message_order(conversation, device, MessageId(wanted.message))
            return self._reads.message(order) if order is not None else None
        row = self._reads.message_by_n(conversation, device, wanted.n)
        return row if row is not None and row.hash == wanted.hash else None

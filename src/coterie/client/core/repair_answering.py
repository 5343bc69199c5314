"""Giving messages again to devices that ask for them (encryption rule 24; docs/decisions/0038).

Every message goes as one envelope, without a key, and changes no session. How often each device was given
each message stands in the store; what a device asks beyond all measure is kept unopened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from coterie.base import limits
from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.client.core.fanout import Fanout
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.repair_rules import MayHave
from coterie.client.core.trust import Trust
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import MessageRow, PeerDevice, RepairGiven
from coterie.content.repair import REPAIR_INNER_BYTES, Repair, RepairRequest, Wanted
from coterie.e2ee.pairwise import PlainKind

AT_ONCE: Final = 20
AGAIN_MS: Final = 1000
"""So many are given in one step, and the next after so long: whoever is asked has other things to do."""
QUEUE_MOST: Final = 2000
DEVICES_MOST: Final = 1000
"""Whose requests are counted; beyond that counting begins anew."""


class Answering:
    """What was asked and not answered is known while the program runs: who is not answered asks again."""

    def __init__(self, reads: Reads, people: People, trust: Trust, fanout: Fanout, may_have: MayHave) -> None:
        self._reads = reads
        self._people = people
        self._trust = trust
        self._fanout = fanout
        self._may_have = may_have
        self._queue: deque[tuple[PeerDevice, Wanted]] = deque(maxlen=QUEUE_MOST)
        self._requests: dict[DeviceId, deque[int]] = {}
        self.wake_at_ms: int | None = None

    def forget(self) -> None:
        """After a failed commit: whoever has asked asks again."""
        self._queue.clear()

    def floods(self, device: DeviceId, now_ms: int) -> bool:
        """Whether a device has asked so often within the hour that its envelopes are not opened for now."""
        times = self._requests.get(device)
        if times is None or len(times) < limits.REPAIR_REQUESTS_PER_HOUR:
            return False
        return 0 <= now_ms - times[0] < limits.HOUR_MS

    def heard(self, asker: PeerDevice, request: RepairRequest, now_ms: int) -> Iterator[Outcome]:
        """A device asks. It is answered at once where it is known who may have what."""
        if len(self._requests) >= DEVICES_MOST:
            self._requests.clear()
        self._requests.setdefault(asker.device, deque(maxlen=limits.REPAIR_REQUESTS_PER_HOUR)).append(now_ms)
        self._queue.extend((asker, wanted) for wanted in request.wanted)
        yield from self.answer(now_ms)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        if self.wake_at_ms is not None and now_ms >= self.wake_at_ms:
            yield from self.answer(now_ms)

    def answer(self, now_ms: int) -> Iterator[Outcome]:
        """Give what is asked for and may be given, a few at a time; nothing before the newest manifests that
        the server has spoken of are known."""
        left = AT_ONCE if self._trust.current else 0
        while self._queue and left:
            asker, wanted = self._queue.popleft()
            outcome = self._one(asker, wanted, now_ms)
            left -= bool(outcome.send)
            yield outcome
        self.wake_at_ms = now_ms + AGAIN_MS if self._queue else None

    def _one(self, asker: PeerDevice, wanted: Wanted, now_ms: int) -> Outcome:
        device = self._people.device_of(asker.account, asker.device)
        row = self._wanted(wanted)
        if device is None or row is None or not self._may_have(row, device):
            return NOTHING
        times = self._reads.given_times(device.device, row.order)
        within_hour = self._reads.given_since(device.device, now_ms - limits.HOUR_MS)
        if times >= limits.REPAIR_TIMES or within_hour >= limits.REPAIRS_PER_HOUR:
            return NOTHING
        if len(row.inner) > REPAIR_INNER_BYTES:
            return NOTHING
        content = Repair(row.franking_key, row.index, row.inner).filled().pack()
        told = self._fanout.tell((device,), PlainKind.REPAIR, content, now_ms)
        if not told.send:
            return NOTHING
        given = RepairGiven(device.device, row.order, times + 1, now_ms)
        return Outcome(save=(given, *told.save), send=told.send)

    def _wanted(self, wanted: Wanted) -> MessageRow | None:
        """The message as it stands here, where it is here."""
        conversation, device = ConversationId(wanted.conversation), DeviceId(wanted.device)
        if wanted.message:
            order = self._reads.message_order(conversation, device, MessageId(wanted.message))
            return self._reads.message(order) if order is not None else None
        row = self._reads.message_by_n(conversation, device, wanted.n)
        return row if row is not None and row.hash == wanted.hash else None

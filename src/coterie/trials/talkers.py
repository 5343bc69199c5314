"""Raw clients that do what real ones do with an outbox: what is refused for now waits, and is sent again.

Each keeps a ledger of its own of what was acknowledged and of what arrived, which is all that is compared at
the end: the server is asked for nothing. Messages are noise of one size; only ids and numbers differ.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
from array import array
from collections.abc import Callable

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.conversations import membership_hash
from coterie.base.ids import log_of
from coterie.client.core.line import RETRY_MS
from coterie.client.core.window import MOST, Window
from coterie.trials.citizens import CIPHERTEXT_BYTES, Citizen
from coterie.trials.lines import ACCEPTED, LOG, MAILBOX, REFUSAL, Line, decoded
from coterie.wire import codec
from coterie.wire.frames import Send

NUMBER_BYTES = 8
FIRST_REQUEST = 100
_AGAIN = frozenset({Code.BUSY.value, Code.OUT_OF_ORDER.value, Code.DISK.value})


class TalkLine(Line):
    """A line that tells its talker of each frame, and of its end."""

    def __init__(self, talker: Speaker | Hearer) -> None:
        super().__init__()
        self._talker = talker
        self.ended: Callable[[], None] = lambda: None

    def count(self, message: bytes) -> None:
        talker = self._talker
        for frame in decoded(message):
            kind = frame[0]
            if kind == ACCEPTED:
                talker.accepted(frame[1], frame[2])
                self.answered(1)
                if frame[4]:
                    self.acknowledge(self.log, frame[2], 1)
            elif kind == REFUSAL:
                talker.refused(frame[1], frame[2], frame[3])
            elif kind == LOG and frame[3]:
                for entry in frame[3]:
                    talker.heard(entry[0], entry[4])
                self.acknowledge(frame[1], frame[3][-1][0], len(frame[3]))
            elif kind == MAILBOX and frame[3]:
                self.acknowledge(frame[1], frame[3][-1][0], limits.ACK_ENTRIES)

    def gone(self) -> None:
        self.ended()


class Hearer:
    """Whoever reads one conversation, in which one other speaks."""

    def __init__(self, prefix: bytes) -> None:
        self._prefix = prefix
        self.count = 0
        """Of messages that came: each was the next one."""
        self.doubled = 0
        self.lost = 0

    def heard(self, seq: int, message: bytes) -> None:
        """Each message stands at the place of its number. What came before may come once more after a new
        connection, at the same place."""
        if message[:NUMBER_BYTES] != self._prefix:
            self.doubled += 1
            return
        number = int.from_bytes(message[NUMBER_BYTES:], "big")
        if seq != number + 1:
            self.doubled += 1
        elif number == self.count:
            self.count += 1
        elif number > self.count:
            self.lost += number - self.count
            self.count = number + 1

    def connected(self, line: TalkLine) -> None:
        """It says nothing, also below."""

    def disconnected(self) -> None: ...
    def accepted(self, request: int, seq: int) -> None:
        """Nothing of it is under way."""

    def refused(self, request: int, code: str, retry_after_ms: int) -> None:
        """Nothing of it is under way."""


class Speaker:
    """One device with one conversation: what has arrived in its outbox goes out as a real client would."""

    def __init__(self, citizen: Citizen, to: Citizen, clock: Clock) -> None:
        self.citizen = citizen
        self.to = to
        self.conversation = citizen.direct_with(to)
        self.prefix = secrets.token_bytes(NUMBER_BYTES)
        self._membership = membership_hash(self.conversation)
        self._ciphertext = secrets.token_bytes(CIPHERTEXT_BYTES)
        self._commitment = hashlib.sha256(self._ciphertext).digest()
        self._clock = clock
        self._line: TalkLine | None = None
        self._requests = itertools.count(FIRST_REQUEST)
        self._under_way: dict[int, tuple[int, float, int]] = {}
        """By request: which message, when it was sent, and in which round."""
        self._round = 0
        self._in_flight = 0
        self._next = 0
        self._said = 0
        """Sent at least once."""
        self._retry_at = 0.0
        self.window = Window()
        """As a real client's."""
        self.most = MOST
        self.arrived = 0
        """In the outbox since the beginning."""
        self.acknowledged = 0
        """All before this number; it is the place in the log, too, of the last one."""
        self.misplaced = 0
        """Acknowledged at a place that is not theirs: a second entry, or one in between."""
        self.taken_seconds = array("d")
        """From sending to the acknowledgement, each by the try that was accepted."""
        self.busy_ms = array("l")
        """Each time to wait that came with `busy`."""
        self.again = 0
        """Refused since what goes before was."""
        self.refusals: dict[str, int] = {}
        """For reasons that time does not mend: there must be none."""
        self.longest_gap_seconds = 0.0
        """Without an acknowledgement while something waited."""
        self._moved_at = 0.0

    @property
    def waits(self) -> int:
        """What is not acknowledged yet."""
        return self.arrived - self.acknowledged

    @property
    def room(self) -> int:
        """How many may be under way."""
        return min(self.most, self.window.size)

    def connected(self, line: TalkLine) -> None:
        line.log = log_of(self.conversation)
        self._line = line
        self._begin_round()
        self.pump()

    def disconnected(self) -> None:
        self._line = None
        self._under_way.clear()

    def arrive(self, count: int) -> None:
        """So many messages more to be sent."""
        if not self.waits:
            self._moved_at = self._clock.monotonic_seconds()
        self.arrived += count
        self.pump()

    def no_more(self) -> None:
        """What was not sent yet is not said."""
        self.arrived = self._said

    def pump(self) -> None:
        """Send what may be sent now."""
        line, now = self._line, self._clock.monotonic_seconds()
        if line is None or now < self._retry_at:
            return
        while self._next < self.arrived and self._in_flight < self.room:
            request, number = next(self._requests), self._next
            self._under_way[request] = number, now, self._round
            self._next += 1
            self._in_flight += 1
            line.send(codec.encode(self._message(request, number)))
        self._said = max(self._said, self._next)

    def accepted(self, request: int, seq: int) -> None:
        under_way = self._under_way.pop(request, None)
        if under_way is None:
            return
        number, sent_at, sent_in = under_way
        now = self._clock.monotonic_seconds()
        if sent_in == self._round:
            self.window.accepted(self._in_flight)
            self._in_flight -= 1
        if seq != number + 1 or number > self.acknowledged:
            self.misplaced += 1
        if number >= self.acknowledged:
            self.acknowledged = number + 1
            self.taken_seconds.append(now - sent_at)
            self.longest_gap_seconds = max(self.longest_gap_seconds, now - self._moved_at)
            self._moved_at = now
        self._next = max(self._next, self.acknowledged)
        if self._in_flight <= self.room // 2:
            self.pump()

    def refused(self, request: int, code: str, retry_after_ms: int) -> None:
        under_way = self._under_way.pop(request, None)
        if under_way is None or code not in _AGAIN:
            self.refusals[code] = self.refusals.get(code, 0) + 1
            return
        if code == Code.BUSY.value:
            self.busy_ms.append(retry_after_ms)
        else:
            self.again += 1
        if under_way[2] == self._round:
            if code == Code.BUSY.value:
                self.window.narrow()
            self._begin_round()
            self._retry_at = self._clock.monotonic_seconds() + max(RETRY_MS, retry_after_ms) / 1000

    def heard(self, seq: int, message: bytes) -> None:
        """Its own messages come as their answers."""

    def _begin_round(self) -> None:
        """What was sent and not acknowledged goes out once more, with the same bytes."""
        self._round += 1
        self._in_flight = 0
        self._next = self.acknowledged

    def _message(self, request: int, number: int) -> Send:
        return Send(
            request,
            self.conversation,
            self.to.account,
            self.citizen.session,
            self._id(number),
            self._id(number - 1) if number else b"",
            self._ciphertext,
            self._commitment,
            self._membership,
            1,
        )

    def _id(self, number: int) -> bytes:
        return self.prefix + number.to_bytes(NUMBER_BYTES, "big")

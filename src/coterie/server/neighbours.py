"""Other servers of the same data: what they changed is heard of here, and what this one changed is told.

Everything is in the database; wake-ups only say when to look. Whatever a lost one was about is found within
limits.PING_SECONDS, because in that time each device that is connected here is looked at once (tick()).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import DeviceId, StreamId, is_mailbox, mailbox_of
from coterie.server.approvals import Approvals
from coterie.server.caller import SignedIn
from coterie.server.connection import CloseReason, Connection
from coterie.server.connections import Connections
from coterie.server.delivery import Delivery
from coterie.server.far_rivals import FarRivals
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.rivals import Visit
from coterie.server.roster import Roster
from coterie.server.store.protocol import DeviceRow, Place, Store
from coterie.server.store.results import (
    AccountEnded,
    AccountSucceeded,
    Appended,
    KeysClaimed,
    LeafAdded,
    LeavesAdded,
    Posted,
    ResetsCompleted,
    Result,
)
from coterie.server.store.shared import Pulse, Shared, Standing
from coterie.server.topics import Topics
from coterie.server.tries import SharedTries
from coterie.server.wakeups.hints import Wakeups
from coterie.server.wakeups.protocol import Topic
from coterie.wire.frames import PrekeysLow, ProveDevice

log = logging.getLogger("coterie.server.neighbours")

TICKS_PER_ROUND = round(limits.PING_SECONDS)
PRUNE_TICKS = 60


class Beside(msgspec.Struct, frozen=True):
    """What a server has that may not be the only one."""

    shared: Shared
    wakeups: Wakeups


class Neighbours:
    """Implements OtherWriters. Only the gateway's turn calls it."""

    def __init__(
        self,
        beside: Beside,
        store: Store,
        realm: Realm,
        delivery: Delivery,
        roster: Roster,
        connections: Connections,
        rivals: FarRivals,
        approvals: Approvals,
        wake: Callable[[], None],
    ) -> None:
        self._shared = beside.shared
        self._wakeups = beside.wakeups
        self._wakeups.wake = wake
        self._store = store
        self._realm = realm
        self._delivery = delivery
        self._roster = roster
        self._connections = connections
        self.rivals = rivals
        self._approvals = approvals
        self._approvals_are_heard = False
        self._topics = Topics(realm.secrets.token)
        self._tries = realm.tries = SharedTries(beside.shared.tries, realm.secrets.token)
        self._prune_in_ticks = 0
        self._streams: dict[Topic, StreamId] = {}
        self._devices: dict[Topic, DeviceId] = {}
        self._moves: dict[DeviceId, SignedIn | None] = {}
        self._round: list[Connection] = []
        """Whom tick() has not looked at yet this time."""
        self._pulse: Pulse | None = None
        self._ledger_moved = False
        self._people_moved = True
        self.begins_anew = False
        """The data is to begin another life."""
        delivery.others = self
        roster.moves = self._moves
        approvals.tell = lambda: self._wakeups.tell((self._topics.approvals,))
        for topic in (self._topics.ledger, self._topics.presence):
            self._wakeups.listen(topic)

    async def run(self) -> None:
        """Tell and hear, until cancelled."""
        await self._wakeups.run()

    def listen(self, stream: StreamId) -> None:
        topic = self._topics.of_stream(stream)
        self._streams[topic] = stream
        self._wakeups.listen(topic)

    def ignore(self, stream: StreamId) -> None:
        topic = self._topics.of_stream(stream)
        self._streams.pop(topic, None)
        self._wakeups.ignore(topic)

    async def logs(
        self, places: Collection[Place], mailboxes: Collection[StreamId], entries: int, most_bytes: int
    ) -> Standing:
        return await self._shared.logs(places, mailboxes, entries, most_bytes)

    def committed(self, results: Iterable[Result]) -> None:
        """Tell the others, as far as it may touch devices that are connected to them."""
        streams: set[StreamId] = set()
        devices: set[DeviceId] = set()
        for result in results:
            match result:
                case Appended(stream=stream, entry=entry, opened=opened):
                    if entry is not None:
                        streams.add(stream)
                    devices.update(each.device for each in opened)
                case Posted(entries, opened):
                    devices.update(each.device for each in opened)
                    streams.update(mailbox_of(device) for device, _ in entries)
                case _:
                    devices.update(_concerned(result))
        told = {*map(self._topics.of_stream, streams), *map(self._topics.of_device, devices)}
        if told:
            self._wakeups.tell(told)

    def published(self) -> None:
        """There is a newer head."""
        self._wakeups.tell((self._topics.ledger,))

    async def ask_rival(self, visit: Visit, now_seconds: float) -> list[Visit]:
        """Have the device's connection at another server pinged. A visit that need not wait comes back."""
        ready = await self.rivals.ask(visit, now_seconds)
        if ready is not None:
            return [ready]
        if isinstance(visit.frame, ProveDevice):
            self._wakeups.tell((self._topics.of_device(DeviceId(visit.frame.device)),))
        return []

    @property
    def has_news(self) -> bool:
        return bool(self._wakeups.heard) or self._ledger_moved or self.begins_anew

    async def look(self, now: Now) -> bool:
        """Look at all that was heard of; whether the ledger has moved. Raises Unavailable: then it is looked
        at another time."""
        heard, self._wakeups.heard = self._wakeups.heard, set()
        try:
            await self._look(heard, now)
        except Unavailable:
            self._wakeups.heard |= heard
            raise
        moved, self._ledger_moved = self._ledger_moved or self._topics.ledger in heard, False
        return moved

    async def _look(self, heard: set[Topic], now: Now) -> None:
        if self._topics.presence in heard:
            self._people_moved = True
        if self._topics.approvals in heard:
            self._approvals.look_again()
        streams = [self._streams[topic] for topic in heard if topic in self._streams]
        if mailboxes := [stream for stream in streams if is_mailbox(stream)]:
            self._delivery.ended(await self._shared.ends(mailboxes))
        for stream in streams:
            if not is_mailbox(stream):
                self._delivery.told(stream)
        if devices := [self._devices[topic] for topic in heard if topic in self._devices]:
            await self._look_at(devices, now)
            await self.rivals.ping()

    async def tick(self) -> None:
        """Once a second: how far the data is, who is where, and a part of all devices. Raises Unavailable."""
        pulse, before = await self._shared.pulse(), self._pulse
        self._pulse = pulse
        self.begins_anew |= pulse.restored
        ledger = self._realm.ledger
        if (pulse.head_size, pulse.head_ms) != (ledger.size, ledger.time_ms):
            self._ledger_moved = True
        if before is None or pulse.servers != before.servers:
            await self._shared.sweep({*pulse.servers, self._shared.number})
            self._people_moved = True
        if self._people_moved:
            self._people_moved = False
            self._roster.elsewhere(await self._shared.people_elsewhere())
        await self.rivals.ping()
        if self._approvals.is_active:
            self._approvals.look_again()
        await self._prune()
        await self._go_round()

    async def share(self) -> None:
        """Write down who came, who left and who has answered. Who has come is looked for at the others, which
        hear of it."""
        if self.rivals.has_answers:
            await self.rivals.answer()
        self._hear_of_approvals()
        if not self._moves:
            return
        moves = dict(self._moves)
        self._moves.clear()
        came = [who for who in moves.values() if who is not None]
        left = [device for device, who in moves.items() if who is None]
        try:
            if left:
                await self._shared.leave(left)
            if came:
                await self._shared.enter(came)
                await self._end_those_elsewhere([who.device for who in came])
        except Unavailable as error:
            log.warning("who is connected could not be written down: %s", error.note)
            for device, who in moves.items():
                self._moves.setdefault(device, who)
        for device in left:
            topic = self._topics.of_device(device)
            self._devices.pop(topic, None)
            self._wakeups.ignore(topic)
        for who in came:
            topic = self._topics.of_device(who.device)
            self._devices[topic] = who.device
            self._wakeups.listen(topic)
        self._wakeups.tell((self._topics.presence, *(self._topics.of_device(who.device) for who in came)))

    def _hear_of_approvals(self) -> None:
        """As long as anybody here has to do with one."""
        if self._approvals.is_active == self._approvals_are_heard:
            return
        self._approvals_are_heard = not self._approvals_are_heard
        if self._approvals_are_heard:
            self._wakeups.listen(self._topics.approvals)
        else:
            self._wakeups.ignore(self._topics.approvals)

    async def _prune(self) -> None:
        """Tries that count no more go, once in a while."""
        self._prune_in_ticks -= 1
        if self._prune_in_ticks < 0:
            self._prune_in_ticks = PRUNE_TICKS
            await self._tries.prune()

    async def _go_round(self) -> None:
        """All that a lost wake-up may have been about, for some of the devices."""
        if not self._round:
            self._round = self._roster.connections
        count = -(-len(self._roster.connections) // TICKS_PER_ROUND)
        chosen, self._round = self._round[:count], self._round[count:]
        here = [each for each in chosen if each.is_open and each.caller.signed_in is not None]
        devices = [each.caller.signed_in.device for each in here if each.caller.signed_in is not None]
        if not devices:
            return
        await self._end_those_elsewhere(devices)
        readers = [each.reader for each in here if each.reader is not None]
        streams = {stream for reader in readers for stream in reader.streams}
        self._delivery.ended(await self._shared.ends(streams))
        changed = await self._shared.ended(devices)
        logs = await self._shared.logs_of([reader.device for reader in readers])
        changed |= {each.device for each in readers if logs.get(each.device, 0) > len(each.logs)}
        self._wakeups.heard |= {self._topics.of_device(device) for device in changed}

    async def _look_at(self, devices: Collection[DeviceId], now: Now) -> None:
        await self._end_those_elsewhere(devices)
        for device in devices:
            connection = self._roster.connection_of(device)
            who = connection.caller.signed_in if connection is not None else None
            if connection is None or who is None:
                continue
            row = await self._store.device(device)
            code = _why_not(row, who)
            if code is not None:
                self._connections.refuse(connection, code)
                continue
            await self._delivery.entitled(connection, now.monotonic_seconds)
            left = await self._store.one_time_keys_left(device, now.wall_ms)
            if left < limits.ONE_TIME_KEYS // 2:
                self._connections.queue(connection, (PrekeysLow(left),))

    async def _end_those_elsewhere(self, devices: Collection[DeviceId]) -> None:
        """The newer connection of a device is its only one."""
        for device in await self._shared.elsewhere(devices):
            connection = self._roster.connection_of(device)
            if connection is not None:
                self._connections.end(connection, CloseReason.GOING_AWAY)


def _concerned(result: Result) -> tuple[DeviceId, ...]:
    """Devices whose standing a saved record has changed."""
    match result:
        case LeafAdded(revoked=devices) | AccountEnded(devices=devices) | ResetsCompleted(devices=devices):
            return devices
        case AccountSucceeded(devices=devices):
            return devices
        case LeavesAdded(revoked=revoked, ended=ended):
            return revoked + ended
        case KeysClaimed(keys):
            return tuple(key.device for key in keys if key.left < limits.ONE_TIME_KEYS // 2)
        case _:
            return ()


def _why_not(row: DeviceRow | None, who: SignedIn) -> Code | None:
    """Why a connected device may not go on as it is."""
    if row is None:
        return Code.UNKNOWN_DEVICE
    if row.revoked:
        return Code.DELETED if row.ended else Code.REVOKED
    if row.succeeded and not who.succeeded:
        return Code.SUCCEEDED
    return None

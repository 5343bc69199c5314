"""A peer and coterie side by side: the same talk on both, round by round, now one first, now the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from coterie.base.errors import CoterieError
from coterie.trials.figures import Figure, Target
from coterie.trials.peers.sockets import WAIT_SECONDS, nothing
from coterie.trials.talk import Talk, open_loop, talk_all
from coterie.trials.trial import Trial
from coterie.trials.voice import Voice

SPEAKERS = 10
OPEN_LOOP_PER_SECOND = 200.0
OPEN_LOOP_SHARE = 0.05
"""Of a closed loop's messages: 800 of 16,000."""
LEAST_ROOM = 3
AT_ONCE = 8
Say = Callable[[int], list[bytes]]
"""So many messages, encoded, each of them new."""
Made = TypeVar("Made")


class Pair(msgspec.Struct, frozen=True):
    """Two people: one speaks, one listens."""

    speaker: Voice
    listener: Voice
    say: Say


class Hall(msgspec.Struct, frozen=True):
    """A room where everybody hears everything. says: what the first ones say, who are as many."""

    lines: Sequence[Voice]
    says: Sequence[Say]

    def speakers(self, messages: int) -> list[tuple[Voice, list[bytes]]]:
        return [(line, say(messages)) for line, say in zip(self.lines, self.says, strict=False)]


class Side(Protocol):
    """One server of a contest: what it has used, and people on it."""

    def cpu_seconds(self) -> float: ...

    async def pairs(self, count: int) -> list[Pair]: ...

    async def hall(self, size: int) -> Hall: ...


class Targets(msgspec.Struct, frozen=True):
    """What coterie may use of what the peer uses, at most. open_p50: None for a peer that cannot keep up."""

    direct: float
    room: float
    open_p50: float | None = None


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """title: what it is and does. share: how much of a trial's messages it gets, so that a slow one ends."""

    name: str
    title: str
    targets: Targets
    share: float = 1.0
    keeps_up: bool = True
    """With the open loop."""


class PeerFailed(Exception):
    """It did not start, or stood still: the others go on."""


@contextmanager
def blamed() -> Iterator[None]:
    """What goes wrong here is the peer's."""
    try:
        yield
    except (CoterieError, TimeoutError) as error:
        raise PeerFailed(getattr(error, "note", "") or "it stood still") from error


class Contest:
    """version: of the peer, and of what works for it."""

    def __init__(self, trial: Trial, peer: Peer, version: str) -> None:
        self._trial = trial
        self._peer = peer
        self._version = version

    async def direct(self, ours: Side, there: Side) -> list[Figure]:
        """Pairs with one message in flight on each, then a steady trickle, round by round."""
        scale = self._trial.scale
        our_pairs = await ours.pairs(scale.pairs)
        with blamed():
            pairs = await there.pairs(scale.pairs)
        direct = _Both(self._peer, self._version, f"direct.{scale.pairs}x1", "server CPU per message")
        open_loop_what = f"p50 at {OPEN_LOOP_PER_SECOND:g} messages/s"
        trickle = _Both(self._peer, self._version, "open.p50", open_loop_what, unit="ms")
        each = max(1, round(scale.pair_messages * OPEN_LOOP_SHARE))
        for number in range(scale.rounds):
            first = self._first(number)
            await direct.round(
                partial(_talk, there, pairs, self._some(scale.pair_messages)),
                partial(_talk, ours, our_pairs, scale.pair_messages),
                peer_first=first,
            )
            if self._peer.keeps_up:
                of_both = partial(self._p50, pairs, each), partial(self._p50, our_pairs, each)
                await trickle.round(*of_both, peer_first=first)
        targets = self._peer.targets
        figures = [direct.figure(targets.direct)]
        return [*figures, trickle.figure(targets.open_p50)] if self._peer.keeps_up else figures

    async def room(self, ours: Side, there: Side) -> list[Figure]:
        """SPEAKERS speak with one message in flight each, and everybody hears everything."""
        size = max(LEAST_ROOM, self._trial.scale.pairs * 5 // 4)  # 100 beside 80 pairs
        messages = max(1, self._trial.scale.pair_messages // 2)
        our_hall = await ours.hall(size)
        with blamed():
            hall = await there.hall(size)
        what = f"server CPU per delivery, {SPEAKERS} speakers"
        room = _Both(self._peer, self._version, f"room.{size}", what)
        for number in range(self._trial.scale.rounds):
            await room.round(
                partial(_meet, there, hall, self._some(messages)),
                partial(_meet, ours, our_hall, messages),
                peer_first=self._first(number),
            )
        return [room.figure(self._peer.targets.room)]

    def _first(self, round_number: int) -> bool:
        """Whether the peer is: whoever comes second finds warmer caches."""
        return (self._trial.seed + round_number) % 2 == 0

    def _some(self, messages: int) -> int:
        return max(1, round(messages * self._peer.share))

    async def _p50(self, pairs: Sequence[Pair], each: int) -> float:
        """Milliseconds from sending to arrival."""
        said = [(pair.speaker, pair.listener, pair.say(each)) for pair in pairs]
        taken = sorted(await open_loop(said, OPEN_LOOP_PER_SECOND, self._trial.clock))
        return taken[len(taken) // 2] * 1000


class _Both:
    """Values of one figure."""

    def __init__(self, peer: Peer, version: str, name: str, what: str, unit: str = "us") -> None:
        self._peer = peer
        self._version = version
        self._name = name
        self._what = what
        self._unit = unit
        self._theirs: list[float] = []
        self._ours: list[float] = []

    async def round(
        self,
        theirs: Callable[[], Awaitable[float]],
        ours: Callable[[], Awaitable[float]],
        *,
        peer_first: bool,
    ) -> None:
        if not peer_first:
            self._ours.append(await ours())
        with blamed():
            self._theirs.append(await theirs())
        if peer_first:
            self._ours.append(await ours())

    def figure(self, limit: float | None) -> Figure:
        return Figure(
            name=f"against.{self._peer.name}.{self._name}",
            what=f"{self._what}: {self._peer.title} (floor: coterie)",
            unit=self._unit,
            values=tuple(self._theirs),
            floor=tuple(self._ours),
            targets=() if limit is None else (Target(limit, of_floor=True),),
            note=self._version,
            floor_is_ours=True,
        )


async def _talk(side: Side, pairs: Sequence[Pair], messages: int) -> float:
    """Microseconds of the server for each message that was delivered, one in flight on each pair."""
    talks = [Talk(pair.speaker, (pair.listener,), pair.say(messages), 1) for pair in pairs]
    before = side.cpu_seconds()
    await talk_all(talks)
    return (side.cpu_seconds() - before) * 1e6 / (len(pairs) * messages)


async def _meet(side: Side, hall: Hall, messages: int) -> float:
    """Microseconds of the server for each delivery."""
    speakers = hall.speakers(messages)
    unheard = deliveries = len(hall.lines) * len(speakers) * messages
    all_heard = asyncio.Event()

    def heard(count: int) -> None:
        nonlocal unheard
        unheard -= count
        if unheard <= 0:
            all_heard.set()

    for line in hall.lines:
        line.heard = heard
    before = side.cpu_seconds()
    await talk_all([Talk(line, (), said, 1) for line, said in speakers])
    async with asyncio.timeout(WAIT_SECONDS):
        await all_heard.wait()
    used = side.cpu_seconds() - before
    for line in hall.lines:
        line.heard = nothing
    return used * 1e6 / deliveries


async def in_groups(count: int, make: Callable[[], Awaitable[Made]]) -> list[Made]:
    """Make so many, a few at once."""
    made: list[Made] = []
    while len(made) < count:
        made += await asyncio.gather(*(make() for _ in range(min(AT_ONCE, count - len(made)))))
    return made

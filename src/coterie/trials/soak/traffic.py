"""The plan's deeds in time: each becomes orders to clients, or moves the days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import assert_never

from coterie.base.clock import SystemClock
from coterie.base.limits import DAY_MS
from coterie.client.commands import EVERYONE
from coterie.e2ee.recovery import new_passphrase
from coterie.trials.shifted_clock import SharedOffset
from coterie.trials.soak.crowd import CLAIMER
from coterie.trials.soak.plan import (
    DaysPass,
    Deed,
    KeysRunOut,
    Leaves,
    LogsIn,
    Plan,
    Reads,
    Returns,
    Says,
    SignsUp,
)
from coterie.trials.soak.speech import Close, Exhaust, LogIn, MarkRead, Open, Say, SignUp
from coterie.trials.soak.stage import Stage

UNTYPED_MAX = 100
UNACKNOWLEDGED_MAX = 400
"""Then the plan waits, so that no machine is given more than it can do."""
TELL_SECONDS = 30.0


class Traffic:
    """arrive(), then play(). names, away, sign_ups, log_ins, days: how it stands."""

    def __init__(
        self, stage: Stage, plan: Plan, seconds: float, offset: SharedOffset, tell: Callable[[str], None]
    ) -> None:
        self._stage = stage
        self._plan = plan
        self._seconds = seconds
        self._offset = offset
        self._tell = tell
        self._clock = SystemClock()
        self.names: dict[int, str] = {}
        self.first_of: dict[int, int] = {}
        """A further device's client -> the client that began its account."""
        self.away: set[int] = set()
        self._held: set[int] = set()
        self.sign_ups = 0
        self.log_ins = 0
        self.days = 0

    async def arrive(self) -> None:
        self._stage.order(SignUp(CLAIMER, "claimer", new_passphrase()))
        for deed in self._plan.arrivals():
            await self._do(deed)
        self._stage.order(Close(CLAIMER))
        await self._stage.until(lambda: len(self._stage.crowd.joined) == len(self.names) + 1)
        await self._stage.until(lambda: CLAIMER in self._stage.crowd.closed)
        self._tell(f"all {len(self.names)} are here")

    async def play(self) -> None:
        began = told = self._clock.monotonic_seconds()
        for timed in self._plan.deeds():
            await self._clock.wait_until(began + timed.due_seconds)
            await self._stage.until(self._has_room)
            await self._do(timed.deed)
            now = self._clock.monotonic_seconds()
            if now - told >= TELL_SECONDS:
                told = now
                self._tell(f"{now - began:.0f} s: {self.totals()}")
            if now - began >= self._seconds:
                break

    @contextmanager
    def held(self, client: int) -> Iterator[None]:
        """Until the end of the block it is asked for nothing."""
        self._held.add(client)
        try:
            yield
        finally:
            self._held.discard(client)

    def leave_out(self, client: int) -> None:
        """From now on it is asked for nothing."""
        self._held.add(client)

    def is_free(self, client: int) -> bool:
        """Whether it is here, and may be asked for something."""
        here = client in self._stage.crowd.joined and client not in self.away
        return here and client not in self._held

    def totals(self) -> str:
        ledger = self._stage.crowd.ledger
        return (
            f"{ledger.messages} messages, {ledger.deliveries} deliveries, {len(self.names)} devices, "
            f"{self.days} days, {self._stage.crowd.exhaustions} exhaustions, {len(self.away)} away"
        )

    def _has_room(self) -> bool:
        untyped = self._stage.untyped()
        return untyped < UNTYPED_MAX and self._stage.crowd.ledger.unacknowledged < UNACKNOWLEDGED_MAX

    async def _do(self, deed: Deed) -> None:
        match deed:
            case SignsUp(client, name):
                self.names[client] = name
                self.sign_ups += 1
                self._stage.order(SignUp(client, name, new_passphrase()))
            case LogsIn(client, of):
                await self._log_in(client, of)
            case Says():
                self._say(deed)
            case Leaves(client):
                if self.is_free(client):
                    self.away.add(client)
                    self._stage.order(Close(client))
            case Returns(client):
                self.bring_back(client)
            case Reads(client):
                if self.is_free(client):
                    self._stage.order(MarkRead(client))
            case DaysPass(days, returning):
                await self._let_pass(days, returning)
            case KeysRunOut():
                self._stage.order(
                    Exhaust(CLAIMER, self._stage.passphrase(CLAIMER), self._stage.crowd.devices())
                )
            case _:
                assert_never(deed)

    async def _log_in(self, client: int, of: int) -> None:
        if await self._stage.until(lambda: of in self._stage.crowd.joined):
            self.names[client] = self.names[of]
            self.first_of[client] = of
            self.log_ins += 1
            self._stage.order(LogIn(client, self.names[of], self._stage.passphrase(of)))

    def _say(self, deed: Says) -> None:
        """Who is not here yet neither says nor hears anything."""
        known = self._stage.crowd.joined
        if not self.is_free(deed.client):
            return
        if deed.to is not None and deed.to not in known:
            return
        self._stage.crowd.will_talk(deed.client, deed.to)
        target = EVERYONE if deed.to is None else "@" + known[deed.to].name
        self._stage.order(Say(deed.client, target, deed.texts, self._stage.crowd.next_moment()))

    def bring_back(self, client: int) -> None:
        if client in self.away:
            self.away.remove(client)
            self._stage.order(Open(client, self._stage.passphrase(client)))

    async def _let_pass(self, days: int, returning: tuple[int, ...]) -> None:
        """At one moment for all, once those are back that have been away for long."""
        back = [client for client in returning if client in self.away]
        for client in back:
            self.bring_back(client)
        await self._stage.drain(back)
        self._offset.advance(days * DAY_MS)
        self.days += days

"""The one driver: takes commands and frames, asks the core, carries out what it wants done.

A turn gathers what is waiting, applies every outcome inside one transaction, then: commit, send, show. Where
a turn fails nothing of it was sent; live ratchets are dropped, its inputs are tried again one by one, and the
connection ends: what was asked and answered on it is in memory alone, and the next one begins from the store.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgspec

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, LocalError, SecurityStop, Unavailable
from coterie.base.ids import AccountId
from coterie.client.closing import note_clean_stop
from coterie.client.commands import Command, Connected, Disconnected, Say, Tick
from coterie.client.core.profile import Profile, Run, next_run
from coterie.client.core.switchboard import Switchboard
from coterie.client.core.unsent import unaccepted
from coterie.client.events import BecameNewDevice, Event, LinkChanged, LinkState
from coterie.client.finality import is_final, why_hung_up, without_frames
from coterie.client.following import follow, readdressed
from coterie.client.journal import Journal
from coterie.client.link import Connection
from coterie.client.outcome import Outcome
from coterie.client.pinging import keep_alive
from coterie.client.signing_in import Renewal, add, begin_life, connect, enter, is_copy, keep_proof, save
from coterie.client.store.records import DropSetting, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.wire.frames import ClientFrame, ServerFrame

log = logging.getLogger("coterie.client.runtime")

INPUTS_PER_TURN = 256
INPUTS_MOST = 2000
"""Beyond these a connection is not read from: a server that floods costs bounded memory."""
GOODBYE_SECONDS = 1.0
_jitter = secrets.SystemRandom()


class _Asked(msgspec.Struct, frozen=True):
    """A command and who waits for its commit."""

    command: Command
    done: asyncio.Future[None] | None


_Input = _Asked | tuple[ServerFrame, ...]


class Runtime:
    """Owns the store, the core and the connection of one profile."""

    def __init__(
        self,
        store: ClientStore,
        profile: Profile,
        clock: Clock,
        show: Callable[[Event], None],
        renewal: Renewal | None = None,
    ) -> None:
        """renewal: what to do where this profile turns out to be a copy; None: stop then."""
        self._store = store
        self.core = Switchboard(store, profile)
        self._renewal = renewal
        self._clock = clock
        self.journal = Journal(clock)
        self._show = show
        self._inputs: deque[_Input] = deque()
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._connection: Connection | None = None
        self._deaf = False
        """Something of this connection failed: what came behind it would pass over it, and comes again."""
        self._held = False
        """Nothing is read from the connection until what came is handled."""
        self._timer: asyncio.TimerHandle | None = None
        self._damaged = False
        """The store does not read back: no turn can be made on it, not even one that says so."""
        self._run = self._begin_run()
        self.state = LinkState.OFFLINE

    async def run(self) -> None:
        """Drive until stop(); then close the connection and the store in order."""
        try:
            async with asyncio.TaskGroup() as tasks:
                driver = tasks.create_task(self._drive())
                keeper = tasks.create_task(self._keep_connected())
                await self._stopping.wait()
                keeper.cancel()
                driver.cancel()
        finally:
            self._finish()
            await self._goodbye()

    async def _goodbye(self) -> None:
        """Let the transport close its socket before the loop may end."""
        if self._connection is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._connection.lost()

    def stop(self) -> None:
        self._stopping.set()

    def stop_over(self, error: SecurityStop, keep: tuple[Record, ...]) -> None:
        """Beside this connection it was found that the server lies: keep the proof, and hang up for good."""
        save(self._store, keep)
        self._hang_up(error)

    def tell(self, command: Command) -> asyncio.Future[None]:
        """Queue a command; the future is done when its outcome is committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._stopping.is_set():
            done.set_exception(Unavailable(Code.NO_PROFILE, "the profile is closed"))
            return done
        self._put(_Asked(command, done))
        return done

    def _put(self, item: _Input) -> None:
        self._inputs.append(item)
        self._wake.set()
        if len(self._inputs) > INPUTS_MOST and self._connection is not None and not self._held:
            self._held = True
            self._connection.hold(held=True)

    def _read_on(self) -> None:
        """Where reading was held and most of what had come is handled."""
        if self._held and len(self._inputs) <= INPUTS_MOST // 2:
            self._held = False
            if self._connection is not None:
                self._connection.hold(held=False)

    def _begin_run(self) -> Run:
        """Number this start before anything is sent (encryption rule 28)."""
        run = next_run(self._store.setting(Setting.RUN), secrets.token_bytes(16))
        clean = self._store.setting(Setting.CLEAN_STOP) is not None
        self._store.begin()
        self._store.apply(self.core.started(clean).save)
        self._store.apply((PutSetting(Setting.RUN, run.pack()), DropSetting(Setting.CLEAN_STOP)))
        self._store.commit()
        return run

    def _finish(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None:
            self._send(list(self.core.positions.acknowledge(self._clock.wall_ms(), at_once=True)))
            self._connection.close()
        for item in self._inputs:
            if isinstance(item, _Asked) and item.done is not None and not item.done.done():
                item.done.set_exception(Unavailable(Code.NO_PROFILE, "the profile was closed"))
        if not self._damaged:
            note_clean_stop(self._store)

    async def _drive(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._inputs:
                count = min(len(self._inputs), INPUTS_PER_TURN)
                self._turns([self._inputs.popleft() for _ in range(count)])
                self._read_on()
                await asyncio.sleep(0)

    def _turns(self, inputs: list[_Input]) -> None:
        """One turn for all inputs; where it fails, one for each."""
        try:
            outcomes = self._turn(inputs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the turn has left no trace
            if len(inputs) == 1:
                self._failed(inputs[0], error)
                return
            for item in inputs:
                self._turns([item])
            self._hang_up(Unavailable(Code.UNREACHABLE, "a turn failed: answers in it are lost"))
        else:
            self._carry_out(inputs, outcomes)

    def _turn(self, inputs: list[_Input]) -> list[Outcome]:
        """Up to the commit. What comes after it never makes a turn be tried again."""
        outcomes: list[Outcome] = []
        now_ms = self._clock.wall_ms()
        self._store.begin()
        try:
            for item in inputs:
                self._steps(item, now_ms, outcomes)
            self._apply(self.core.after_turn(now_ms), outcomes)
            self._store.commit()
        except BaseException:
            self._store.rollback()
            self.core.forget()
            raise
        return outcomes

    def _steps(self, item: _Input, now_ms: int, outcomes: list[Outcome]) -> None:
        if isinstance(item, _Asked):
            self._deaf = self._deaf and not isinstance(item.command, Connected)
            self._apply(self.core.command(item.command, now_ms), outcomes)
            return
        if self._deaf:
            return
        for frame in item:
            self._apply(self.core.frame(frame, now_ms), outcomes)

    def _apply(self, steps: Iterator[Outcome], outcomes: list[Outcome]) -> None:
        """Each step sees what the steps before it have saved."""
        for outcome in steps:
            self._store.apply(outcome.save)
            outcomes.append(outcome)

    def _carry_out(self, inputs: list[_Input], outcomes: list[Outcome]) -> None:
        """After the commit: send, then show."""
        frames: list[ClientFrame] = [frame for outcome in outcomes for frame in outcome.send]
        self._send(frames)
        for item in inputs:
            if isinstance(item, _Asked) and item.done is not None and not item.done.done():
                item.done.set_result(None)
        for outcome in outcomes:
            for event in outcome.show:
                self._tell(event)
        self._arm()
        if self.core.heir is not None:
            self._hang_up(Unavailable(Code.UNREACHABLE, "the account goes on under another identity"))

    def _send(self, frames: list[ClientFrame]) -> None:
        """What cannot be said ends the connection; it is committed, and goes with the next one."""
        if self._connection is None:
            return
        try:
            self._connection.send(frames)
        except LocalError as error:
            log.exception("frames could not be sent")
            self._hang_up(error)

    def _tell(self, event: Event) -> None:
        if isinstance(event, LinkChanged):
            self.state = event.state
        self._show(event)

    def _failed(self, item: _Input, error: Exception) -> None:
        """A turn of one input failed and left no trace: tell who asked, or hang up on who sent it."""
        if isinstance(item, _Asked) and item.done is not None:
            if not isinstance(error, CoterieError):
                log.error("a command failed", exc_info=error)
            if not item.done.done():
                item.done.set_exception(without_frames(error))
            return
        if isinstance(error, SecurityStop):
            save(self._store, self.core.trust.witness.proof())
        self._deaf = True
        self._hang_up(why_hung_up(error))

    def _hang_up(self, error: CoterieError) -> None:
        if self._connection is not None:
            self._connection.broken(error)

    def _arm(self) -> None:
        """One timer, for the earliest moment at which the core wants a Tick."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_ms = self.core.wake_at_ms()
        if due_ms is not None:
            delay_seconds = max(0.0, (due_ms - self._clock.wall_ms()) / 1000)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay_seconds, self._put, _Asked(Tick(), None))

    async def _keep_connected(self) -> None:
        """Connect, serve, connect again with full jitter."""
        wait_seconds = limits.BACKOFF_FIRST_SECONDS
        code: Code | None = None
        while True:
            self._tell(LinkChanged(LinkState.CONNECTING, code))
            error: CoterieError | None
            try:
                connection = await self._sign_in()
            except CoterieError as failed:
                error = await self._renewed(failed)
                if error is None:
                    continue
            else:
                wait_seconds = limits.BACKOFF_FIRST_SECONDS
                await self._while_connected(connection)
                error = connection.error
                if self._followed():
                    continue
            final = is_final(error)
            code = error.code if error else None
            if code is Code.DAMAGED and final:
                self._damaged = True
                self._tell(LinkChanged(LinkState.STOPPED, code))
                return
            self._put(_Asked(Disconnected(code, final), None))
            if final:
                return
            await self._clock.wait_until(
                self._clock.monotonic_seconds() + _jitter.uniform(0.05, wait_seconds)
            )
            wait_seconds = min(wait_seconds * 2, limits.BACKOFF_LAST_SECONDS)

    async def _renewed(self, error: CoterieError) -> CoterieError | None:
        """Why there is no connection; None where this profile was a copy and is a device of its own now."""
        if self._renewal is None or not is_copy(error, self._store):
            return error
        try:
            await self._become_new_device(self._renewal)
        except CoterieError as failed:
            return failed
        self._renewal = None
        return None

    def _followed(self) -> bool:
        """Whether the account goes on as another one, and this device with it from now on."""
        heir = self.core.heir
        if heir is None:
            return False
        before = self.core.profile.account
        self.core, told = follow(self._store, self.core, heir, self._clock.wall_ms())
        self._run = self._begin_run()
        kept = [each for each in self._inputs if isinstance(each, _Asked)]
        self._inputs = deque(_readdressed(each, before, heir) for each in kept)
        self._tell(told)
        return True

    async def _while_connected(self, connection: Connection) -> None:
        """Return when the connection is gone; ping now and then, and do not wait for ever for an answer."""
        async with asyncio.TaskGroup() as tasks:
            pinger = tasks.create_task(keep_alive(connection, self._store, self.core.requests, self._clock))
            await connection.lost()
            pinger.cancel()
        self._connection = None
        self._held = False

    async def _sign_in(self) -> Connection:
        if self.core.trust.witness.stopped:
            raise SecurityStop(Code.LEDGER_SPLIT, "this server has shown two ledgers")
        connection = await connect(self._store, self.core.profile, self._clock, self.journal)
        try:
            self._go_along(connection)
            first = self._renewal is not None
            ready = await enter(connection, self._store, self.core, self._run, first=first)
            keep_proof(self._store, connection.welcome)
        except BaseException:
            connection.close()
            raise
        self._renewal = None
        self._connection = connection
        incarnation, identity = connection.welcome.incarnation, connection.statement.identity
        self._put(_Asked(Connected(ready, incarnation, identity), None))
        connection.handover(self._put)
        return connection

    def _go_along(self, connection: Connection) -> None:
        """Where the server was restored from a copy. Raises SecurityStop, Unavailable (core/lives.py)."""
        life = begin_life(self.core, self._store, connection, self._clock.wall_ms())
        if life is not None:
            self.core = Switchboard(self._store, life.profile)
            for event in life.outcome.show:
                self._tell(event)

    async def _become_new_device(self, renewal: Renewal) -> None:
        """This profile is a copy: draw a new device, have it on disk, then tell the server (rule 28)."""
        connection = await connect(self._store, self.core.profile, self._clock, self.journal)
        try:
            new = await renewal.prepare(connection, self.core.profile)
            unsure = unaccepted(self._store, new.sure_from)
            save(self._store, new.records)
            self.core = Switchboard(self._store, new.profile)
            self._run = self._begin_run()
            self._tell(BecameNewDevice(new.profile.device, self.core.views.messages(unsure)))
            await add(connection, new.frame)
        finally:
            connection.close()


def _readdressed(asked: _Asked, before: AccountId, heir: AccountId) -> _Asked:
    """What was asked while the device followed its account."""
    if not isinstance(asked.command, Say):
        return asked
    return _Asked(readdressed(asked.command, before, heir), asked.done)

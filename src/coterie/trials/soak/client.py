"""One client of a soak: it carries out its orders one after the other, by the public SDK."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, assert_never

import coterie
from coterie.base.clock import Clock, SystemClock
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, LocalError, Refused, Unavailable
from coterie.base.ids import ConversationId, DeviceId
from coterie.client.api.me import Me
from coterie.trials.soak.claims import exhaust
from coterie.trials.soak.speech import (
    Acknowledged,
    Arrived,
    Close,
    Closed,
    Delivered,
    Done,
    Drain,
    Drained,
    Exhaust,
    Exhausted,
    Failed,
    Joined,
    LogIn,
    Look,
    Looked,
    Marked,
    MarkRead,
    Open,
    Opened,
    Order,
    Report,
    Revoke,
    Say,
    SignUp,
    Typed,
    Typing,
)
from coterie.trials.soak.stores import found_in, look
from coterie.trials.soak.texts import text_digest, text_of

Result = TypeVar("Result")

log = logging.getLogger("coterie.trials.soak")

KNOWN_SECONDS = 60.0
"""How long a client may take to hear of somebody new."""
DRAIN_SECONDS = 120.0
PASSING = (Code.DISK, Code.BUSY)
"""What a server refuses for a moment only."""
PATIENT_SECONDS = 120.0
AGAIN_SECONDS = 0.5


class SoakClient:
    """One home, one profile. run() until it is cancelled."""

    def __init__(
        self, number: int, home: Path, server: str, clock: Clock, report: Callable[[Report], None]
    ) -> None:
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self._number = number
        self._home = home
        self._server = server
        self._clock = clock
        self._report = report
        self._passphrase = ""
        self._me: Me | None = None
        self._shown: dict[ConversationId, int] = {}
        """conversation -> unread in the newest event of this run."""
        self._somebody_came = asyncio.Event()
        self._entered: asyncio.Queue[Me] = asyncio.Queue()
        self._read_to_the_end = asyncio.Event()

    async def run(self) -> None:
        """Orders and events, each in a task of its own, as in a program with a screen."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._obey())
                tasks.create_task(self._listen())
        finally:
            if self._me is not None:
                await self._me.close()

    async def _obey(self) -> None:
        while True:
            order = await self.orders.get()
            try:
                await self._carry_out(order)
            except CoterieError as error:
                log.info("client %d: an order failed", self._number, exc_info=error)
                self._report(Failed(self._number, type(order).__name__, error.code.value))
            self._report(Done(self._number))

    async def _carry_out(self, order: Order) -> None:
        match order:
            case SignUp() | LogIn():
                me = await self._patiently(lambda: self._enter_by(order))
                await self._joined(me, order.passphrase)
            case Say():
                await self._say(order)
            case MarkRead():
                await self._mark_read()
            case Close():
                await self._close()
            case Open(_, passphrase):
                await self._patiently(lambda: self._open(passphrase))
            case Drain(_, well_seconds):
                await self._live().wait_drained(DRAIN_SECONDS)
                self._report(Drained(self._number, await self._is_well(well_seconds)))
            case Revoke(_, device):
                await self._patiently(lambda: self._revoke(DeviceId(device)))
            case Look(_, passphrase, marked):
                held = await look(self._home, passphrase, dict(marked), self._shown, self._clock)
                self._report(Looked(self._number, held))
            case Exhaust(_, passphrase, devices):
                taken = await self._patiently(lambda: exhaust(self._home, passphrase, devices, self._clock))
                self._report(Exhausted(self._number, taken.keys, taken.fallbacks))
            case _:
                assert_never(order)

    async def _is_well(self, seconds: float) -> bool:
        """Wait until the server has all of it, and nothing is fetched any more; not for ever."""
        clock = SystemClock()
        last = clock.monotonic_seconds() + seconds
        while (health := self._live().health()).queued or health.undecryptable_now:
            if clock.monotonic_seconds() >= last:
                return False
            await clock.wait_until(clock.monotonic_seconds() + AGAIN_SECONDS)
        return True

    async def _patiently(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """As a person does: where the server cannot be reached, or a disk is full, again. Days that pass make
        nobody impatient."""
        clock = SystemClock()
        last = clock.monotonic_seconds() + PATIENT_SECONDS
        while True:
            try:
                return await step()
            except (Unavailable, Refused) as error:
                if isinstance(error, Refused) and error.code not in PASSING:
                    raise
                now = clock.monotonic_seconds()
                if now >= last:
                    raise
                await clock.wait_until(now + AGAIN_SECONDS)

    async def _enter_by(self, order: SignUp | LogIn) -> Me:
        """Whoever died in between finds the profile made, and opens it."""
        server, home, clock, passphrase = self._server, self._home, self._clock, order.passphrase
        try:
            if isinstance(order, LogIn):
                return await coterie.log_in(
                    server=server, name=order.name, password=passphrase, home=home, clock=clock
                )
            return await coterie.sign_up(
                server=server,
                name=order.name,
                password=passphrase,
                home=home,
                generate_passphrase=True,
                clock=clock,
            )
        except Refused as refused:
            if refused.code is not Code.PROFILE_EXISTS:
                raise
            return await coterie.open(home, password=passphrase, clock=clock)

    async def _joined(self, me: Me, passphrase: str) -> None:
        self._enter(me)
        self._passphrase = passphrase
        self._report_found(me)
        if me.recovery_key is not None:
            await me.recovery_key_shown()
        await me.wait_live(PATIENT_SECONDS)
        self._report_joined(me)

    def _report_joined(self, me: Me) -> None:
        self._report(Joined(self._number, me.account, me.device, me.name, self._passphrase))

    async def _open(self, passphrase: str) -> None:
        me = await coterie.open(self._home, password=passphrase, clock=self._clock)
        self._passphrase = passphrase
        self._enter(me)
        self._report_found(me)

    def _report_found(self, me: Me) -> None:
        """What a screen shows at first: it needs no event for it."""
        self._report(Opened(self._number, me.device, tuple(found_in(me))))

    def _enter(self, me: Me) -> None:
        self._me = me
        self._shown.clear()
        self._read_to_the_end.clear()
        self._entered.put_nowait(me)

    def _live(self) -> Me:
        if self._me is None:
            raise LocalError(Code.USAGE, "this client is closed")
        return self._me

    async def _close(self) -> None:
        """In order: every event of this run is read before the next can begin."""
        me, self._me = self._live(), None
        await me.close()
        await self._read_to_the_end.wait()
        self._report(Closed(self._number))

    async def _say(self, order: Say) -> None:
        """Into the outbox; whether there is a connection does not matter."""
        me = self._live()
        await self._known(me, order.target)
        for wish in order.texts:
            text = text_of(wish)
            digest = text_digest(text)
            self._report(Typing(self._number, digest, order.moment))
            sent = await self._patiently(functools.partial(me.post, order.target, text))
            self._report(Typed(self._number, sent.conversation, sent.id, digest, order.moment))

    async def _known(self, me: Me, target: str) -> None:
        """Wait until this client has heard of who is meant."""
        if target == coterie.EVERYONE:
            return
        try:
            async with asyncio.timeout(KNOWN_SECONDS):
                while me.person(target.removeprefix("@")) is None:
                    self._somebody_came.clear()
                    await self._somebody_came.wait()
        except TimeoutError:
            raise Unavailable(Code.UNKNOWN_PERSON, "nobody told this client of them") from None

    async def _mark_read(self) -> None:
        me = self._live()
        for conversation in me.conversations():
            if conversation.last is not None:
                read = functools.partial(me.mark_read, conversation.id, conversation.last.order)
                await self._patiently(read)
                self._report(Marked(self._number, conversation.id, conversation.last.order))

    async def _revoke(self, device: DeviceId) -> None:
        """Where it died after asking, the device may be gone already."""
        me = self._live()
        if any(each.id == device and not each.revoked for each in me.devices()):
            await me.revoke_device(device, password=self._passphrase)

    async def _listen(self) -> None:
        while True:
            me = await self._entered.get()
            renewed = False
            async for event in me.events():
                self._told(event)
                if isinstance(event, coterie.BecameNewDevice):
                    self._report_found(me)
                    renewed = True
                elif renewed and event == coterie.LinkChanged(coterie.LinkState.LIVE):
                    self._report_joined(me)
                    renewed = False
            self._read_to_the_end.set()

    def _told(self, event: coterie.Event) -> None:
        match event:
            case coterie.MessageArrived(message):
                self._report(Arrived(self._number, message.id))
            case coterie.MessageSent(message):
                self._report(Acknowledged(self._number, message.id, message.seq))
            case coterie.MessageDelivered(message):
                self._report(Delivered(self._number, message.id))
            case coterie.ConversationChanged(conversation):
                self._shown[conversation.id] = conversation.unread
            case coterie.PersonAppeared():
                self._somebody_came.set()
            case coterie.LinkChanged(coterie.LinkState.STOPPED, code):
                self._report(Failed(self._number, "link", code.value if code else ""))
            case _:
                pass

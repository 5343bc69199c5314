"""A village: a real server and real clients in one process, over TLS on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self

import pytest_asyncio

import coterie
from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.ids import UserName
from coterie.client.api.me import Me
from coterie.server.serve import serve
from coterie.server.settings import ReadyLine, ServerSettings

PASSWORD = "swallow-marble-quay-94"
PATIENCE_SECONDS = 20.0


class Heard:
    """Collects the events of one person from the moment it is made."""

    def __init__(self, me: Me) -> None:
        self.events: list[coterie.Event] = []
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._listen(me))  # noqa: TID251 - outlives the call that makes it

    async def _listen(self, me: Me) -> None:
        async for event in me.events():
            self.events.append(event)
            self._more.set()

    async def to_the_end(self) -> None:
        """Who was closed tells what came before that."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._task

    async def until(self, enough: Callable[[list[coterie.Event]], bool]) -> list[coterie.Event]:
        """Wait until the events so far are enough."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not enough(self.events):
                self._more.clear()
                await self._more.wait()
        return self.events

    def messages(self) -> list[coterie.Message]:
        return [event.message for event in self.events if isinstance(event, coterie.MessageArrived)]

    async def texts(self, count: int) -> list[str]:
        """The texts of the first messages, once there are that many."""
        await self.until(lambda _: len(self.messages()) >= count)
        return [message.text for message in self.messages()]


class Days(SystemClock):
    """The real time, some days later."""

    def __init__(self) -> None:
        self._later_ms = 0

    def pass_days(self, days: float) -> None:
        self._later_ms += round(days * limits.DAY_MS)

    def wall_ms(self) -> int:
        return super().wall_ms() + self._later_ms


class Village:
    """One server, and whoever signed up there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Days()
        self.invite = ""
        self._people: list[Me] = []
        self._server: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> Self:
        """Open the server on its folder; a second time on the same port."""
        ready: asyncio.Future[ReadyLine] = asyncio.get_running_loop().create_future()
        settings = ServerSettings(data=self.folder / "server", port=port)
        self._server = asyncio.create_task(serve(settings, ready.set_result, clock=self.clock))  # noqa: TID251 - stop() ends it
        self._server.add_done_callback(lambda _: ready.done() or ready.cancel())
        async with asyncio.timeout(PATIENCE_SECONDS):
            self.invite = (await ready).invite
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.cancel()
            await asyncio.wait({self._server}, timeout=PATIENCE_SECONDS)
            self._server = None

    @property
    def port(self) -> int:
        return int(self.invite.split("/")[2].rsplit(":", 1)[1])

    def home(self, name: str) -> Path:
        return self.folder / "homes" / name

    async def person(self, name: str, *, passphrase: bool = False) -> Me:
        """Sign somebody up and wait until they are connected."""
        me = await coterie.sign_up(
            server=self.invite,
            name=name,
            password=None if passphrase else PASSWORD,
            generate_passphrase=passphrase,
            home=self.home(name),
            clock=self.clock,
        )
        return await self.keep(me)

    async def back(self, name: str) -> Me:
        """Somebody opens the profile that was closed before, and gets all that waited."""
        me = await self.keep(await coterie.open(self.home(name), password=PASSWORD, clock=self.clock))
        await me.wait_drained(PATIENCE_SECONDS)
        return me

    async def keep(self, me: Me) -> Me:
        """Wait until a person is connected; closed at the end."""
        self._people.append(me)
        await me.wait_live(PATIENCE_SECONDS)
        return me

    async def close(self) -> None:
        for me in self._people:
            await me.close()
        await self.stop()


@pytest_asyncio.fixture
async def village(tmp_path: Path) -> AsyncIterator[Village]:
    town = Village(tmp_path)
    await town.start()
    yield town
    await town.close()


async def acquainted(*people: Me) -> None:
    """Wait until everybody of these knows everybody."""
    names = {each.name for each in people}
    for me in people:
        await knows(me, names)


async def knows(me: Me, names: set[UserName]) -> None:
    """Wait until somebody knows people of these names."""
    await Heard(me).until(lambda _: names <= {person.name for person in me.people()})

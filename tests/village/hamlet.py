"""A village on one quick loop: the real server and real clients, links of memory, and processes that may die.

Whoever died is opened again from what the disk held, as a person does, and goes on with what they were about
to do: what stands in a conversation already is not typed again.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random  # noqa: TID251 - the same chances in every run
from typing import TypeVar

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from picows import WSListener

import coterie
from coterie.base.errors import CoterieError, Refused
from coterie.base.signing import IdentityKeys
from coterie.client import link, runtime
from coterie.client.api.me import Me
from coterie.client.core import read_marks, receipts, trust_marks
from coterie.e2ee import password
from coterie.server.founding import invite_of
from coterie.server.metrics import Metrics
from coterie.server.restoring import open_or_begin_life
from coterie.server.sequencer import Sequencer
from coterie.server.store.sqlite import SqliteStore
from coterie.server.turns import Turns
from tests.ledger.accounts import NOW_MS
from tests.village.conftest import PASSWORD
from tests.village.deaths import Died, Life, Points, lives_here, watch, watch_disk_and_screen
from tests.village.memory_line import Line
from tests.village.quick_loop import LoopClock

GivenT = TypeVar("GivenT")
ResultT = TypeVar("ResultT")

TLS_KEY = b"t" * 32
PORT = 1
PATIENCE_SECONDS = 300.0
"""On the quick loop."""
LOOKS_EVERY_SECONDS = 2.0
STARTS_AGAIN_SECONDS = 3.0
"""A person needs so long to start a program that died; everybody else goes on meanwhile."""


class Person:
    """Somebody with one machine. Where its process dies they start it again."""

    def __init__(self, hamlet: Hamlet, name: str, account: str = "") -> None:
        self.hamlet = hamlet
        self.name = name
        self.account = account or name
        self.passwords: tuple[str, ...] = (PASSWORD,)
        """What they try, in order."""
        self.away = False
        """Nobody starts this machine."""
        self.lives: list[Life] = []
        self._me: Me | None = None

    @property
    def home(self) -> Path:
        """What the disk of the machine holds now."""
        return self.hamlet.folder / "homes" / f"{self.name}-{len(self.lives)}"

    @property
    def is_there(self) -> bool:
        return self._me is not None and not self.lives[-1].dead

    @property
    def me(self) -> Me:
        assert self._me is not None
        return self._me

    def goes_on(self) -> None:
        """Raises whatever has ended a program that nobody ended."""
        if self.me._task.done():
            self.me._task.result()
            raise AssertionError(f"the program of {self.name} has ended")

    def _live(self) -> Life:
        home = self.home
        life = Life(self.name, home, home.with_name(f"{self.name}-{len(self.lives) + 1}"), self.hamlet.points)
        self.lives.append(life)
        return life

    async def does(
        self,
        act: Callable[[Me], Awaitable[object]],
        done: Callable[[Me], bool] = lambda _: False,
    ) -> None:
        """Something that is done once, however often the process dies over it: what is done already, as the
        opened profile says, is not begun again."""
        while True:
            await self.is_up()
            if done(self.me):
                return
            with suppress(Died):
                await self.lives[-1].does(_done(act, self.me))
                return

    async def is_up(self, begin: Callable[[Path], Awaitable[Me]] | None = None) -> None:
        """Open the profile, where it is not open; begin: what makes one where the disk holds none."""
        while not self.is_there:
            await self._buried()
            life = self._live()
            opens = self._opens if begin is None or self._has_profile(life.home) else begin
            try:
                me = await life.does(_done(opens, life.home))
            except Died:
                continue
            except CoterieError:
                await life.bury()
                if life.home.exists():
                    life.home.rename(life.grave)
                raise
            self._me = me
            self.hamlet.looks(self)

    async def _buried(self) -> None:
        if self.lives and not self.is_there:
            if self._me is not None or self.lives[-1].dead:
                await self.hamlet.clock.wait(STARTS_AGAIN_SECONDS)
            self._me = None
            await self.lives[-1].bury()

    def _has_profile(self, home: Path) -> bool:
        return any(home.glob("profiles/*/keys"))

    async def _opens(self, home: Path) -> Me:
        for word in self.passwords[:-1]:
            with suppress(Refused):
                return await coterie.open(home, password=word, clock=self.hamlet.clock)
        return await coterie.open(home, password=self.passwords[-1], clock=self.hamlet.clock)

    def shown(self) -> list[coterie.Event]:
        return [event for life in self.lives for event in life.shown]

    async def leaves(self) -> None:
        """Close in order; the disk stays where the next life finds it, whoever starts it then."""
        self.away = True
        if self.is_there:
            life = self.lives[-1]
            await life.does(self.me.close())
            await life.bury()
            life.home.rename(life.grave)
            self._me = None


async def _done(work: Callable[[GivenT], Awaitable[ResultT]], with_this: GivenT) -> ResultT:
    return await work(with_this)


class Hamlet:
    """One server and its people. folder: with `server` and `homes`."""

    def __init__(self, folder: Path, points: Points) -> None:
        self.folder = folder
        self.points = points
        self.clock = LoopClock(NOW_MS)
        self.metrics = Metrics()
        self.people: dict[str, Person] = {}
        self.invite = ""
        self.looks: Callable[[Person], None] = lambda _: None
        """Somebody has opened a profile, and nothing has come yet."""
        self.turns: Turns
        self.store: SqliteStore

    @property
    def there(self) -> list[Person]:
        """Machines that are meant to run."""
        return [person for person in self.people.values() if not person.away]

    def person(self, name: str, account: str = "") -> Person:
        return self.people.setdefault(name, Person(self, name, account))

    async def signs_up(self, name: str) -> Person:
        """Somebody new; who died over it goes on with what is on the disk."""
        person = self.person(name)
        await person.is_up(
            lambda home: coterie.sign_up(
                server=self.invite, name=name, password=PASSWORD, home=home, clock=self.clock
            )
        )
        return person

    async def logs_in(self, name: str, account: str, recovery_key: str) -> Person:
        """Another machine of somebody, come in by the recovery key."""
        person = self.person(name, account)
        await person.is_up(
            lambda home: coterie.log_in(
                server=self.invite,
                name=account,
                password=PASSWORD,
                recovery_key=recovery_key,
                home=home,
                device_name=name,
                clock=self.clock,
            )
        )
        return person

    def connects(self, make: Callable[[], WSListener]) -> tuple[Line, WSListener]:
        """Somebody has found the way to the server."""
        line, client = Line(self.turns, self.points), make()
        line.answer(client)
        life = lives_here()
        if life is not None:
            life.at_death.append(line.cut)
        return line, client

    async def until(self, lacking: Callable[[], list[str]]) -> None:
        """Everybody goes on, and who dies is started again, until nothing is lacking any more."""
        give_up_at = self.clock.monotonic_seconds() + PATIENCE_SECONDS
        while True:
            for person in self.there:
                await person.is_up()
            if all(person.is_there for person in self.there):
                for person in self.there:
                    person.goes_on()
                lacks = lacking()
                if not lacks:
                    return
                assert self.clock.monotonic_seconds() < give_up_at, lacks
            await self.clock.wait(LOOKS_EVERY_SECONDS)


@asynccontextmanager
async def hamlet_in(folder: Path, points: Points, *, began_ms: int = NOW_MS) -> AsyncIterator[Hamlet]:
    """The server on this folder, and whoever comes. began_ms: what time it is."""
    hamlet = Hamlet(folder, points)
    hamlet.clock = LoopClock(began_ms)
    watch(asyncio.get_running_loop())
    (folder / "server").mkdir(parents=True, exist_ok=True)
    (folder / "homes").mkdir(exist_ok=True)
    hamlet.store = SqliteStore(folder / "server" / "server.db")
    with pytest.MonkeyPatch.context() as patch:
        _patched(patch, hamlet)
        try:
            realm = await open_or_begin_life(hamlet.store, TLS_KEY, True, hamlet.clock.wall_ms())
            sequencer = await Sequencer.load(hamlet.store, realm)
            hamlet.turns = Turns(hamlet.store, realm, sequencer, hamlet.metrics, hamlet.clock)
            await hamlet.turns.prepare()
            hamlet.invite = (await invite_of(hamlet.store, realm, "127.0.0.1", PORT, 0)).link
            async with asyncio.TaskGroup() as group:
                running = group.create_task(hamlet.turns.run())
                try:
                    yield hamlet
                    points.closed = True
                    for person in hamlet.people.values():
                        await person.leaves()
                finally:
                    for person in hamlet.people.values():
                        for life in person.lives:
                            await life.bury()
                    hamlet.turns.stop()
                    await running
        finally:
            await hamlet.store.close()


def _patched(patch: pytest.MonkeyPatch, hamlet: Hamlet) -> None:
    """Links of memory, and the same chances in each run that begins at the same time. RSA keys are
    checked once, and passwords stretched a little."""

    async def connected(make: Callable[[], WSListener], *_: object, **__: object) -> tuple[Line, WSListener]:
        await asyncio.sleep(0)
        return hamlet.connects(make)

    patch.setattr(link, "ws_connect", connected)
    patch.setattr(link, "_tls_key", lambda _: TLS_KEY)
    patch.setattr(password, "Argon2id", _cheap)
    chance = Random(hamlet.clock.wall_ms())
    patch.setattr(secrets, "token_bytes", lambda size=32: chance.randbytes(size))
    for module in (runtime, read_marks, receipts, trust_marks):
        patch.setattr(module, "_jitter", chance)
    patch.setattr(IdentityKeys, "unpack", _unpacked)
    watch_disk_and_screen(patch)


def _cheap(*, salt: bytes, length: int, **_: int) -> Argon2id:
    """Nobody guesses here."""
    return Argon2id(salt=salt, length=length, iterations=1, lanes=1, memory_cost=8)


_unpacked = cache(IdentityKeys.unpack)


def copied(prepared: Path, to: Path) -> Path:
    """A village as it was left, for one run: everybody's machine is at its first life again."""
    shutil.copytree(prepared / "server", to / "server")
    for home in (prepared / "homes").iterdir():
        shutil.copytree(home, to / "homes" / f"{home.name.rpartition('-')[0]}-0")
    return to

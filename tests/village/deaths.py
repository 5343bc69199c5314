"""Where the process of a client may die, one place after the other, and what is left of it then.

A crash point is every await at which code of a client suspends, every commit and every change of a profile's
files (before and after it), every message handed to the link (before and after it), and every event shown
(before it). Points of one process between which nothing reached a disk or a link of anybody, and no time
passed, are one moment: who dies at one of them leaves the same world as who dies at another. Moments are
counted over all clients of a scenario; whoever meets the one that was chosen dies there. What its disk holds
then is copied, and only the copy is opened again; what it had given to the link arrives, nothing else of it
does, and nothing reaches it any more.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from types import CoroutineType, FrameType
from typing import Any, ClassVar, ParamSpec, TypeVar

import pytest

from coterie.client.api import doors, enrolment, me
from coterie.client.events import Event
from coterie.client.store import database, keys
from coterie.client.store.sqlite import ClientStore

CLIENT = "/coterie/client/"

ResultT = TypeVar("ResultT")
Parameters = ParamSpec("Parameters")


class Died(BaseException):
    """The process is gone: no handler of the client may stop it."""


@dataclass
class Points:
    """Counts what is met. chosen: the moments at which somebody dies, counted from 1; after the first death
    anew, and those of the one who died alone. () nobody does."""

    chosen: tuple[int, ...] = ()
    moment: int = 0
    """The last one that was met."""
    changes: int = 0
    """How often something of the world has changed that outlives a process."""
    died_at: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    """How many points of each kind were met."""
    places: ClassVar[set[str]] = set()
    """Every await that was one, in any scenario: file and line."""
    closed: bool = False
    """Nobody dies for now."""
    _now: object = None

    def reach(self, life: Life, what: str, where: str) -> None:
        if life.dead:
            raise Died
        if self.closed:
            return
        if what == "await":
            self.places.add(where)
        self.kinds[what] = self.kinds.get(what, 0) + 1
        now = (life, self.changes, asyncio.get_running_loop().time())
        if now == self._now:
            return
        self._now = now
        if self.died_at and life.name != self.died_at[0].split()[0]:
            return
        self.moment += 1
        if len(self.died_at) < len(self.chosen) and self.moment == self.chosen[len(self.died_at)]:
            self.moment = 0
            self.died_at.append(f"{life.name} {what} {where}")
            life.die()
            raise Died

    @property
    def over(self) -> bool:
        """Whether everybody chosen has died."""
        return len(self.died_at) == len(self.chosen)


_life: ContextVar[Life] = ContextVar("life")


class Life:
    """One process of a client, from its start to its death or to its end. home: its disk; grave: where what
    is left of it is copied to."""

    def __init__(self, name: str, home: Path, grave: Path, points: Points) -> None:
        self.name = name
        self.home = home
        self.grave = grave
        self.points = points
        self.dead = False
        self.at_death: list[Callable[[], None]] = []
        self.shown: list[Event] = []
        self._tasks: list[asyncio.Task[Any]] = []
        self._steps: list[_Steps] = []
        self.stores: list[ClientStore] = []

    async def does(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Something that its process does, to its end. Raises Died."""
        return await self._outcome(self._begin(work))

    def _begin(self, work: Coroutine[Any, Any, ResultT]) -> asyncio.Task[ResultT]:
        """Something that its process does."""
        context = copy_context()
        context.run(_life.set, self)
        return asyncio.get_running_loop().create_task(work, context=context)

    def die(self) -> None:
        self.dead = True
        if self.home.exists():
            shutil.copytree(self.home, self.grave)
        for each in self.at_death:
            each()
        asyncio.get_running_loop().call_soon(self._stop)

    def _stop(self) -> None:
        """Nothing of it goes on: whoever waits for a task of it learns so."""
        for task in self._tasks:
            task.cancel()

    async def _outcome(self, task: asyncio.Task[ResultT]) -> ResultT:
        """What came of something that the process did. Raises Died."""
        try:
            return await task
        except BaseException:
            if self.dead:
                raise Died from None
            raise

    def reach(self, what: str, where: str) -> None:
        self.points.reach(self, what, where)

    async def bury(self) -> None:
        """Let go of everything that the process had, once it is dead or has ended."""
        self.dead = True
        self._stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for steps in self._steps:
            steps.end()
        for store in self.stores:
            store.close()

    def task(self, work: Coroutine[Any, Any, ResultT], context: Context | None) -> asyncio.Task[ResultT]:
        steps = _Steps(self, work)
        task = asyncio.Task(steps, loop=asyncio.get_running_loop(), context=context)
        self._steps.append(steps)
        self._tasks.append(task)
        return task


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine of a client; wherever it suspends is a point."""

    def __init__(self, life: Life, work: Coroutine[Any, Any, Any]) -> None:
        self._life = life
        self._work = work

    def send(self, value: Any) -> Any:
        self._alive()
        return self._suspended(self._work.send(value))

    def throw(self, *error: Any) -> Any:
        self._alive()
        return self._suspended(self._work.throw(*error))

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError

    def close(self) -> None:
        self._work.close()

    def end(self) -> None:
        """Unwind what will never go on; what it would still await is not there any more."""
        for _ in range(10):
            try:
                self._work.close()
            except RuntimeError:
                continue
            except BaseException:  # noqa: BLE001 - its process is gone: nobody is told of it
                return
            return

    def _alive(self) -> None:
        if self._life.dead:
            raise Died

    def _suspended(self, waits_for: Any) -> Any:
        self._life.reach("await", _innermost(self._work))
        return waits_for


def _innermost(work: object) -> str:
    """The deepest line of the client at which a coroutine waits."""
    found = "?"
    while isinstance(work, CoroutineType):
        frame: FrameType | None = work.cr_frame
        if frame is not None and CLIENT in frame.f_code.co_filename:
            found = f"{frame.f_code.co_filename.rpartition(CLIENT)[2]}:{frame.f_lineno}"
        work = work.cr_await
    return found


def reach(what: str, where: str = "") -> None:
    """Code of whatever client runs here comes to a point; code of others does not."""
    life = _life.get(None)
    if life is not None:
        life.reach(what, where)


def changed() -> None:
    """Code of a client has changed what outlives it."""
    life = _life.get(None)
    if life is not None:
        life.points.changes += 1


def lives_here() -> Life | None:
    """Whose code runs."""
    return _life.get(None)


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Tasks that a client starts are its own."""

    def factory(
        loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None
    ) -> asyncio.Task[Any]:
        life = _life.get(None) if context is None else context.get(_life)
        if life is None:
            return asyncio.Task(work, loop=loop, context=context)
        return life.task(work, context)

    def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Died):
            loop.default_exception_handler(context)

    loop.set_exception_handler(handler)
    loop.set_task_factory(factory)  # type: ignore[arg-type] # typeshed's factory takes no context


def around(
    patch: pytest.MonkeyPatch, owner: object, name: str, what: str, *, when: Callable[..., bool] | None = None
) -> None:
    """A point before and after each call of a function. when: of which calls alone, by their arguments."""
    function = getattr(owner, name)

    def watched(*args: Any, **kwargs: Any) -> Any:
        if when is not None and not when(*args, **kwargs):
            return function(*args, **kwargs)
        reach(f"before {what}", name)
        result = function(*args, **kwargs)
        changed()
        reach(f"after {what}", name)
        return result

    patch.setattr(owner, name, watched)


def watch_disk_and_screen(patch: pytest.MonkeyPatch) -> None:
    """Points at every commit, at every change of a profile's files, and at every event."""
    around(patch, ClientStore, "commit", "a commit")
    around(patch, database, "run", "a step of the schema", when=lambda _, sql, *__: sql == "COMMIT")
    for module in (enrolment, doors):
        around(patch, module, "write_key_file", "a key file")
    around(patch, keys, "sync_folder", "the key file has its name")
    _keep_stores(patch)
    show = me.Me._show

    def shown(self: me.Me, event: Event) -> None:
        reach("before showing", type(event).__name__)
        life = lives_here()
        if life is not None:
            life.shown.append(event)
        show(self, event)

    patch.setattr(me.Me, "_show", shown)


def _keep_stores(patch: pytest.MonkeyPatch) -> None:
    """Whoever buries a process closes what it had open."""
    made = ClientStore.__init__

    def opened(self: ClientStore, *args: Any) -> None:
        made(self, *args)
        life = lives_here()
        if life is not None:
            life.stores.append(self)

    patch.setattr(ClientStore, "__init__", opened)

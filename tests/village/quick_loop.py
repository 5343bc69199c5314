"""An event loop in which waiting takes no time: where nothing is ready, its clock goes on to what is due.

Everything that runs on it is as real as on another loop, and runs in the same order each time. There are no
sockets on it and no threads beside it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

ResultT = TypeVar("ResultT")
Parameters = ParamSpec("Parameters")


AT_ONCE_MOST = 50_000
"""Turns of the loop without any time in between."""


class _Selector(selectors.DefaultSelector):
    """Does not sleep: the loop's clock goes on instead."""

    loop: QuickLoop
    _at_once = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits, and nothing will ever come")
        self._at_once += 1
        if not ready and timeout is not None:
            self.loop.now_seconds += timeout
            self._at_once = self._at_once if timeout == 0 else 0
        if self._at_once > AT_ONCE_MOST:
            raise RuntimeError("something goes on for ever, and no time passes")
        return ready


class _AtOnce(ThreadPoolExecutor):
    """What would run in a thread runs here and now."""

    def submit(
        self, fn: Callable[Parameters, ResultT], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[ResultT]:
        done: Future[ResultT] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            done.set_exception(error)
        return done


class QuickLoop(asyncio.SelectorEventLoop):
    """now_seconds: what time() says."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now_seconds = 0.0
        super().__init__(selector)
        self.set_default_executor(_AtOnce(1))

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is nothing to wait for."""

    def time(self) -> float:
        return self.now_seconds


class LoopClock:
    """The time of the loop that runs; wall_ms: when it began."""

    def __init__(self, wall_ms: int) -> None:
        self._began_ms = wall_ms

    def pass_ms(self, ms: int) -> None:
        """All clocks on walls go forward by so much; nobody has waited for it."""
        self._began_ms += ms

    def wall_ms(self) -> int:
        return self._began_ms + round(self.monotonic_seconds() * 1000)

    def monotonic_seconds(self) -> float:
        return asyncio.get_running_loop().time()

    async def wait_until(self, monotonic_seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(monotonic_seconds):
                await asyncio.get_running_loop().create_future()

    async def wait(self, seconds: float) -> None:
        """Let so much time pass."""
        await self.wait_until(self.monotonic_seconds() + seconds)


def run_quickly(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """To its end, on a loop of its own."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        return runner.run(main)

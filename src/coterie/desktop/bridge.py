"""The only meeting place of the asyncio thread and Tk.

asyncio runs in one background thread, Tk in the thread that made the root. Towards the window: a deque and
one byte in a pipe that Tk watches (on Windows, where Tk cannot watch files, a look every 15 ms), drained for
at most 6 ms at a time so that keys and drawing come between. Towards the loop: run_coroutine_threadsafe, with
a strong reference to what it returns. What fails on either side is handed to Tk's
report_callback_exception; nothing is swallowed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import tkinter as tk
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.desktop.collector import Collector

DRAIN_BUDGET_MS: Final = 6.0
POLL_MS: Final = 15
SWITCH_SECONDS: Final = 0.001
"""How long one thread may keep the other from running Python. Each call of Tk lets go of Python's lock, and
where much is opened and stored in the loop the window waits so long to go on; Python itself says 5 ms."""
RESUME_MS: Final = 1
STOP_SECONDS: Final = 5.0
GOODBYE_SECONDS: Final = 0.05  # for connections just dropped: TLS says goodbye before the socket closes

T = TypeVar("T")
Call = Callable[[], None]


class Run(Protocol):
    """How a screen starts work in the loop: Bridge.run."""

    def __call__(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> Job: ...


class Job:
    """Work given to the loop. After cancel() neither of its callbacks is called."""

    def __init__(self, future: Future[Any]) -> None:
        self._future = future
        self.cancelled = False

    def cancel(self) -> None:
        """Ask the loop to cancel the work and forget what comes of it. UI thread."""
        self.cancelled = True
        self._future.cancel()


class Bridge:
    """One loop in one thread, and the way there and back. Made, started and stopped by the UI thread."""

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._clock = SystemClock()
        self._calls: deque[Call] = deque()
        self._awake = False
        self._lock = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._loop_failed)
        self._thread = threading.Thread(target=self._serve, name="coterie-loop", daemon=True)
        self._jobs: set[Future[Any]] = set()
        self._late: list[Exception] = []
        self._timer: str | None = None
        self._collector = Collector(root)
        self._switch_before = sys.getswitchinterval()
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._watches = sys.platform != "win32"

    def start(self) -> None:
        """Start the loop's thread and listen for what it posts."""
        if self._watches:
            self._root.tk.createfilehandler(self._read_end, tk.READABLE, self._woken)
        else:
            self._timer = self._root.after(POLL_MS, self._polled)
        self._collector.start()
        self._switch_before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        self._thread.start()

    def run(
        self,
        work: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[BaseException], None] | None = None,
    ) -> Job:
        """Run a coroutine in the loop; done(result) or failed(error) is called in the UI thread.

        Without failed an error goes to report_callback_exception. Call from the UI thread.
        """
        if self._closed:
            work.close()
            raise LocalError(Code.USAGE, "the bridge is stopped")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        job = Job(future)
        self._jobs.add(future)

        def ended(finished: Future[T]) -> None:
            self.post(lambda: self._finish(job, finished, done, failed))

        future.add_done_callback(ended)
        return job

    def post(self, call: Call) -> None:
        """Have call() run in the UI thread, in the order of posting. From any thread."""
        with self._lock:
            if self._closed:
                return
            self._calls.append(call)
            if self._awake or not self._watches:
                return
            self._awake = True
            os.write(self._write_end, b"!")

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """Cancel what runs, end the loop and its thread, let go of the pipe. UI thread; idempotent.

        Raises LocalError where the loop did not end in time (something in it blocks).
        """
        if self._closed:
            return
        with self._lock:
            self._closed = True
            self._calls.clear()
        if self._watches:
            self._root.tk.deletefilehandler(self._read_end)
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_seconds)
            sys.setswitchinterval(self._switch_before)
            if self._thread.is_alive():
                raise LocalError(Code.USAGE, "the loop did not stop in time")
        else:
            self._loop.close()
        self._collector.stop()
        os.close(self._read_end)
        os.close(self._write_end)
        for error in self._late:
            self._report(error)

    def _serve(self) -> None:
        """The thread: until stop(); then everything that still runs is cancelled and awaited."""
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            ends = self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._late = [end for end in ends if isinstance(end, Exception)]
            self._loop.run_until_complete(asyncio.sleep(GOODBYE_SECONDS))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _finish(
        self,
        job: Job,
        future: Future[T],
        done: Callable[[T], None] | None,
        failed: Callable[[BaseException], None] | None,
    ) -> None:
        self._jobs.discard(future)
        if job.cancelled or future.cancelled():
            return
        error = future.exception()
        if error is None:
            if done is not None:
                done(future.result())
        elif failed is not None:
            failed(error)
        else:
            raise error

    def _loop_failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio found an error that nobody awaited."""
        error = context.get("exception")
        if not isinstance(error, BaseException):
            error = LocalError(Code.USAGE, str(context.get("message", "error in the loop")))
        self.post(lambda: self._report(error))

    def _woken(self, _file: object, _mask: int) -> None:
        os.read(self._read_end, 64)
        self._drain()

    def _polled(self) -> None:
        self._timer = None
        self._drain()
        if not self._closed and self._timer is None:
            self._timer = self._root.after(POLL_MS, self._polled)

    def _resumed(self) -> None:
        self._timer = None
        self._drain()

    def _drain(self) -> None:
        """Run what was posted until nothing is left or the budget is spent; then go on after a breath."""
        until = self._clock.monotonic_seconds() + DRAIN_BUDGET_MS / 1000
        while True:
            with self._lock:
                if not self._calls:
                    self._awake = False
                    return
                call = self._calls.popleft()
            try:
                call()
            except Exception as error:  # noqa: BLE001 - every failure goes to report_callback_exception
                self._report(error)
            if self._closed:
                return
            if self._clock.monotonic_seconds() >= until and self._calls:
                again = self._resumed if self._watches else self._polled
                self._timer = self._root.after(RESUME_MS, again)
                return

    def _report(self, error: BaseException) -> None:
        self._root.report_callback_exception(type(error), error, error.__traceback__)

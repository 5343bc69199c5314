"""The bridge between the loop and Tk: order, budget, errors in both directions, a clean stop."""

from __future__ import annotations

import asyncio
import gc
import threading
import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import LocalError, Refused
from coterie.desktop.bridge import Bridge

Wait = Callable[[Callable[[], bool]], None]


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def refuse() -> int:
    await asyncio.sleep(0)
    raise Refused(Code.NAME_TAKEN)


def test_run_hands_the_result_to_the_ui_thread(bridge: Bridge, wait: Wait) -> None:
    got: list[tuple[int, bool]] = []
    bridge.run(answer(7), lambda value: got.append((value, threading.current_thread() is ui)))
    ui = threading.current_thread()
    wait(lambda: bool(got))
    assert got == [(7, True)]


def test_run_hands_an_error_to_failed(bridge: Bridge, wait: Wait) -> None:
    errors: list[BaseException] = []
    bridge.run(refuse(), failed=errors.append)
    wait(lambda: bool(errors))
    assert isinstance(errors[0], Refused)
    assert errors[0].code is Code.NAME_TAKEN


def test_an_error_nobody_takes_is_reported(bridge: Bridge, wait: Wait, failures: list[BaseException]) -> None:
    bridge.run(refuse())
    wait(lambda: bool(failures))
    assert isinstance(failures.pop(), Refused)


def test_an_error_in_a_posted_call_is_reported_and_the_next_call_runs(
    bridge: Bridge, wait: Wait, failures: list[BaseException]
) -> None:
    ran: list[int] = []

    def breaks() -> None:
        raise LocalError(Code.USAGE, "broken on purpose")

    bridge.post(breaks)
    bridge.post(lambda: ran.append(1))
    wait(lambda: bool(ran))
    assert [type(failures.pop())] == [LocalError]


def test_an_error_that_the_loop_finds_by_itself_is_reported(
    bridge: Bridge, wait: Wait, failures: list[BaseException]
) -> None:
    async def break_later() -> None:
        def breaks() -> None:
            raise LocalError(Code.USAGE, "broken on purpose")

        asyncio.get_running_loop().call_soon(breaks)

    bridge.run(break_later())
    wait(lambda: bool(failures))
    assert isinstance(failures.pop(), LocalError)


def test_posts_from_several_threads_all_arrive_each_in_its_order(bridge: Bridge, wait: Wait) -> None:
    got: list[tuple[int, int]] = []

    def post_many(writer: int) -> None:
        for count in range(2000):
            bridge.post(lambda count=count: got.append((writer, count)))  # type: ignore[misc]  # mypy and defaults

    threads = [threading.Thread(target=post_many, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    wait(lambda: len(got) == 6000)
    for thread in threads:
        thread.join()
    for writer in range(3):
        assert [count for who, count in got if who == writer] == list(range(2000))


def test_a_flood_of_posts_leaves_time_for_keys_and_drawing(root: tk.Tk, bridge: Bridge, wait: Wait) -> None:
    """Calls worth 300 ms are posted at once; a timer and idle work of Tk get their turn in between."""
    clock = SystemClock()
    done: list[int] = []
    between: list[int] = []

    def costly() -> None:
        until = clock.monotonic_seconds() + 0.003
        while clock.monotonic_seconds() < until:
            pass
        done.append(1)

    def note() -> None:
        between.append(len(done))
        if len(done) < 100:
            root.after(1, lambda: root.after_idle(note))

    note()
    for _ in range(100):
        bridge.post(costly)
    wait(lambda: len(done) == 100)
    assert len(set(between)) > 10


def test_work_is_kept_alive_while_nobody_holds_it(bridge: Bridge, wait: Wait) -> None:
    got: list[int] = []

    async def slow() -> int:
        for _ in range(50):
            await asyncio.sleep(0)
            gc.collect(0)
        return 1

    bridge.run(slow(), got.append)
    gc.collect()
    wait(lambda: got == [1])


def test_cancel_forgets_the_callbacks(bridge: Bridge, wait: Wait) -> None:
    called: list[object] = []
    ended = threading.Event()

    async def for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    job = bridge.run(for_ever(), called.append, called.append)
    job.cancel()
    wait(ended.is_set)
    settled: list[int] = []
    bridge.run(answer(1), settled.append)
    wait(lambda: bool(settled))
    assert called == []


def test_stop_cancels_and_awaits_what_runs(root: tk.Tk) -> None:
    bridge = Bridge(root)
    bridge.start()
    started, ended = threading.Event(), threading.Event()

    async def tidy() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.set()

    bridge.run(tidy())
    assert started.wait(10)
    bridge.stop()
    assert ended.is_set()
    bridge.stop()
    bridge.post(lambda: pytest.fail("ran after the stop"))
    with pytest.raises(LocalError):
        bridge.run(answer(1))


def test_an_error_while_stopping_is_reported(root: tk.Tk, failures: list[BaseException]) -> None:
    bridge = Bridge(root)
    bridge.start()
    started = threading.Event()

    async def breaks_when_cancelled() -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LocalError(Code.USAGE, "broken on purpose") from None

    bridge.run(breaks_when_cancelled())
    assert started.wait(10)
    bridge.stop()
    assert [type(failures.pop())] == [LocalError]


def test_a_bridge_that_never_started_stops_too(root: tk.Tk) -> None:
    Bridge(root).stop()


def test_the_way_of_windows_without_a_watched_pipe(
    root: tk.Tk, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    bridge = Bridge(root)
    monkeypatch.undo()
    bridge.start()
    got: list[int] = []
    bridge.run(answer(5), got.append)
    wait(lambda: got == [5])
    bridge.stop()

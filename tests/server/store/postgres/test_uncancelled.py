"""Work that goes on whoever stops waiting for it, and ends when patience does."""

from __future__ import annotations

import asyncio

import pytest

from coterie.server.store.postgres.uncancelled import uncancelled

pytestmark = pytest.mark.asyncio

LONG_SECONDS = 60.0


class Work:
    """Goes on until it may end."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended = False

    async def do(self) -> str:
        self.began.set()
        await self.may_end.wait()
        self.ended = True
        return "done"


async def test_work_is_given_back_and_so_is_what_it_raises() -> None:
    work = Work()
    work.may_end.set()
    assert await uncancelled(work.do(), LONG_SECONDS, work.may_end.set) == "done"

    async def fail() -> None:
        raise ValueError("this")

    with pytest.raises(ValueError, match="this"):
        await uncancelled(fail(), LONG_SECONDS, work.may_end.set)


async def test_who_is_cancelled_hears_of_it_when_the_work_is_done() -> None:
    work = Work()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(uncancelled(work.do(), LONG_SECONDS, work.may_end.set))
        await work.began.wait()
        for _ in range(3):
            waiting.cancel()
            await asyncio.wait({waiting}, timeout=0)
            assert not waiting.done()
        work.may_end.set()
        await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert work.ended


async def test_patience_ends_once() -> None:
    work = Work()
    given_up: list[str] = []

    def give_up() -> None:
        given_up.append("given up")
        work.may_end.set()

    assert await uncancelled(work.do(), 0.01, give_up) == "done"
    assert given_up == ["given up"]

"""Work that is not cut off: asyncpg would tell the database to cancel what it is doing, and a commit that
waits for a standby would be acknowledged without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def uncancelled(
    work: Coroutine[Any, Any, T], patience_seconds: float, give_up: Callable[[], None]
) -> T:
    """What the work gives, or raises. Whoever waits may be cancelled; the work goes on to its end first.

    give_up is called once where the work takes longer than that, and has to make it end soon.
    """
    task = asyncio.get_running_loop().create_task(work)
    cancelled: asyncio.CancelledError | None = None
    until: float | None = asyncio.get_running_loop().time() + patience_seconds
    while not task.done():
        left = None if until is None else max(0.0, until - asyncio.get_running_loop().time())
        try:
            await asyncio.wait({task}, timeout=left)
        except asyncio.CancelledError as error:
            cancelled = error
        if until is not None and asyncio.get_running_loop().time() >= until and not task.done():
            until = None
            give_up()
    if cancelled is not None:
        task.exception()
        raise cancelled
    return task.result()

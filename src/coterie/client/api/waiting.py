"""Waiting for what a profile is on the way to: a connection, all that waited on the server, an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.api.looking import Looking
from coterie.client.events import LinkState
from coterie.client.runtime import Runtime
from coterie.client.store.sqlite import ClientStore


class Waiting(Looking):
    """Whoever changes what somebody may wait for sets _changed."""

    def __init__(self, store: ClientStore, runtime: Runtime) -> None:
        super().__init__(store, runtime)
        self._drained = asyncio.Event()
        self._changed = asyncio.Event()
        self._ended = False

    async def wait_live(self, timeout_seconds: float = 10.0) -> None:
        """Return when the connection is live. Raises Unavailable after the timeout, or why it stopped."""
        await self._wait(lambda: self.link is LinkState.LIVE, timeout_seconds)

    async def wait_drained(self, timeout_seconds: float = 30.0) -> None:
        """Return when everything that had waited on the server is stored here."""
        await self._wait(self._drained.is_set, timeout_seconds)

    async def wait_told(self, name: str, timeout_seconds: float = 10.0) -> None:
        """Return when the server has all that was said to somebody alone, what no screen shows included.

        Raises Unavailable after the timeout: it goes with the next connection."""
        conversation = self.resolve("@" + name.removeprefix("@"))
        await self._wait(lambda: conversation not in self._store.outbox_conversations(), timeout_seconds)

    async def _wait(self, done: Callable[[], bool], timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                while not done():
                    if self._link.state is LinkState.STOPPED:
                        raise self._stopped()
                    if self._ended:
                        raise Unavailable(Code.NO_PROFILE, "the profile is closed")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise Unavailable(self._link.code or Code.UNREACHABLE, "not connected in time") from None

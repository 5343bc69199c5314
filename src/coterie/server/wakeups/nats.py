"""Wake-ups over NATS core: for many servers, whose database has better things to do (library nats-py).

Without JetStream, which acknowledges before it syncs and keeps what nobody asks for: hints may be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.wakeups.protocol import Hint

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

T = TypeVar("T")

CONNECT_SECONDS = 2
FLUSH_SECONDS = 2
CLOSE_SECONDS = 2
FLUSHES = 2
"""Until what was asked for is in effect: the library's first question overtakes that, and its answer says
nothing of it."""
SUBJECT = "coterie.hints"


class NatsBus:
    """Implements Bus. Connects anew only when it is told to, so that nothing is missed unnoticed."""

    def __init__(self, servers: str) -> None:
        """servers: addresses (nats:// or tls://) with commas between them; any that is there will do."""
        self._servers = servers.split(",")
        self._client: Client | None = None
        self._heard: Subscription | None = None
        self._received: Callable[[Hint], None] | None = None

    async def connect(self, received: Callable[[Hint], None]) -> None:
        from nats.aio.client import Client

        self._received = received
        self._client = client = Client()
        await _said(
            client.connect(
                servers=self._servers,
                name="coterie",
                no_echo=True,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_SECONDS,
                error_cb=_quiet,
            )
        )
        self._heard = await _said(client.subscribe(SUBJECT, cb=self._on_message))
        for _ in range(FLUSHES):
            await self.look()

    async def tell(self, hints: Iterable[Hint]) -> None:
        client = self._there()
        for hint in hints:
            await _said(client.publish(SUBJECT, hint))

    async def look(self) -> None:
        await _said(self._there().flush(FLUSH_SECONDS))

    async def close(self) -> None:
        """Where a line breaks while something waits to be said on it, the library stops half-way: it leaves
        its socket and the tasks of its subscriptions, and refuses to be asked again."""
        client, self._client = self._client, None
        heard, self._heard = self._heard, None
        if client is not None:
            with suppress(Unavailable):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await _said(client.close())
            if client._transport is not None:
                client._transport.close()  # type: ignore[no-untyped-call] # the library gives it no types
        if heard is not None:
            heard._stop_processing()

    def _there(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise Unavailable(Code.UNREACHABLE, "the bus is not connected")
        return self._client

    async def _on_message(self, message: Msg) -> None:
        if self._received is not None:
            self._received(message.data)


async def _said(words: Awaitable[T]) -> T:
    """What the library gives; whatever it raises means that the bus is not there now."""
    import nats.errors

    try:
        return await words
    except (nats.errors.Error, OSError, TimeoutError, EOFError) as error:
        raise Unavailable(Code.UNREACHABLE, f"the bus does not answer ({type(error).__name__})") from error


async def _quiet(_error: Exception) -> None:
    """The next word to the bus fails as well, and that is told."""

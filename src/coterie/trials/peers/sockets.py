"""A connection to a peer over TLS 1.3: bytes out, bytes in; what they mean each protocol knows."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar, cast

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, Unavailable
from coterie.trials.voice import not_denied

WAIT_SECONDS = 60.0
SILENT = "a peer does not answer"


def nothing(_count: int) -> None:
    """Nobody wants to know."""


class Wire(asyncio.Protocol):
    """answered(n), heard(n): as those of trials/lines.py."""

    def __init__(self) -> None:
        self.answered: Callable[[int], None] = nothing
        self.heard: Callable[[int], None] = nothing
        self.denied: Callable[[str, int], None] = not_denied
        """Never called: a peer that takes something not takes nothing more."""
        self.refused = ""
        """What the peer said no to last, for whom waits in vain."""
        self._transport: asyncio.Transport
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """What the peer breaks ends the connection, and stays to be told."""
        try:
            self.came(data)
        except RemoteError as error:
            self.refused = str(error)
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.refused = self.refused or f"the peer has ended the connection ({error})"
        self.lost()
        self._gone.set()

    def came(self, data: bytes) -> None:
        """To be said by the protocol. Raises RemoteError for what is none."""
        raise NotImplementedError

    def lost(self) -> None:
        """For who waits for an answer."""

    def send(self, message: bytes) -> None:
        self._transport.write(message)

    async def close(self) -> None:
        self._transport.close()
        async with asyncio.timeout(WAIT_SECONDS):
            await self._gone.wait()


class Answers:
    """What came and nobody has looked at yet, during a handshake."""

    def __init__(self) -> None:
        self._came: asyncio.Queue[bytes | None] = asyncio.Queue()

    def put(self, answer: bytes) -> None:
        self._came.put_nowait(answer)

    def end(self) -> None:
        self._came.put_nowait(None)

    async def get(self) -> bytes:
        """Raises Unavailable where nothing comes any more."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                answer = await self._came.get()
        except TimeoutError:
            raise Unavailable(Code.UNREACHABLE, SILENT) from None
        if answer is None:
            raise Unavailable(Code.UNREACHABLE, "a peer has ended the connection")
        return answer


SomeWire = TypeVar("SomeWire", bound=Wire)


async def connect(make: Callable[[], SomeWire], port: int) -> SomeWire:
    """Over TLS 1.3; the certificate is our own and not looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            _, wire = await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port, ssl=context)
    except (OSError, TimeoutError) as error:
        raise Unavailable(Code.UNREACHABLE, SILENT) from error
    return wire

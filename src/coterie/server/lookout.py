"""Three questions over HTTP: /healthz, whether the process lives; /readyz, whether it serves; /metrics.

Nothing is kept of who asks: one request on a connection, of bounded size and time, and few connections at a
time. What is read of a request is its first line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from coterie.server.exposition import CONTENT_TYPE, written
from coterie.server.metrics import Metrics

REQUEST_SECONDS = 5.0
REQUEST_BYTES = 8192
CONNECTIONS_MAX = 16

_PLAIN = "text/plain; charset=utf-8"
_NOT_OURS = (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, OSError)
"""What a stranger on the other side may lead to."""

WhyNot = Callable[[], Awaitable[str]]
"""Why the server does not serve now, in a few words; "" where it does."""


class Page(msgspec.Struct, frozen=True):
    """An answer. status: with its reason phrase (RFC 9110 15)."""

    status: str
    content: str
    content_type: str = _PLAIN

    def as_bytes(self, *, head_alone: bool = False) -> bytes:
        body = self.content.encode()
        head = (
            f"HTTP/1.1 {self.status}\r\nContent-Type: {self.content_type}\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + (b"" if head_alone else body)


class Lookout:
    """The listening port."""

    def __init__(self, metrics: Metrics, why_not: WhyNot) -> None:
        self._metrics = metrics
        self._why_not = why_not
        self._server: asyncio.Server | None = None
        self._open = 0

    async def listen(self, host: str, port: int) -> int:
        """The port that was taken; 0 asks for any free one. Raises OSError."""
        self._server = await asyncio.start_server(self._answer, host, port, limit=REQUEST_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request. Whoever does not take the answer in time is cut off, and one too many at once."""
        self._open += 1
        try:
            if self._open > CONNECTIONS_MAX:
                return
            async with asyncio.timeout(REQUEST_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
                page = await self._page(request)
                writer.write(page.as_bytes(head_alone=request.startswith(b"HEAD ")))
                writer.close()
                await writer.wait_closed()
        except _NOT_OURS:
            pass
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _page(self, request: bytes) -> Page:
        """For a request's head; anything but GET and HEAD of the three paths is not found."""
        match request.partition(b"\r\n")[0].split(b" "):
            case [b"GET" | b"HEAD", b"/healthz", b"HTTP/1.0" | b"HTTP/1.1"]:
                return Page("200 OK", "ok\n")
            case [b"GET" | b"HEAD", b"/readyz", b"HTTP/1.0" | b"HTTP/1.1"]:
                reason = await self._why_not()
                return Page("503 Service Unavailable", f"{reason}\n") if reason else Page("200 OK", "ready\n")
            case [b"GET" | b"HEAD", b"/metrics", b"HTTP/1.0" | b"HTTP/1.1"]:
                return Page("200 OK", written(self._metrics.figures()), CONTENT_TYPE)
            case _:
                return Page("404 Not Found", "not found\n")

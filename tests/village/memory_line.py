"""One connection in memory, in the place of TLS and WebSocket: what both programs have of it."""

from __future__ import annotations

import asyncio
from typing import Any

from picows import WSListener, WSMsgType

from coterie.server.connection import CloseReason
from coterie.server.turns import Turns
from tests.village.deaths import Points, reach

NOTICED_AFTER_SECONDS = 0.1
"""Until the server knows that somebody who died is gone."""


class _Frame:
    """A whole binary message, as picows hands it on."""

    rsv1 = rsv2 = rsv3 = False
    fin = True
    msg_type = WSMsgType.BINARY

    def __init__(self, message: bytes) -> None:
        self._message = message

    def get_payload_as_bytes(self) -> bytes:
        return self._message


class Line:
    """One connection in memory: the server's Pipe, and what a client has of picows' transport."""

    unsent_bytes = 0

    def __init__(self, turns: Turns, points: Points) -> None:
        self._turns = turns
        self._points = points
        self._loop = asyncio.get_running_loop()
        self._client: WSListener | None = None
        self._held: list[bytes] | None = None
        self._over = False
        self.at_server = turns.opened(self, "127.0.0.1")

    def answer(self, client: WSListener) -> None:
        """Who hears what the server says."""
        self._client = client

    # what the server does
    def ping(self) -> None:
        self._loop.call_soon(self._turns.heard, self.at_server)

    def close(self, reason: CloseReason) -> None:
        self._end()

    # what both do, each to the other
    def send(self, *message: Any) -> None:
        """The server gives a message, the client its kind before it."""
        if len(message) == 1:
            self._points.changes += 1
            self._loop.call_soon(self._hear, message[0])
            return
        reach("before the link", "")
        if not self._over:
            self._points.changes += 1
            self._loop.call_soon(self._turns.received, self.at_server, message[1])
        reach("after the link", "")

    # what the client does
    @property
    def underlying_transport(self) -> Line:
        return self

    def pause_reading(self) -> None:
        self._held = []

    def resume_reading(self) -> None:
        held, self._held = self._held or [], None
        for message in held:
            self._hear(message)

    def send_close(self, code: object) -> None:
        pass

    def disconnect(self) -> None:
        self._end()

    async def wait_disconnected(self) -> None:
        pass

    def cut(self) -> None:
        """The client is gone without a word; what it had said before, the server still takes to heart."""
        self._client = None
        if not self._over:
            self._over = True
            self._loop.call_later(NOTICED_AFTER_SECONDS, self._turns.closed, self.at_server)

    def _hear(self, message: bytes) -> None:
        if self._held is not None:
            self._held.append(message)
        elif self._client is not None:
            self._points.changes += 1
            self._client.on_ws_frame(self, _Frame(message))  # type: ignore[arg-type] # has all that is used of it

    def _end(self) -> None:
        """Once what was said before has arrived."""
        if not self._over:
            self._over = True
            self._loop.call_soon(self._turns.closed, self.at_server)
            self._loop.call_soon(self._ended)

    def _ended(self) -> None:
        if self._client is not None:
            self._client.on_ws_disconnected(self)  # type: ignore[arg-type] # has all that is used of it
            self._client = None

"""TLS and WebSocket, in and out: the only module of the server that knows picows.

One public port, TLS 1.3, binary messages. What comes in on /v1 goes to the turns, which decide; what they
send goes out in one message per connection and turn. What comes in on /v1/blobs goes to the second channel.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from typing import TypedDict

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.blobs.channel import BlobChannel
from coterie.server.blobs.visitor import Visitor
from coterie.server.connection import CloseReason, Connection
from coterie.server.turns import Turns

log = logging.getLogger("coterie.server.gateway")

PATH = b"/v1"
BLOB_PATH = b"/v1/blobs"
UPGRADE_SECONDS = 5.0
GOODBYE_SECONDS = 1.0
CLOSE_SECONDS = 5.0
"""What is still unsent this long after the end of a connection stays unsent."""
BACKLOG = 512
SMALL_BYTES = 1000
_BINARY, _PING, _PONG = WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG
"""Looked up once: to find a member of an enum takes as long as a call."""
HEADER_BYTES = 14
"""As picows wants it in front of a message."""
PIECE_BYTES = 4000
"""What is given to TLS at once: with its own bytes it fits into one page of the connection's buffers, which
keep all the pages that were ever filled."""


class _Context(TypedDict, total=False):
    """What a loop says about an exception that nobody caught."""

    message: str
    exception: BaseException | type[BaseException]
    """Some say only of which type it was."""
    transport: object
    protocol: object


def _header(size: int) -> bytes:
    """Of one whole binary message from a server (RFC 6455 5.2)."""
    if size < 1 << 16:
        return b"\x82\x7e" + size.to_bytes(2, "big")
    return b"\x82\x7f" + size.to_bytes(8, "big")


class _WebSocket:
    """Implements Pipe and BlobPipe."""

    __slots__ = ("_transport",)

    def __init__(self, transport: WSTransport) -> None:
        self._transport = transport

    def send(self, message: bytes) -> None:
        """picows copies a message into a buffer of the connection, which keeps the size of its largest one,
        and TLS does so too: a large message brings its own, and goes to TLS in pieces."""
        size = len(message)
        if size <= SMALL_BYTES:
            self._transport.send(_BINARY, message)
        elif size <= PIECE_BYTES:
            whole = bytearray(HEADER_BYTES) + message
            self._transport.send_reuse_external_bytearray(_BINARY, whole, HEADER_BYTES)
        else:
            framed = _header(size) + message
            for at in range(0, len(framed), PIECE_BYTES):
                self._transport.underlying_transport.write(framed[at : at + PIECE_BYTES])

    def ping(self) -> None:
        self._transport.send_ping()

    def hold(self, *, held: bool) -> None:
        if self._transport.is_disconnected:
            return
        if held:
            self._transport.underlying_transport.pause_reading()
        else:
            self._transport.underlying_transport.resume_reading()

    @property
    def unsent_bytes(self) -> int:
        return self._transport.underlying_transport.get_write_buffer_size()

    def close(self, reason: CloseReason) -> None:
        if self._transport.is_disconnected:
            return
        self._transport.send_close(WSCloseCode(int(reason)))
        self._transport.disconnect()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._abort)

    def _abort(self) -> None:
        if not self._transport.is_disconnected:
            self._transport.underlying_transport.abort()


class _Listener(WSListener):
    """Hands picows' callbacks to the turns."""

    __slots__ = ("_connection", "_connections", "_door", "_transport", "_turns")

    def __init__(self, door: Door, turns: Turns) -> None:
        self._door = door
        self._turns = turns
        self._connections = turns.connections
        self._connection: Connection | None = None
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._door.transports.add(transport)
        self._transport = transport
        peer = transport.underlying_transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if self._turns.has_room_for(address):
            self._connection = self._turns.opened(_WebSocket(transport), address)
        else:
            transport.send_close(WSCloseCode.TRY_AGAIN_LATER)
            transport.disconnect()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            if frame.msg_type is _BINARY and frame.fin and not (frame.rsv1 or frame.rsv2 or frame.rsv3):
                self._turns.received(connection, frame.get_payload_as_bytes())
            else:
                self._on_other_frame(connection, transport, frame)
        except Exception:
            log.exception("a message could not be taken")
            self._connections.end(connection, CloseReason.INTERNAL_ERROR)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._door.transports.discard(transport)
        if self._connection is not None:
            self._turns.closed(self._connection)

    def _on_other_frame(self, connection: Connection, transport: WSTransport, frame: WSFrame) -> None:
        """All but a whole binary message."""
        kind = frame.msg_type
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._connections.refuse(connection, Code.BAD_FRAME)
        elif kind is _PING:
            self._turns.heard(connection)
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is _PONG:
            self._turns.heard(connection)
        elif kind is WSMsgType.CLOSE:
            self._connections.end(connection, CloseReason.DONE)
        else:
            self._connections.refuse(connection, Code.BAD_FRAME)

    def pause_writing(self) -> None:
        """Who does not take answers is not asked for more: nothing is read from there meanwhile."""
        if self._connection is not None and self._transport is not None:
            self._transport.underlying_transport.pause_reading()
            self._turns.paused(self._connection, paused=True)

    def resume_writing(self) -> None:
        if self._connection is not None and self._transport is not None:
            self._transport.underlying_transport.resume_reading()
            self._turns.paused(self._connection, paused=False)


class _BlobListener(WSListener):
    """Hands picows' callbacks to a visitor of the second channel."""

    def __init__(self, door: Door, channel: BlobChannel) -> None:
        self._door = door
        self._channel = channel
        self._visitor: Visitor | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._door.transports.add(transport)
        peer = transport.underlying_transport.get_extra_info("peername")
        self._visitor = self._channel.opened(_WebSocket(transport), str(peer[0]) if peer else "")
        if self._visitor is None:
            transport.send_close(WSCloseCode.TRY_AGAIN_LATER)
            transport.disconnect()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        visitor, kind = self._visitor, frame.msg_type
        if visitor is None:
            return
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            visitor.end(Code.BAD_FRAME)
        elif kind is _BINARY and frame.fin:
            visitor.received(frame.get_payload_as_bytes())
        elif kind is _PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            visitor.end(CloseReason.DONE)
        elif kind is not _PONG:
            visitor.end(Code.BAD_FRAME)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._door.transports.discard(transport)
        if self._visitor is not None:
            self._visitor.end(CloseReason.DONE)

    def pause_writing(self) -> None:
        if self._visitor is not None:
            self._visitor.paused(paused=True)

    def resume_writing(self) -> None:
        if self._visitor is not None:
            self._visitor.paused(paused=False)


class Door:
    """The listening port and all that came in through it."""

    def __init__(self, turns: Turns, channel: BlobChannel) -> None:
        self._turns = turns
        self._channel = channel
        self._server: asyncio.Server | None = None
        self.transports: set[WSTransport] = set()

    @property
    def port(self) -> int:
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else 0

    def listener(self, request: WSUpgradeRequest) -> WSListener | None:
        """What picows asks for each connection; None: not found."""
        if request.path == BLOB_PATH:
            return _BlobListener(self, self._channel)
        return _Listener(self, self._turns) if request.path == PATH else None

    def accept_with(self, server: asyncio.Server) -> None:
        self._server = server

    async def close(self) -> None:
        """Accept nothing more, and let goodbyes go out."""
        if self._server is not None:
            self._server.close()
        self._channel.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                for transport in list(self.transports):
                    await transport.wait_disconnected()


async def listen(
    turns: Turns,
    channel: BlobChannel,
    host: str,
    port: int,
    context: ssl.SSLContext,
    *,
    shares_port: bool = False,
) -> Door:
    """Accept connections. shares_port: with other processes of this user, among which the system deals them
    out. Raises OSError where the address cannot be had."""
    door = Door(turns, channel)
    server = await ws_create_server(
        door.listener,
        host,
        port,
        ssl=context,
        ssl_handshake_timeout=limits.CONNECT_SECONDS,
        ssl_shutdown_timeout=CLOSE_SECONDS,
        websocket_handshake_timeout=UPGRADE_SECONDS,
        max_frame_size=limits.FRAME_BYTES + 64,
        enable_auto_pong=False,
        backlog=BACKLOG,
        reuse_port=shares_port or None,
    )
    door.accept_with(server)
    return door


def quiet_strangers(loop: asyncio.AbstractEventLoop) -> None:
    """Whatever a stranger does to a port is not told: each failed handshake would fill the log with a page.
    Our own bugs are."""
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    logging.getLogger("aiofastnet").setLevel(logging.CRITICAL)

    def on_exception(_loop: asyncio.AbstractEventLoop, context: _Context) -> None:
        error = context.get("exception")
        kind = error if isinstance(error, type) else type(error)
        if not issubclass(kind, OSError):
            trace = error if isinstance(error, BaseException) else None
            log.error("%s", context.get("message", "an exception that nobody caught"), exc_info=trace)

    loop.set_exception_handler(on_exception)  # type: ignore[arg-type]  # typeshed says dict[str, Any]

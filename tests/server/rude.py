"""Clients that keep to no protocol: sockets, and what is said on them."""

from __future__ import annotations

import asyncio
import base64
import secrets
import ssl
import struct

from coterie.base.invite import Invite

PATIENCE_SECONDS = 30.0


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def upgrade(path: str = "/v1", *more: str, version: int = 13, method: str = "GET") -> bytes:
    """A request for a WebSocket."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: somewhere",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Version: {version}",
        *more,
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def ws_frame(
    payload: bytes, *, opcode: int = 2, fin: bool = True, rsv: int = 0, masked: bool = True, length: int = -1
) -> bytes:
    """One frame of RFC 6455; length: what is said of it, where that is a lie."""
    size = len(payload) if length < 0 else length
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack(">BB", first, mask_bit | size)
    elif size < 1 << 16:
        head = struct.pack(">BBH", first, mask_bit | 126, size)
    else:
        head = struct.pack(">BBQ", first, mask_bit | 127, size)
    if not masked:
        return head + payload
    return head + bytes(4) + payload


class Stranger:
    """One connection of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, data: bytes) -> None:
        self._writer.write(data)

    async def upgraded(self) -> Stranger:
        """Go as far as the upgrade, and no further."""
        self.say(upgrade())
        answer = await self._reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101")
        return self

    async def hung_up_on(self) -> bytes:
        """Wait until the server ends the connection; what it said."""
        heard = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while data := await self._reader.read(1 << 16):
                    heard += data
            except (ConnectionError, ssl.SSLError):
                pass
        self.leave()
        return heard

    def leave(self) -> None:
        self._writer.transport.abort()


async def stranger_at(place: Invite, *, with_tls: bool = True) -> Stranger:
    """Connect; with TLS, or without a word."""
    context = tls() if with_tls else None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return Stranger(*await asyncio.open_connection(place.host, place.port, ssl=context))

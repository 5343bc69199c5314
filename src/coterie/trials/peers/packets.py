"""MQTT 3.1.1: the few packets that a trial says and hears, as the standard has them."""

from __future__ import annotations

import struct
from enum import IntEnum

from coterie.base.codes import Code
from coterie.base.errors import RemoteError

MOST_LENGTH_BYTES = 4
LONGEST = 1 << 20
"""Of a packet that a trial takes."""
QOS_1 = 0x02
QOS_BITS = 0x06
PACKET_IDS = 65535
KEEP_ALIVE_SECONDS = 0
"""Never: nobody is put out for saying nothing while another is measured."""


class Kind(IntEnum):
    """The upper half of the first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9


def packet(kind: Kind, flags: int, content: bytes) -> bytes:
    """First byte, length, content."""
    length = len(content)
    head = bytearray([kind << 4 | flags])
    while True:
        length, rest = length >> 7, length & 0x7F
        head.append(rest | (0x80 if length else 0))
        if not length:
            return bytes(head) + content


def connect(client: str, user: str, password: str) -> bytes:
    """A session that outlives the connection, by name and password."""
    flags = 0xC0  # user name and password; not a clean session
    start = _text("MQTT") + bytes([4, flags]) + struct.pack(">H", KEEP_ALIVE_SECONDS)
    return packet(Kind.CONNECT, 0, start + _text(client) + _text(user) + _text(password))


def subscribe(number: int, topic: str) -> bytes:
    return packet(Kind.SUBSCRIBE, 2, struct.pack(">H", number) + _text(topic) + b"\x01")


def publish(number: int, topic: str, body: bytes) -> bytes:
    """With QoS 1: it has a number, and is answered."""
    return packet(Kind.PUBLISH, QOS_1, _text(topic) + struct.pack(">H", number) + body)


def puback(number: bytes) -> bytes:
    return packet(Kind.PUBACK, 0, number)


def published(flags: int, content: bytes) -> tuple[bytes, bytes]:
    """Packet id and body of a PUBLISH with QoS 1. Raises RemoteError for another one."""
    body = 4 + int.from_bytes(content[:2], "big")
    if flags & QOS_BITS != QOS_1 or len(content) < body:
        raise RemoteError(Code.BAD_FRAME, "not a PUBLISH with QoS 1")
    return content[body - 2 : body], content[body:]


class Packets:
    """Cuts what comes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Kind, flags and content of each that is whole now. Raises RemoteError for what cannot be one."""
        came = self._rest + data
        whole, at = [], 0
        while True:
            head = _length(came, at + 1)
            if head is None:
                break
            start, length = head
            if len(came) < start + length:
                break
            whole.append((came[at] >> 4, came[at] & 15, came[start : start + length]))
            at = start + length
        self._rest = came[at:]
        return whole


def _length(came: bytes, at: int) -> tuple[int, int] | None:
    """Where the content begins, and how long it is; None where that has not come."""
    length = 0
    for number, byte in enumerate(came[at : at + MOST_LENGTH_BYTES]):
        length |= (byte & 0x7F) << 7 * number
        if length > LONGEST:
            raise RemoteError(Code.TOO_LARGE, "an MQTT packet is longer than any that was sent")
        if not byte & 0x80:
            return at + number + 1, length
        if number + 1 == MOST_LENGTH_BYTES:
            raise RemoteError(Code.BAD_FRAME, "a length of MQTT that does not end")
    return None


def _text(words: str) -> bytes:
    encoded = words.encode()
    return struct.pack(">H", len(encoded)) + encoded

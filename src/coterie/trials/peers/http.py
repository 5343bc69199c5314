"""HTTP/1.1 over one connection, one request at a time: what a client of Matrix needs of it."""

from __future__ import annotations

import re

from coterie.base.codes import Code
from coterie.base.errors import RemoteError

LONGEST_HEAD = 1 << 16
LONGEST_BODY = 1 << 24
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: |$)")
_LENGTH = re.compile(rb"^\d{1,9}$")
_SIZE = re.compile(rb"^([0-9A-Fa-f]{1,8})(?:;.*)?$")


def request(method: str, path: str, token: str, content: bytes = b"") -> bytes:
    """token: of who asks; nobody's where it is empty."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if content or method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Responses:
    """Cuts what comes into responses. Both ways of saying how long one is are read."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Status and body of each that is whole now. Raises RemoteError for what is none."""
        self._rest += data
        whole = []
        while (one := self._one()) is not None:
            whole.append(one)
        return whole

    def _one(self) -> tuple[int, bytes] | None:
        head, end, _ = self._rest.partition(b"\r\n\r\n")
        if not end:
            if len(head) > LONGEST_HEAD:
                raise RemoteError(Code.TOO_LARGE, "a head of HTTP that does not end")
            return None
        first, *lines = head.split(b"\r\n")
        status = _STATUS.match(first)
        if status is None:
            raise RemoteError(Code.BAD_FRAME, "no response of HTTP")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        start = len(head) + len(end)
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            found = _chunks(self._rest, start)
        else:
            found = _plain(self._rest, start, fields.get(b"content-length", b"0"))
        if found is None:
            return None
        body, after = found
        self._rest = self._rest[after:]
        return int(status[1]), body


def _plain(came: bytes, start: int, length: bytes) -> tuple[bytes, int] | None:
    """The body, and where it ends."""
    if not _LENGTH.match(length) or int(length) > LONGEST_BODY:
        raise RemoteError(Code.BAD_FRAME, "a length of HTTP that is none, or too long")
    end = start + int(length)
    return (came[start:end], end) if len(came) >= end else None


def _chunks(came: bytes, at: int) -> tuple[bytes, int] | None:
    parts: list[bytes] = []
    while True:
        end = came.find(b"\r\n", at)
        if end < 0:
            if len(came) - at > LONGEST_HEAD:
                raise RemoteError(Code.BAD_FRAME, "a chunk of HTTP without a size")
            return None
        size = _SIZE.match(came[at:end])
        if size is None or sum(map(len, parts)) + (length := int(size[1], 16)) > LONGEST_BODY:
            raise RemoteError(Code.BAD_FRAME, "a chunk of HTTP without a size, or too long")
        at = end + 2 + length
        if len(came) < at + 2:
            return None
        if came[at : at + 2] != b"\r\n":
            raise RemoteError(Code.BAD_FRAME, "a chunk of HTTP that does not end where it should")
        if not length:
            return b"".join(parts), at + 2
        parts.append(came[end + 2 : at])
        at += 2

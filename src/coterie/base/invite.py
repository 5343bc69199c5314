"""Invite links: where a server is, which identity it has, and the token that sign-up may need.

    coterie://HOST:PORT/#v1.<fingerprint>[.<token>]

Fingerprint and token stand in the fragment, which no browser sends anywhere (docs/protocol.md, Invites).
"""

from __future__ import annotations

import re

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import AccountId

TOKEN_BYTES_MAX = 32
LINK_CHARACTERS_MAX = 1024

_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.~-]+)?\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?)"
_PLACE = re.compile(_HOST + r":(?P<port>[0-9]{1,5})")
_LINK = re.compile(
    r"coterie://" + _PLACE.pattern + r"/?#v1\.(?P<fingerprint>[0-9A-Fa-f]{64})"
    r"(?:\.(?P<token>(?:[0-9A-Fa-f]{2}){1," + str(TOKEN_BYTES_MAX) + r"}))?"
)


class Invite(msgspec.Struct, frozen=True):
    """fingerprint: id of the server's founding identity, None where only an address was given. token: b"" for
    none. host: without the brackets of an IPv6 address."""

    host: str
    port: int
    fingerprint: AccountId | None = None
    token: bytes = b""

    def __repr__(self) -> str:
        return f"<Invite to {self.place}>"

    @property
    def place(self) -> str:
        """HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def link(self) -> str:
        """The link, or HOST:PORT where there is no fingerprint."""
        if self.fingerprint is None:
            return self.place
        parts = ["v1", self.fingerprint.hex(), *([self.token.hex()] if self.token else [])]
        return f"coterie://{self.place}/#{'.'.join(parts)}"


def parse_invite(text: str) -> Invite:
    """Read a link or HOST:PORT, with or without space around it. Raises Refused(usage)."""
    trimmed = text.strip() if len(text) <= LINK_CHARACTERS_MAX else ""
    found = _LINK.fullmatch(trimmed) or _PLACE.fullmatch(trimmed)
    if found is None:
        raise Refused(Code.USAGE, "neither an invite link nor HOST:PORT")
    port = int(found["port"])
    if not 0 < port < 1 << 16:
        raise Refused(Code.USAGE, "a port is a number from 1 to 65535")
    host = found["host"].strip("[]")
    if found.re is _PLACE:
        return Invite(host, port)
    return Invite(
        host, port, AccountId(bytes.fromhex(found["fingerprint"])), bytes.fromhex(found["token"] or "")
    )

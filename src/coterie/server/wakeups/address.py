"""What may be the address of a bus: over a network it is proven, or others learn when people are busy."""

from __future__ import annotations

from urllib.parse import urlsplit

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.server.policy import is_loopback

OPEN, PROVEN = "nats", "tls"


def require_buses(urls: str) -> None:
    """urls: with commas between them. Raises Refused(usage): not addresses, or one of another machine whose
    certificate is not looked at."""
    for url in urls.split(","):
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError as error:
            raise Refused(Code.USAGE, "the address of a bus cannot be read") from error
        if parts.scheme not in (OPEN, PROVEN) or not host:
            raise Refused(Code.USAGE, f"the address of a bus is {OPEN}:// or {PROVEN}://, and a host")
        if parts.scheme == OPEN and not is_loopback(host):
            raise Refused(Code.USAGE, f"a bus on another machine needs {PROVEN}:// in its address")

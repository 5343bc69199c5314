"""What may be the address of a PostgreSQL: over a network it is proven, as the server's keys go that way."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.server.policy import is_loopback

SCHEMES = ("postgresql", "postgres")
PROVEN = "verify-full"


def require_address(url: str) -> None:
    """Raises Refused(usage): not an address, or one of another machine whose certificate is not looked at."""
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, keep_blank_values=True)
    except ValueError as error:
        raise Refused(Code.USAGE, "the address of the database cannot be read") from error
    if parts.scheme not in SCHEMES:
        raise Refused(Code.USAGE, f"the address of a database begins with {SCHEMES[0]}://")
    named = [part.rpartition("@")[2] for part in parts.netloc.rpartition("@")[2].split(",")]
    asked = [host for hosts in query.get("host", ()) for host in hosts.split(",")]
    hosts = [each for each in (*map(_without_port, named), *asked) if each]
    others = [each for each in hosts or _default() if not _is_here(each)]
    mode = query.get("sslmode", [os.environ.get("PGSSLMODE", "")])[-1]
    if "service" in query or os.environ.get("PGSERVICE"):
        others.append("whatever a file of services says")
    if others and mode != PROVEN:
        raise Refused(Code.USAGE, f"a database on another machine needs ?sslmode={PROVEN} in its address")


def _default() -> list[str]:
    return [each for each in os.environ.get("PGHOST", "").split(",") if each]


def _without_port(place: str) -> str:
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place.partition(":")[0]


def _is_here(host: str) -> bool:
    """A socket's folder, or this machine's own network."""
    return host.startswith(("/", "%2F", "%2f")) or host == "localhost" or is_loopback(host)

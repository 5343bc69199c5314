"""What is tried from outside to get in, wrong passwords above all: counted for all servers of the data alike.

A try is taken before it is looked at, and given back where it was a right one: so many servers together let
no more through than one, however many are tried at once. Throughput is each server's own (policy.Rates).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol

from coterie.base.domains import Domain, prefix
from coterie.server.policy import ALLOWED, KEYS_MAX, Allowance, Buckets, Tried

WHO_BYTES = 16
SHUT_SECONDS = 1.0
"""For so long the database is not asked again about somebody who has no try left."""

Who = tuple[str, ...]
"""Name and address, or an address alone."""


class Tries(Protocol):
    """now_seconds: of the monotonic clock. All raise Unavailable where it cannot be counted now."""

    async def take(self, tried: Tried, who: Who, now_seconds: float) -> float:
        """Take one and return 0.0, or take none and return the seconds until there is one."""
        ...

    async def give_back(self, tried: Tried, who: Who) -> None:
        """What was taken was no failure."""
        ...


class LocalTries:
    """Implements Tries, for a server that is the only one of its data."""

    def __init__(self) -> None:
        self._buckets = {tried: Buckets(each.per_second, each.burst) for tried, each in ALLOWED.items()}

    async def take(self, tried: Tried, who: Who, now_seconds: float) -> float:
        return self._buckets[tried].take(who, now_seconds)

    async def give_back(self, tried: Tried, who: Who) -> None:
        self._buckets[tried].give_back(who)


class TryTable(Protocol):
    """What the servers of one database count in. who: WHO_BYTES. All raise Unavailable(disk)."""

    async def take(self, who: bytes, allowance: Allowance) -> float:
        """As of Tries."""
        ...

    async def give_back(self, who: bytes, allowance: Allowance) -> None: ...
    async def prune(self, most: int) -> None:
        """Forget who has all tries again; of the others those who have most, where they are too many."""
        ...


class SharedTries:
    """Implements Tries. In the table stands a keyed hash of who it is: no name and no address."""

    def __init__(self, table: TryTable, secret: bytes) -> None:
        self._table = table
        self._key = hmac.digest(secret, prefix(Domain.TRIES), "sha256")
        self._shut: dict[bytes, tuple[float, float]] = {}
        """Who had none left, until when that is not asked again, and until when it is so: a flood costs
        memory alone."""

    async def take(self, tried: Tried, who: Who, now_seconds: float) -> float:
        hashed = self._hashed(tried, who)
        asked_at, free_at = self._shut.get(hashed, (0.0, 0.0))
        if now_seconds < asked_at:
            return free_at - now_seconds
        self._shut.pop(hashed, None)
        wait_seconds = await self._table.take(hashed, ALLOWED[tried])
        if wait_seconds:
            if len(self._shut) >= KEYS_MAX:
                self._shut.clear()
            asked_at = now_seconds + min(wait_seconds, SHUT_SECONDS)
            self._shut[hashed] = (asked_at, now_seconds + wait_seconds)
        return wait_seconds

    async def give_back(self, tried: Tried, who: Who) -> None:
        await self._table.give_back(self._hashed(tried, who), ALLOWED[tried])

    async def prune(self) -> None:
        """Once in a while."""
        await self._table.prune(KEYS_MAX)

    def _hashed(self, tried: Tried, who: Who) -> bytes:
        said = "\0".join((tried.value, *who)).encode()
        return hashlib.blake2b(said, digest_size=WHO_BYTES, key=self._key).digest()

"""Whether the server still shows new heads, and all that it shows to others (encryption rules 19 and 20).

A server signs one every hour. Where none came for a day, or where somebody's message carried the head of a
larger ledger than this device gets, it may be hiding a revocation: no proof of fraud, but something to know.
"""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.client.core.ports import Reads
from coterie.client.events import LedgerDoubted
from coterie.client.store.records import Setting
from coterie.ledger.heads import Head, SignedHead


class Freshness:
    """Warns once for each reason, on each connection; and says when all is well again."""

    def __init__(self, reads: Reads) -> None:
        packed = reads.setting(Setting.HEAD)
        self._newest_ms = Head.unpack(SignedHead.unpack(packed).payload).time_ms if packed else 0
        self._told: Code | None = None
        self.wake_at_ms: int | None = None
        """When the newest head will be too old; None where that is said, and while there is no connection."""

    def seen(self, head: Head, now_ms: int) -> None:
        """A head of the server's that agrees with the leaves here. One from far ahead says nothing about
        today."""
        if head.time_ms <= now_ms + limits.HEAD_OLD_MS:
            self._newest_ms = max(self._newest_ms, head.time_ms)
        self.wake_at_ms = self._newest_ms + limits.HEAD_OLD_MS + 1

    def disconnected(self) -> None:
        """Heads cannot come now."""
        self._told = self.wake_at_ms = None

    def tell(self, now_ms: int, *, withheld: bool) -> tuple[LedgerDoubted, ...]:
        """What has to be said now. withheld: others were shown more than came here."""
        old = now_ms > self._newest_ms + limits.HEAD_OLD_MS
        if old:
            self.wake_at_ms = None
        code = Code.LEDGER_WITHHELD if withheld else Code.LEDGER_OLD if old else None
        if code is self._told:
            return ()
        self._told = code
        return (LedgerDoubted(code),)

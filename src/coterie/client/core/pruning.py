"""Dropping keys that nothing needs any more (encryption rules 12, 13 and 16; docs/decisions/0014)."""

from __future__ import annotations

from coterie.base import limits
from coterie.client.core.keyring import Keyring
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import PruneFreshKeys, PruneGroupIn, PruneOutbox


class Pruning:
    """Looks every few hours while connected, and only when everything that waited on the server is here."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.wake_at_ms = 0

    def due(self, now_ms: int) -> Outcome:
        """What to drop now; the live sessions are read again, those that were dropped cannot be."""
        if now_ms < self.wake_at_ms:
            return NOTHING
        self.wake_at_ms = now_ms + limits.PRUNE_EVERY_MS
        self._keyring.forget()
        return Outcome(
            save=(
                PruneOutbox(now_ms - limits.KEEP_SENT_MS),
                PruneGroupIn(now_ms - limits.KEEP_ENDED_SESSION_MS),
                PruneFreshKeys(now_ms - limits.PREKEY_KEEP_MS),
            )
        )

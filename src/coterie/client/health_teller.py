"""Tells the server how many messages cannot be read here, where this device's person wants that."""

from __future__ import annotations

from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.wire.frames import TellHealth


class HealthTeller:
    """Of one connection."""

    def __init__(self, store: ClientStore) -> None:
        self._store = store
        self._told: TellHealth | None = None

    def due(self) -> tuple[TellHealth, ...]:
        """What is to go along with a ping: nothing unless it is wanted, and is not what was told last."""
        if self._store.setting(Setting.HEALTH_TOLD) is None:
            return ()
        now = TellHealth(self._store.undecryptable_now(), undecryptable_ever(self._store))
        if now == self._told:
            return ()
        self._told = now
        return (now,)


def undecryptable_ever(store: ClientStore) -> int:
    """For how many messages others had to be asked."""
    return int.from_bytes(store.setting(Setting.UNDECRYPTABLE_COUNT) or b"", "big")

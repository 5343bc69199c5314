"""Fresh X-Wing keys: a post-quantum ratchet step per round trip between two devices (encryption rule 12).

In a turn that gives keys to a device, the first envelope carries a key for the way back, too: of several the
other side would use the newest alone (docs/decisions/0056-a-turn-gives-one-fresh-key.md). It seals to the
newest that it has, and to the signed prekey after anything went wrong. Ids have a space of their own above
those of signed prekeys and count up, so that an envelope which arrives late never brings an older key back.
"""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import DeviceId
from coterie.client.core.keyring import Keyring
from coterie.client.core.ports import Reads
from coterie.client.store.records import (
    DropPeerFreshKey,
    OwnFreshKey,
    PassFreshKeys,
    PeerFreshKey,
    PeerKeys,
    Record,
)
from coterie.e2ee import hybrid
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import FreshKey

FIRST_ID = 1 << 61
LAST_ID = 1 << 62
"""Ids of fresh keys: those of signed prekeys count up from 1 and stay below."""


class FreshKeys:
    """Makes, finds and takes fresh keys; every method returns what to save."""

    def __init__(self, reads: Reads, keyring: Keyring) -> None:
        self._reads = reads
        self._keyring = keyring

    def next_id(self) -> int:
        """The highest one made is never removed, so none is used twice."""
        return max(self._reads.newest_fresh_id() + 1, FIRST_ID)

    def make(self, device: DeviceId, id: int, now_ms: int) -> tuple[FreshKey, OwnFreshKey] | None:
        """A key for this device to seal to; None for one that has many and has used none of them, and where
        this turn gave it one already: it would seal to the newer one alone."""
        unpassed, newest_ms = self._reads.fresh_keys_unpassed(device)
        if newest_ms == now_ms:
            return None
        if unpassed >= limits.FRESH_KEYS_UNPASSED and now_ms - newest_ms < limits.PREKEY_ROTATE_MS:
            return None
        key = XWingKey.generate()
        self._keyring.hold_fresh_key(device, id, key)
        return FreshKey(id, key.public), OwnFreshKey(id, device, key.private, now_ms, 0)

    def private_for(self, device: DeviceId, id: int) -> bytes | XWingKey | None:
        """The private half of a signed prekey, or of a fresh key that was given to this very device."""
        if id < FIRST_ID:
            prekey = self._reads.own_x_wing(id)
            return self._keyring.x_wing(prekey) if prekey else None
        live = self._keyring.fresh_key(device, id)
        if live is not None:
            return live
        fresh = self._reads.own_fresh_key(id)
        return fresh.private if fresh and fresh.device == device else None

    def seal_to(self, keys: PeerKeys, now_ms: int) -> tuple[int, bytes]:
        """Id and public half of the key to seal to: the device's newest fresh one, else its signed prekey.

        Raises SealBroken(no-prekey) where that one is older than 35 days (rule 3).
        """
        fresh = self._reads.peer_fresh_key(keys.device)
        if fresh and fresh.key and now_ms - fresh.since_ms <= limits.PREKEY_MAX_AGE_MS:
            return fresh.id, fresh.key
        if now_ms - keys.x_wing_created_ms > limits.PREKEY_MAX_AGE_MS:
            raise SealBroken("a device whose X-Wing key is too old", Code.NO_PREKEY)
        return keys.x_wing_id, keys.x_wing_key

    def opened(
        self, device: DeviceId, sealed_to: int, given: FreshKey | None, now_ms: int, *, begun: bool
    ) -> tuple[Record, ...]:
        """An envelope of this device opened and was meant for this one. begun: it began a session.

        Raises SealBroken for a key that nothing can be sealed to.
        """
        save: list[Record] = []
        if sealed_to >= FIRST_ID:
            save.append(PassFreshKeys(device, sealed_to, now_ms))
        if begun:
            save.append(DropPeerFreshKey(device))
        if given is not None:
            if not FIRST_ID <= given.id <= LAST_ID:
                raise SealBroken("a fresh key with the id of another kind")
            known = self._reads.peer_fresh_key(device)
            if known is None or known.id < given.id:
                hybrid.check_public(given.key)
                save.append(PeerFreshKey(device, given.id, given.key, now_ms))
        return tuple(save)

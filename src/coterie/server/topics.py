"""What wake-ups are about, without saying so to whoever carries them."""

from __future__ import annotations

import hashlib
import hmac

from coterie.base.domains import Domain, prefix
from coterie.base.ids import DeviceId, StreamId
from coterie.server.wakeups.protocol import TOPIC_BYTES, Topic

_STREAM, _DEVICE, _LEDGER, _PRESENCE, _APPROVALS = b"s", b"d", b"l", b"p", b"a"


class Topics:
    """Keyed by what the servers of one database share: nobody else knows which topic is whose, and what is
    told for another database on the same bus is none of these."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, prefix(Domain.TOPIC), "sha256")
        self.ledger = self._of(_LEDGER)
        """There is a newer head."""
        self.presence = self._of(_PRESENCE)
        """Somebody has come or gone."""
        self.approvals = self._of(_APPROVALS)
        """Something was said about a device that wants to join."""

    def of_stream(self, stream: StreamId) -> Topic:
        """There are more entries."""
        return self._of(_STREAM + stream)

    def of_device(self, device: DeviceId) -> Topic:
        """What it may read, or whether it may be here, has changed."""
        return self._of(_DEVICE + device)

    def _of(self, what: bytes) -> Topic:
        return Topic(hashlib.blake2b(what, digest_size=TOPIC_BYTES, key=self._key).digest())

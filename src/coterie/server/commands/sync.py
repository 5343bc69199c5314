"""Sync: deliver from here on. Has no answer but the entries."""

from __future__ import annotations

from coterie.server.commands.outcome import Outcome, StartDelivery
from coterie.wire.frames import Sync


def handle(frame: Sync) -> Outcome:
    return Outcome(0, push=(StartDelivery(frame.positions),))

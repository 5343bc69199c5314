"""Ack: cumulative, has no answer. Committed with the next batch."""

from __future__ import annotations

from coterie.server.commands.outcome import Acknowledge, Outcome
from coterie.wire.frames import Ack


def handle(frame: Ack) -> Outcome:
    return Outcome(0, push=(Acknowledge(frame.positions),))

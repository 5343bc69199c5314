"""Ping -> Pong. Its positions count as acknowledged."""

from __future__ import annotations

from coterie.server.caller import Caller
from coterie.server.commands.outcome import Acknowledge, Outcome
from coterie.server.realm import Realm
from coterie.wire.frames import Ping, Pong


def handle(frame: Ping, who: Caller, realm: Realm) -> Outcome:
    signed_in = who.signed_in is not None
    push = (Acknowledge(frame.positions),) if signed_in and frame.positions else ()
    return Outcome(0, reply=(Pong(frame.nonce, realm.ledger.size),), push=push)

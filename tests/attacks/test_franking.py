"""One ciphertext shown as two texts: the commitment in the log binds what was said (encryption rule 23)."""

from __future__ import annotations

import secrets
from dataclasses import replace

import msgspec

from coterie.client.store.records import WaitingReason
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Victim, with_key


def test_a_commitment_to_something_else_is_refused(alice: Peer, bob: Victim) -> None:
    """Attack: a sender, or the server, puts a commitment to other words beside a message, so that a report of
    it would prove those. Rule 23: the receiver refuses it, and keeps what the log says of all others."""
    out = with_key(alice, bob, EVERYONE)
    honest, other = (alice.message(out, EVERYONE, text, n=n) for n, text in enumerate(("said", "never"), 1))
    false = replace(other, sealed=msgspec.structs.replace(other.sealed, commitment=secrets.token_bytes(32)))
    bob.log(honest, false)
    assert bob.texts(EVERYONE) == [("alice", "said")]
    assert [row.reason for row in bob.waiting()] == [WaitingReason.BROKEN]
    row = bob.store.last_message(EVERYONE)
    assert row is not None
    assert row.commitment == honest.sealed.commitment
    assert row.mac == bytes(32)

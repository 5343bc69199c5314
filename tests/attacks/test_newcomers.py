"""What comes from somebody who is not proven yet waits for the ledger, and is lost by nothing (rules 9 and
21)."""

from __future__ import annotations

from coterie.base.signing import IdentityKeys
from coterie.client.store.records import WaitingReason
from coterie.wire.frames import LedgerGrew
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import Server, Victim, with_key


def test_a_newcomers_key_and_message_wait_for_their_leaf(
    identities: dict[str, IdentityKeys], bob: Victim, server: Server
) -> None:
    """Attack: the server delivers for an account of which the ledger knows nothing. Nothing is opened until a
    leaf and a manifest prove its device; then it is, in order."""
    carol = Peer(identities["carol"], "carol")
    server.peers[carol.account] = carol
    out = with_key(carol, bob, EVERYONE)
    bob.log(carol.message(out, EVERYONE, "hello from a newcomer"))
    assert bob.texts(EVERYONE) == []
    assert {row.reason for row in bob.waiting()} == {WaitingReason.UNKNOWN_DEVICE, WaitingReason.NO_KEY}
    server.ledger.add(carol.signed)
    bob.frame(LedgerGrew(server.ledger.head()))
    assert bob.texts(EVERYONE) == [("carol", "hello from a newcomer")]
    assert bob.waiting() == []

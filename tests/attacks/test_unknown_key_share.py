"""Unknown-key-share: somebody lists another person's key as their own (encryption rule 10)."""

from __future__ import annotations

from coterie.base.conversations import direct_id
from coterie.base.domains import Domain, prefix
from coterie.base.ids import EnvelopeId
from coterie.e2ee import hybrid
from coterie.e2ee.pairwise import Party, PlainKind, envelope_info, open_envelope_outer, seal_envelope
from coterie.e2ee.vodo import GroupOut, OlmSession
from tests.attacks.peers import X_WING_ID, Peer, Posted
from tests.attacks.street import Victim

ENVELOPE = EnvelopeId(b"e" * 16)


def passed_on(alice: Peer, mallory: Peer, bob: Victim, olm: OlmSession, content: bytes, to: Party) -> Posted:
    """What Alice seals for Mallory, opened by her on the outside and sealed again for Bob as if from
    Alice."""
    sealed = seal_envelope(
        olm, alice.party, to, ENVELOPE, PlainKind.KEY_SHARE, content, X_WING_ID, mallory.x_wing.public
    )
    kind, message = open_envelope_outer(
        sealed,
        alice.account,
        alice.device,
        mallory.account,
        mallory.device,
        ENVELOPE,
        lambda _: mallory.x_wing.private,
    )
    info = envelope_info(alice.account, alice.device, bob.account, bob.device, X_WING_ID, ENVELOPE)
    outside = prefix(Domain.ENVELOPE) + X_WING_ID.to_bytes(8, "big")
    again = hybrid.seal(bob.x_wing.public, info, bytes((kind,)) + message)
    return Posted(alice, ENVELOPE, outside + again)


def test_a_device_listed_with_somebody_elses_key(alice: Peer, mallory: Peer, bob: Victim) -> None:
    """Attack: Mallory lists Bob's Curve25519 key (and signs one of his one-time keys) as hers. What Alice
    tells Mallory reaches Bob as told to him; bare Olm opens it. Rule 10: the plaintext names both sides."""
    direct = direct_id(alice.account, bob.account)
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    out = GroupOut.create()
    content = alice.share_of(out, direct).pack()
    bob.mail(passed_on(alice, mallory, bob, olm, content, mallory.party))
    bob.log(alice.message(out, direct, "to mallory, in truth"))
    assert bob.texts(direct) == []
    assert bob.store.olm_sessions(alice.device) == []

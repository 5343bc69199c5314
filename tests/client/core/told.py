"""What a device reads in envelopes that are no keys."""

from __future__ import annotations

from coterie.base.ids import EnvelopeId
from coterie.e2ee.pairwise import PlainKind, open_envelope_outer, open_plaintext
from coterie.e2ee.vodo import OlmSession
from tests.attacks.peers import Peer
from tests.attacks.street import Victim
from tests.attacks.test_owed import Fickle


def contents_for(phone: Peer, server: Fickle, bob: Victim, wanted: PlainKind) -> list[bytes]:
    """All contents of one kind that bob has sealed for a device, in order; once, for it has each Olm message
    once."""
    found = []
    session: OlmSession | None = None
    for item in server.items(phone):
        kind, message = open_envelope_outer(
            item.sealed, bob.account, bob.device, phone.account, phone.device, EnvelopeId(item.envelope),
            lambda _: phone.x_wing.private,
        )  # fmt: skip
        if session is None:
            session, plain = phone.keys.open_first(bob.keys.curve25519, message)
        else:
            plain = session.open(kind, message)
        opened = open_plaintext(plain, bob.party, phone.party, EnvelopeId(item.envelope))
        if opened.kind == wanted:
            assert item.share is None
            found.append(opened.content)
    return found

"""Devices that ask for messages, and what they are given."""

from __future__ import annotations

import secrets
from contextlib import suppress

import msgspec

from coterie.base.errors import SealBroken
from coterie.base.ids import EnvelopeId
from coterie.client.store.records import MessageRow
from coterie.content.body import Text, unpack
from coterie.content.repair import NotForYou, Repair, RepairRequest, Stood, Wanted
from coterie.e2ee.group import InnerMessage
from coterie.e2ee.pairwise import PlainKind, open_envelope_outer, open_plaintext, seal_envelope
from coterie.e2ee.vodo import OlmSession
from coterie.wire.frames import LedgerGrew
from tests.attacks.peers import NOW_MS, X_WING_ID, Peer, Posted
from tests.attacks.street import Victim
from tests.attacks.test_owed import Fickle


def wanted(row: MessageRow) -> Wanted:
    """A message, by its id."""
    return Wanted(row.conversation, row.device, row.message, 0, b"")


class Asker:
    """A device with a session to the victim, on which it asks."""

    def __init__(self, peer: Peer, victim: Victim, server: Fickle) -> None:
        self.peer = peer
        self._victim = victim
        self._server = server
        self.olm: OlmSession = peer.keys.start(victim.keys.curve25519, victim.one_time_key())

    def posted(self, kind: PlainKind, content: bytes) -> Posted:
        envelope = EnvelopeId(secrets.token_bytes(16))
        sealed = seal_envelope(
            self.olm, self.peer.party, self._victim.party, envelope, kind, content, X_WING_ID,
            self._victim.x_wing.public,
        )  # fmt: skip
        return Posted(self.peer, envelope, sealed)

    def asks(self, *rows: Wanted, stood: Stood | None = None) -> None:
        self._victim.mail(self.posted(PlainKind.REPAIR_REQUEST, RepairRequest(rows, stood).pack()))

    def gives(self, repair: Repair) -> None:
        self._victim.mail(self.posted(PlainKind.REPAIR, repair.pack()))

    def disowns(self, said: NotForYou) -> None:
        self._victim.mail(self.posted(PlainKind.NOT_FOR_YOU, said.pack()))

    def contents(self, kind: PlainKind) -> list[bytes]:
        """What the victim has sealed for this device on this session since this was asked last."""
        found = []
        for item in self._server.items(self.peer):
            id = EnvelopeId(item.envelope)
            olm_kind, message = open_envelope_outer(
                item.sealed, self._victim.account, self._victim.device, self.peer.account, self.peer.device,
                id, lambda _: self.peer.x_wing.private,
            )  # fmt: skip
            with suppress(SealBroken):
                plain = self.olm.open(olm_kind, message)
                opened = open_plaintext(plain, self._victim.party, self.peer.party, id)
                if opened.kind == kind:
                    found.append(opened.content)
        return found

    def given(self) -> list[str]:
        """The texts that it was given since this was asked last."""
        return [text_of(Repair.unpack(each)) for each in self.contents(PlainKind.REPAIR)]


def text_of(repair: Repair) -> str:
    body = unpack(InnerMessage.unpack(repair.inner).body)
    assert isinstance(body, Text)
    return body.text


def revoke(peer: Peer, device: Peer, victim: Victim, server: Fickle) -> None:
    """The newest manifest of an account lists one of its devices no longer."""
    gone = msgspec.structs.replace(device.entry(), approved_by=peer.device).revoked(NOW_MS + 1)
    peer.signed = peer.sign(peer.entry(), gone, after=peer.signed)
    server.ledger.add(peer.signed)
    victim.frame(LedgerGrew(server.ledger.head()))

"""Somebody who goes on under another identity, and a server that says by what word."""

from __future__ import annotations

import msgspec

from coterie.base.signing import IdentityKeys
from coterie.client.events import (
    IdentityChanged,
)
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.succession import SignedSuccession, heir_device, sign_heir, sign_succession
from coterie.wire.frames import LedgerGrew
from coterie.wire.frames.accounts import AccountRecord
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim

VAULT = bytes(32)


class Registrar(Server):
    """A server that says by what word somebody follows somebody else."""

    def __init__(self, before: Server) -> None:
        super().__init__(before.ledger, before.peers, before.got)
        self.words: dict[bytes, bytes] = {}

    def record(self, peer: Peer) -> AccountRecord:
        given = super().record(peer)
        word = self.words.get(peer.account, b"")
        return msgspec.structs.replace(given, succession=word)


def follower(before: Peer, identity: IdentityKeys) -> Peer:
    """The same person, on the same device, under another identity."""
    heir = Peer(identity, before.name)
    heir.device = heir_device(before.device, heir.account)
    heir.keys, heir.x_wing = before.keys, before.x_wing
    heir.signed = sign_heir(before.signed, identity, before.device, before.keys, VAULT, NOW_MS)
    return heir


def word_of(before: Peer, heir: Peer) -> SignedSuccession:
    return sign_succession(before.signed, heir.signed, before.identity, before.device, before.keys)


def succeed(bob: Victim, heir: Peer, word: bytes) -> Registrar:
    """The ledger gets the leaf, and Bob hears of it."""
    registrar = bob.server if isinstance(bob.server, Registrar) else Registrar(bob.server)
    registrar.peers[heir.account], registrar.words[heir.account] = heir, word
    bob.server = registrar
    put(registrar, heir)
    bob.frame(LedgerGrew(registrar.ledger.head()))
    return registrar


def put(server: Server, heir: Peer) -> None:
    hashed = name_hash(heir.name)
    index, leaf = server.ledger.view.newest_of_name(hashed) or (0, None)
    assert leaf is not None
    server.ledger.put(Leaf(LeafKind.SUCCESSION, hashed, heir.account, leaf.seq + 1, heir.signed.hash, index))


def changes(bob: Victim) -> list[IdentityChanged]:
    return [event for event in bob.shown if isinstance(event, IdentityChanged)]

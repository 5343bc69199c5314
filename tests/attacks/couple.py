"""Two programs that talk through a server which a test holds in its hands: what they post lies there until
the test delivers it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain

import msgspec

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import EnvelopeId, MessageId, SessionId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Command
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.group import SealedMessage
from coterie.e2ee.pairwise import peek_prekey_id
from coterie.ledger.manifest import PrekeyKind, SignedPrekey
from coterie.wire.frames import Accepted, ClientFrame, Envelopes, PublishPrekeys, Refusal, Send, ServerFrame
from coterie.wire.frames.accounts import AccountRecord, ClaimedKeys
from tests.attacks.peers import X_WING_ID, Peer, Posted, Said
from tests.attacks.street import Ledger, Server, Victim

LATER_MS = limits.ROTATE_DIRECT_MS + 1
"""After this a direct session has ended, so that the next message takes an envelope."""


@dataclass
class Post(Server):
    """The server as one of the two sees it, with what that one has posted."""

    cut: bool = False
    """The line is dead: nothing that is sent arrives."""
    unheard: bool = False
    """What is sent arrives, the answers are lost."""
    refusing: Refusal | None = None
    """The answer to all envelopes."""
    envelopes: list[Posted] = field(default_factory=list)
    messages: list[Said] = field(default_factory=list)
    sealed_to: list[int] = field(default_factory=list)
    """The prekey ids of everything posted, in order."""
    taken: set[bytes] = field(default_factory=set)

    sender: Talker | None = None

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        sender = self.sender
        if self.cut or sender is None:
            return None
        if isinstance(frame, PublishPrekeys):
            sender.publish(frame.prekeys)
            return None if self.unheard else Accepted(frame.request, 0)
        if isinstance(frame, Envelopes):
            if self.refusing is not None:
                return msgspec.structs.replace(self.refusing, request=frame.request)
            for item in frame.items:
                if item.envelope not in self.taken:
                    self.taken.add(item.envelope)
                    self.sealed_to.append(peek_prekey_id(item.sealed))
                    self.envelopes.append(Posted(sender, EnvelopeId(item.envelope), item.sealed))
        if isinstance(frame, Send) and frame.message not in self.taken:
            self.taken.add(frame.message)
            self.messages.append(_said(sender, frame))
        return None if self.unheard else super().answer(frame)

    def record(self, peer: Peer) -> AccountRecord:
        honest = super().record(peer)
        if not isinstance(peer, Talker):
            return honest
        (keys,) = honest.keys
        return msgspec.structs.replace(honest, keys=(msgspec.structs.replace(keys, x_wing=peer.x_wing_key),))


def _said(sender: Victim, frame: Send) -> Said:
    sealed = SealedMessage(frame.ciphertext, frame.commitment, b"", b"", b"", 0)
    conversation = direct_id(*(peer.account for peer in sender.server.peers.values()))
    return Said(sender, conversation, SessionId(frame.session), MessageId(frame.message), sealed)


class Talker(Victim):
    """One of the two."""

    def __init__(self, identity: IdentityKeys, name: str, store: ClientStore, ledger: Ledger) -> None:
        self.post = Post(ledger)
        super().__init__(identity, name, store, self.post)
        self.post.sender = self
        self.x_wing_key = self.prekey(PrekeyKind.X_WING, self.x_wing.public, X_WING_ID)
        """The one that the server hands out."""

    def publish(self, prekeys: tuple[bytes, ...]) -> None:
        """Its program has renewed some."""
        for packed in prekeys:
            if SignedPrekey.unpack(packed).prekey.kind is PrekeyKind.X_WING:
                self.x_wing_key = packed

    def claimed(self) -> ClaimedKeys:
        one_time = self.prekey(PrekeyKind.ONE_TIME, self.one_time_key())
        return ClaimedKeys(self.device, one_time, b"", self.x_wing_key)

    def fails_to_commit(self, command: Command) -> int:
        """A turn whose commit fails; returns how many frames it would have sent."""
        self.store.begin()
        frames = 0
        for outcome in chain(self.core.command(command, self.now_ms), self.core.after_turn(self.now_ms)):
            self.store.apply(outcome.save)
            frames += len(outcome.send)
        self.store.rollback()
        self.core.forget()
        return frames

    def restart(self) -> None:
        """Killed, and started again on what lies on its disk."""
        self.post.cut = self.post.unheard = False
        self.core = self.new_core()
        self.connect()


@dataclass
class Couple:
    alice: Talker
    bob: Talker

    @classmethod
    def meet(cls, alice: Talker, bob: Talker) -> Couple:
        """Both on one server, in one ledger."""
        for one in (alice, bob):
            one.server.ledger.add(one.signed)
            one.server.peers.update((each.account, each) for each in (alice, bob))
        alice.connect()
        bob.connect()
        return cls(alice, bob)

    def other(self, one: Talker) -> Talker:
        return self.bob if one is self.alice else self.alice

    def later(self, ms: int = LATER_MS) -> None:
        self.alice.now_ms += ms
        self.bob.now_ms += ms

    def says(self, one: Talker, text: str) -> None:
        one.say(self.other(one), text)

    def deliver(self, to: Talker) -> None:
        """Everything that lies there for one of the two: its mailbox first."""
        post = self.other(to).post
        envelopes, post.envelopes = post.envelopes, []
        messages, post.messages = post.messages, []
        if envelopes:
            to.mail(*envelopes)
        if messages:
            to.log(*messages)

    def tells(self, one: Talker, text: str) -> int:
        """An hour later one says something and the other hears it; returns the prekey id it was sealed to."""
        self.later()
        self.says(one, text)
        self.deliver(self.other(one))
        assert self.heard(self.other(one))[-1] == text
        return one.post.sealed_to[-1]

    def heard(self, one: Talker) -> list[str]:
        rows = one.store.history(direct_id(self.alice.account, self.bob.account), 1000, None)
        return [row.text for row in rows if not row.own]

    def nothing_broke(self) -> None:
        assert self.alice.waiting() == []
        assert self.bob.waiting() == []


def garbled(posted: Posted) -> Posted:
    """The same envelope with a broken tag, under another id."""
    return replace(
        posted, envelope=EnvelopeId(bytes(16)), sealed=posted.sealed[:-1] + bytes((posted.sealed[-1] ^ 1,))
    )

"""A whole client core on a real encrypted store, a server that answers it, and peers made by hand.

Nothing here is a mock: peers seal with the functions of e2ee and sign with the functions of ledger, and the
core is the one that the programs run. Only sockets are missing, so a test decides what the server says and
when.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import msgspec

from coterie.base.conversations import direct_id
from coterie.base.ids import (
    AccountId,
    ConversationId,
    MessageId,
    StreamId,
    log_of,
    mailbox_of,
)
from coterie.base.signing import IdentityKeys
from coterie.client.commands import Command, Connected, Say
from coterie.client.core.profile import Profile
from coterie.client.core.switchboard import Switchboard
from coterie.client.events import Event
from coterie.client.outcome import Outcome
from coterie.client.store.records import OwnXWing, PutSetting, Record, Setting, WaitingRow
from coterie.client.store.sqlite import ClientStore
from coterie.content.body import Text
from coterie.e2ee.vodo import GroupOut, pickle_key
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.manifest import (
    PrekeyKind,
    SignedManifest,
)
from coterie.wire.frames import (
    Accepted,
    Accounts,
    Claim,
    Claimed,
    ClientFrame,
    Envelopes,
    FetchAccounts,
    FetchLeaves,
    Leaves,
    LogEntries,
    MailboxEntries,
    Ready,
    Send,
    ServerFrame,
)
from coterie.wire.frames.accounts import AccountRecord, ClaimedKeys
from coterie.wire.frames.accounts import DeviceKeys as StandingKeys
from coterie.wire.frames.connection import StreamEnd
from coterie.wire.frames.messages import LogEntry, MailboxEntry
from tests.attacks.peers import (
    EVERYONE,
    LEDGER,
    LEDGER_KEYS,
    LIFE,
    NOW_MS,
    SERVER,
    X_WING_ID,
    Peer,
    Posted,
    Said,
)

PICKLE_ROOT = b"r" * 32


class Ledger:
    """The server's ledger; its head is signed by the pinned key whatever a test puts in."""

    def __init__(self) -> None:
        self.view = LedgerView()
        self.leaves: list[bytes] = []

    def add(self, signed: SignedManifest) -> None:
        manifest = signed.manifest
        found = self.view.newest_of_name(name_hash(manifest.name))
        self.put(
            Leaf(
                LeafKind.MANIFEST,
                name_hash(manifest.name),
                manifest.account,
                manifest.seq,
                signed.hash,
                found[0] if found else NO_LEAF,
            )
        )

    def put(self, leaf: Leaf) -> None:
        self.view.append(leaf.pack())
        self.leaves.append(leaf.pack())

    def head(self) -> bytes:
        head = Head(LEDGER, self.view.size, self.view.root(), NOW_MS)
        return sign_head(head, LEDGER_KEYS).pack()


@dataclass
class Server:
    """Answers one client honestly until a test changes a method or a field of it."""

    ledger: Ledger
    peers: dict[AccountId, Peer] = field(default_factory=dict)
    got: list[ClientFrame] = field(default_factory=list)

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        self.got.append(frame)
        match frame:
            case FetchLeaves(request, start):
                return Leaves(request, start, tuple(self.ledger.leaves[start:]), self.ledger.head())
            case FetchAccounts(request, accounts):
                known = [AccountId(each.account) for each in accounts if each.account in self.peers]
                return Accounts(request, tuple(self.record(self.peers[account]) for account in known))
            case Claim(request, devices):
                wanted = (self.peers[AccountId(ref.account)] for ref in devices)
                return Claimed(request, tuple(self.claimed(peer) for peer in wanted))
            case Envelopes(request=request):
                return Accepted(request, 0)
            case Send():
                return self.sent(frame)
            case _:
                return None

    def record(self, peer: Peer) -> AccountRecord:
        x_wing = peer.prekey(PrekeyKind.X_WING, peer.x_wing.public, X_WING_ID)
        return AccountRecord(
            peer.account,
            (peer.signed.pack(),),
            (StandingKeys(peer.signed.manifest.devices[0].id, b"", x_wing),),
        )

    def claimed(self, peer: Peer) -> ClaimedKeys:
        return peer.claimed()

    def sent(self, frame: Send) -> ServerFrame:
        return Accepted(frame.request, 1)

    def sends(self) -> list[Send]:
        return [frame for frame in self.got if isinstance(frame, Send)]

    def items_for(self, peer: Peer) -> list[bytes]:
        """What was sealed for a device."""
        frames = [frame for frame in self.got if isinstance(frame, Envelopes)]
        return [item.sealed for frame in frames for item in frame.items if item.device == peer.device]


class Victim(Peer):
    """Somebody whose program is the real core."""

    def __init__(self, identity: IdentityKeys, name: str, store: ClientStore, server: Server) -> None:
        super().__init__(identity, name)
        self.store = store
        self.server = server
        self.now_ms = NOW_MS
        self._seqs: dict[StreamId, int] = {}
        self.shown: list[Event] = []
        self.mailbox_end = 0
        """As the server names it with entries of logs."""
        self.apply(
            PutSetting(Setting.PICKLE_ROOT, PICKLE_ROOT),
            PutSetting(Setting.DEVICE_PICKLE, self.keys.pickle(pickle_key(PICKLE_ROOT, b"device"))),
            OwnXWing(X_WING_ID, self.x_wing.private, NOW_MS, 0),
            PutSetting(Setting.NEXT_PREKEY_ID, (X_WING_ID + 1).to_bytes(8, "big")),
        )
        self.core = self.new_core()

    def new_core(self) -> Switchboard:
        """The program, started on the store as it is."""
        profile = Profile(
            name=self.name,
            account=self.account,
            device=self.device,
            device_name="desk",
            host="127.0.0.1",
            port=1,
            server=SERVER,
            founding_ledger=LEDGER,
            ledger=LEDGER,
            ledger_key=LEDGER_KEYS.public.pack(),
        )
        return Switchboard(self.store, profile)

    def apply(self, *records: Record) -> None:
        self.store.begin()
        self.store.apply(records)
        self.store.commit()

    def one_time_key(self) -> bytes:
        """A fresh key with which somebody may begin; the store learns of it."""
        (key,) = self.core.keyring.device.new_one_time_keys(1)
        self.apply(self.core.keyring.device_record())
        return key

    def fallback_key(self) -> bytes:
        key = self.core.keyring.device.new_fallback()
        self.apply(self.core.keyring.device_record())
        return key

    def connect(self) -> None:
        """Sign in, and fetch whatever the core asks for."""
        seqs = {mailbox_of(self.device): 0, log_of(EVERYONE): 0} | self._seqs
        ends = tuple(StreamEnd(stream, seq, seq) for stream, seq in seqs.items())
        ready = Ready(1, ends, self.server.ledger.view.size, self.server.ledger.head(), 50)
        self.command(Connected(ready, LIFE, b""))

    def say(self, peer: Peer, text: str) -> None:
        conversation = direct_id(self.account, peer.account)
        self.command(Say(conversation, peer.account, MessageId(secrets.token_bytes(16)), Text(text)))

    def command(self, command: Command) -> None:
        self._turn(lambda: self.core.command(command, self.now_ms))

    def frame(self, frame: ServerFrame) -> None:
        self._turn(lambda: self.core.frame(frame, self.now_ms))

    def mail(self, *posted: Posted) -> None:
        """The next entries of this device's mailbox."""
        stream = mailbox_of(self.device)
        entries = tuple(
            MailboxEntry(
                self._seq(stream), each.sender.account, each.sender.device, each.envelope, each.sealed, NOW_MS
            )
            for each in posted
        )
        self.frame(MailboxEntries(stream, LIFE, entries))

    def log(self, *said: Said) -> None:
        """The next entries of a conversation's log."""
        stream = log_of(said[0].conversation)
        entries = tuple(
            LogEntry(
                self._seq(stream),
                each.sender.account,
                each.sender.device,
                each.session,
                each.message,
                each.sealed.ciphertext,
                each.sealed.commitment,
                NOW_MS,
                bytes(32),
            )
            for each in said
        )
        self.frame(LogEntries(stream, LIFE, entries, self.mailbox_end))

    def texts(self, conversation: ConversationId) -> list[tuple[str, str]]:
        """(name, text) of everything that stands in a conversation."""
        rows = self.store.history(conversation, 1000, None)
        return [(self.core.people.name_of(row.account), row.text) for row in rows]

    def waiting(self) -> list[WaitingRow]:
        return self.store.waiting()

    def _seq(self, stream: StreamId) -> int:
        self._seqs[stream] = self._seqs.get(stream, 0) + 1
        return self._seqs[stream]

    def _turn(self, steps: Callable[[], Iterator[Outcome]]) -> None:
        """One turn as the runtime takes it: apply, commit, then send; then the server's answers."""
        for frame in self.committed(steps):
            answer = self.server.answer(frame)
            if answer is not None:
                self.frame(answer)

    def committed(self, steps: Callable[[], Iterator[Outcome]]) -> list[ClientFrame]:
        """A turn up to its commit; what is to be sent."""
        outcomes: list[Outcome] = []
        self.store.begin()
        try:
            for outcome in chain(steps(), self.core.after_turn(self.now_ms)):
                self.store.apply(outcome.save)
                outcomes.append(outcome)
            self.store.commit()
        except BaseException:
            self.store.rollback()
            self.core.forget()
            raise
        self.shown += [event for outcome in outcomes for event in outcome.show]
        return [frame for outcome in outcomes for frame in outcome.send]


def with_key(
    sender: Peer, victim: Victim, conversation: ConversationId, out: GroupOut | None = None
) -> GroupOut:
    """A sending session whose key the victim has, given as an honest sender gives it."""
    session = out or GroupOut.create()
    olm = sender.keys.start(victim.keys.curve25519, victim.one_time_key())
    victim.mail(sender.envelope(olm, victim, sender.share_of(session, conversation).pack()))
    return session


def respelled(said: Said) -> Said:
    """The same message in another encoding: a field unknown to protobuf before MAC and signature."""
    ciphertext = said.sealed.ciphertext[:-72] + b"\x18\x01" + said.sealed.ciphertext[-72:]
    return replace(said, sealed=msgspec.structs.replace(said.sealed, ciphertext=ciphertext))

"""What sealing and opening cost a client, store included, beside Megolm alone."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from typing import TypeVar

import msgspec

from coterie.base import limits
from coterie.base.clock import cpu_seconds
from coterie.base.conversations import direct_id
from coterie.base.ids import ConversationId, log_of, mailbox_of
from coterie.client.commands import Say
from coterie.client.message_ids import MessageIds
from coterie.content.body import Text
from coterie.e2ee import hybrid
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import DeviceKeys, GroupOut
from coterie.trials.bare_megolm import AT_DESIGN, bare_megolm
from coterie.trials.core_alone import CoreAlone, open_core
from coterie.trials.figures import Figure, Target
from coterie.trials.machine import fsync_seconds
from coterie.trials.people import meet
from coterie.trials.processes import coterie_server
from coterie.trials.trial import Trial
from coterie.wire.frames import (
    Accepted,
    ClientFrame,
    Envelopes,
    LogEntries,
    MailboxEntries,
    Send,
    ServerFrame,
)
from coterie.wire.frames.messages import LogEntry, MailboxEntry

TEXT = "See you at the harbour at seven? I bring the bread and the big blue bag, you bring the tea."
BATCH_TARGET = (Target(4.0, of_floor=True),)
NEW_KEY = limits.ROTATE_DIRECT_MESSAGES
"""So many messages one session seals (encryption rule 15)."""
KEY_SHARE_BYTES = 711
"""What an envelope with a key holds beside a fresh key for the way back, which not every one has."""
INFO_BYTES = 138
SINGLE_TARGET = (Target(400.0),)


async def run(trial: Trial) -> list[Figure]:
    """Two people get to know each other over a real server; what follows needs none."""
    async with acquainted(trial) as mail:
        return mail.figures()


@asynccontextmanager
async def acquainted(trial: Trial) -> AsyncIterator[Mail]:
    """Two people who have written to each other, without a server from now on."""
    async with coterie_server(trial.folder / "server") as server:
        alice, bob = await meet(server.invite, trial.folder)
        await alice.send("@bob", TEXT)
        await bob.wait_drained()
        await bob.send("@alice", TEXT)
        await alice.close()
        await bob.close()
    with ExitStack() as stack:
        mail = Mail(open_core(trial.folder / "alice"), open_core(trial.folder / "bob"), trial)
        stack.enter_context(closing(mail.alice.store))
        stack.enter_context(closing(mail.bob.store))
        yield mail


def costs(alice: CoreAlone, bob: CoreAlone, trial: Trial) -> list[tuple[float, float]]:
    """CPU microseconds of sealing one message and of opening it, in batches, of each round."""
    mail = Mail(alice, bob, trial)
    return [mail.batches() for _ in range(trial.scale.rounds)]


class Mail:
    """Carries what alice sends to bob, and the answers back, and takes the time of each turn."""

    def __init__(self, alice: CoreAlone, bob: CoreAlone, trial: Trial) -> None:
        self.alice = alice
        self.bob = bob
        self._trial = trial
        self._ids = MessageIds()
        self._conversation: ConversationId = direct_id(alice.profile.account, bob.profile.account)
        self._log = log_of(self._conversation)
        self._mailbox = mailbox_of(bob.profile.device)
        self._meter = cpu_seconds
        self._sealed: list[float] = []
        self._answered: list[float] = []
        self._opened: list[float] = []

    def figures(self) -> list[Figure]:
        scale = self._trial.scale
        self.exchange(scale.batch)
        rounds = [self._round() for _ in range(scale.rounds)]
        batch = f"in batches of {scale.batch}, store included, CPU"
        words = (
            (
                "batch.seal",
                f"queue and seal {batch} (floor: vodozemac: Megolm, and a new key every {NEW_KEY} by Olm)",
                BATCH_TARGET,
            ),
            ("batch.seal_megolm", "the same (floor: Megolm alone, and no keys)", ()),
            ("batch.seal_x_wing", "the same (floor: as the first, the keys by X-Wing too)", ()),
            ("batch.open", f"open {batch} (floor: Megolm)", BATCH_TARGET),
            ("batch.answer", f"take the server's answer {batch}", ()),
            ("single.seal", "queue and seal one message (floor: one fsync)", ()),
            ("single.open", "open one message (floor: one fsync)", ()),
            ("single.seal_above", "the same without its fsync", SINGLE_TARGET),
            ("single.open_above", "the same without its fsync", SINGLE_TARGET),
            ("single.seal_at_design", f"sealing without its fsync {AT_DESIGN}", SINGLE_TARGET),
            ("single.open_at_design", f"opening without its fsync {AT_DESIGN}", SINGLE_TARGET),
        )
        return [
            _figure(name, what, [taken[name] for taken in rounds], targets) for name, what, targets in words
        ]

    def _round(self) -> dict[str, tuple[float, ...]]:
        """Microseconds of each figure, and of its floor where it has one."""
        scale = self._trial.scale
        seal, opened = self.batches()
        count = scale.batches * scale.batch
        answer = sum(self._answered) / count * 1e6
        bare = bare_megolm(count)
        keys, x_wing = (seconds / count * 1e6 for seconds in _bare_key_seconds(count // NEW_KEY))
        self._forget(self._trial.clock.monotonic_seconds)
        for _ in range(scale.single_messages):
            self.exchange(1)
        single_seal, single_open = _middle(self._sealed) * 1e6, _middle(self._opened) * 1e6
        fsync = fsync_seconds(self._trial.folder) * 1e6
        return {
            "batch.seal": (seal, bare.seal + keys),
            "batch.seal_megolm": (seal, bare.seal),
            "batch.seal_x_wing": (seal, bare.seal + keys + x_wing),
            "batch.open": (opened, bare.open),
            "batch.answer": (answer,),
            "single.seal": (single_seal, fsync),
            "single.open": (single_open, fsync),
            "single.seal_above": (single_seal - fsync,),
            "single.open_above": (single_open - fsync,),
            "single.seal_at_design": ((single_seal - fsync) / bare.slowness,),
            "single.open_at_design": ((single_open - fsync) / bare.slowness,),
        }

    def batches(self) -> tuple[float, float]:
        """CPU microseconds of sealing and of opening one of a batch."""
        scale = self._trial.scale
        self._forget(cpu_seconds)
        for _ in range(scale.batches):
            self.exchange(scale.batch)
        count = scale.batches * scale.batch
        return sum(self._sealed) / count * 1e6, sum(self._opened) / count * 1e6

    def _forget(self, meter: Callable[[], float]) -> None:
        """Begin anew, with time or CPU time."""
        self._meter = meter
        self._sealed, self._answered, self._opened = [], [], []

    def exchange(self, count: int) -> tuple[float, float]:
        """alice says so much in one turn; the server answers, and it comes to bob. What sealing took, and
        taking the answers."""
        says = [self._say() for _ in range(count)]
        frames = self._timed(self._sealed, lambda: self.alice.turn(says))
        answers: list[ServerFrame] = [
            Accepted(frame.request, 0) for frame in frames if isinstance(frame, Envelopes)
        ]
        sends = [frame for frame in frames if isinstance(frame, Send)]
        now_ms = self._trial.clock.wall_ms()
        answers += [
            Accepted(send.request, seq, now_ms, bytes(32))
            for seq, send in enumerate(sends, self.alice.position(self._log) + 1)
        ]
        self._timed(self._answered, lambda: self.alice.turn(answers))
        arriving = self._arriving(frames)
        self._timed(self._opened, lambda: self.bob.turn(arriving))
        return self._sealed[-1], self._answered[-1]

    def _say(self) -> Say:
        """As client/api/me.py has it."""
        message = self._ids.new(self._conversation)
        return Say(self._conversation, self.bob.profile.account, message, Text(TEXT))

    def _timed(self, times: list[float], do: Callable[[], list[ClientFrame]]) -> list[ClientFrame]:
        start = self._meter()
        frames = do()
        times.append(self._meter() - start)
        return frames

    def _arriving(self, frames: Sequence[ClientFrame]) -> list[ServerFrame]:
        """What the server would deliver of these: envelopes first."""
        sender, now_ms = self.alice.profile, self._trial.clock.wall_ms()
        log_seq = self.bob.position(self._log)
        mail = mail_between(self.alice, self.bob, frames, now_ms)
        log = [
            LogEntry(
                0,
                sender.account,
                sender.device,
                send.session,
                send.message,
                send.ciphertext,
                send.commitment,
                now_ms,
                bytes(32),
            )
            for send in frames
            if isinstance(send, Send)
        ]
        numbered = tuple(_at(entry, log_seq + place) for place, entry in enumerate(log, 1))
        mailbox_end = self.bob.position(self._mailbox) + sum(len(each.entries) for each in mail)
        return [*mail, LogEntries(self._log, self.bob.incarnation, numbered, mailbox_end)]


def _bare_key_seconds(count: int) -> tuple[float, float]:
    """Seconds of making so many sessions and sealing each one's key for one device: with vodozemac, and what
    X-Wing takes beside. Nothing is kept."""
    me, other = DeviceKeys.create(), DeviceKeys.create()
    session = me.start(other.curve25519, other.new_one_time_keys(1)[0])
    x_wing = XWingKey.generate().public
    content, info = secrets.token_bytes(KEY_SHARE_BYTES), secrets.token_bytes(INFO_BYTES)
    start = cpu_seconds()
    sealed = []
    for _ in range(count):
        GroupOut.create().session_key()
        sealed.append(session.seal(content)[1])
    middle = cpu_seconds()
    for message in sealed:
        hybrid.seal(x_wing, info, message)
    return middle - start, cpu_seconds() - middle


def mail_between(
    sender: CoreAlone, to: CoreAlone, frames: Sequence[ClientFrame], now_ms: int
) -> list[MailboxEntries]:
    """The envelopes among these frames, as the server would deliver them: at most one frame."""
    mailbox = mailbox_of(to.profile.device)
    first = to.position(mailbox) + 1
    items = [item for frame in frames if isinstance(frame, Envelopes) for item in frame.items]
    account, device = sender.profile.account, sender.profile.device
    entries = tuple(
        MailboxEntry(seq, account, device, item.envelope, item.sealed, now_ms)
        for seq, item in enumerate(items, first)
    )
    return [MailboxEntries(mailbox, to.incarnation, entries)] if entries else []


Entry = TypeVar("Entry", LogEntry, MailboxEntry)


def _at(entry: Entry, seq: int) -> Entry:
    return msgspec.structs.replace(entry, seq=seq)


def _middle(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]


def _figure(name: str, what: str, taken: Sequence[tuple[float, ...]], targets: tuple[Target, ...]) -> Figure:
    """taken: of each round the value, and the floor's where there is one."""
    return Figure(
        name=f"client.messages.{name}",
        what=what,
        unit="us",
        values=tuple(each[0] for each in taken),
        floor=tuple(each[1] for each in taken if len(each) > 1),
        targets=targets,
    )

"""A made-up account for the gallery: people who do not exist, and what they said on one Monday."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from coterie.base.clock import FakeClock
from coterie.base.conversations import direct_id, everyone_id
from coterie.base.ids import AccountId, ConversationId, DeviceId, LedgerId, MessageId, UserName
from coterie.client.events import (
    Conversation,
    ConversationKind,
    Delivery,
    DeliveryState,
    Event,
    FramesSent,
    LinkState,
    Message,
    MessageState,
    Person,
    Sent,
)
from coterie.desktop.made_up_trust import DEVICE as DEVICE
from coterie.desktop.made_up_trust import DEVICE_AT_WORK as DEVICE_AT_WORK
from coterie.desktop.made_up_trust import RECOVERY_KEY as RECOVERY_KEY
from coterie.desktop.made_up_trust import MadeUpTrust
from coterie.wire.frames import Envelopes, Hello, Send
from coterie.wire.frames.messages import EnvelopeItem, Share

NOW: Final = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
EVERYONE: Final = everyone_id(LedgerId(b"the gallery's ledger"[:16]))

APPROVAL_CODE: Final = "ABCD-EFGH-2345-JKLM-NPQR-67ST-UVWX-YZ23-ABCD-EFGH-4567-JKLM-NPQR-STUV"
PASSPHRASE: Final = "otter-quilt-maple-sandy-brook-lantern"

_ONLINE: Final = ("alice", "bob", "carol", "parrot")
_NAMES: Final = (*_ONLINE, "noor", "chen", "marguerite")

_CODE: Final = """```
def rotate(session):
    session.advance()
    return session.pickle(key)  # never leaves the device
```"""
_LONG: Final = (
    "Ship it. I will tag the release once the soak test has run overnight and the memory line stays flat."
)
_TALK: Final = (
    # who, to whom, day, time, text
    ("marguerite", "everyone", 20, "16:40", "maintenance window tonight, 22:00 to 22:15"),
    ("chen", "me", 21, "18:02", "see you on Monday then"),
    ("noor", "me", 22, "11:55", "مرحبا، شكرا لك"),
    ("carol", "everyone", 23, "09:12", "Good morning! The new server is up 🎉"),
    ("bob", "everyone", 23, "09:15", "Nice. Same invite link as before?"),
    ("carol", "everyone", 23, "09:16", "Yes, nothing changes for you."),
    ("parrot", "me", 23, "12:30", "you said hello 🦜"),
    ("bob", "me", 23, "13:12", "soak test is at 6 h, memory line is flat"),
    ("bob", "me", 23, "13:12", "I will let it run overnight"),
    ("bob", "me", 23, "13:13", "👍👍🏽"),
    ("alice", "me", 22, "17:48", "Can you look at the rotation before lunch tomorrow?"),
    ("me", "alice", 22, "17:51", "Sure. Anything special about it?"),
    ("alice", "me", 23, "09:43", "It is about when a device leaves. שלום, זה עובד (test 123)"),
    ("alice", "me", 23, "09:51", _CODE),
    ("alice", "me", 23, "09:52", "@bob has read it too, see https://example.org/notes 🔥"),
    ("me", "alice", 23, "14:01", _LONG),
    ("me", "alice", 23, "14:02", "Thank you 🙏"),
    ("alice", "me", 23, "14:03", "😀🎉"),
    ("me", "alice", 23, "14:05", "See https://example.org/notes for the rest"),
)
_UNREAD: Final = {"bob": 3, "parrot": 1}


def clock() -> FakeClock:
    """Stands at the moment of the gallery."""
    return FakeClock(round(NOW.timestamp() * 1000))


class MadeUpAccount(MadeUpTrust):
    """screens.doors.Opened for pictures: nothing is sent, nothing is stored."""

    def __init__(self) -> None:
        super().__init__(_account("dana"), {name: _account(name) for name in _NAMES})
        self.name = UserName("dana")
        self.everyone = EVERYONE
        self.link = LinkState.LIVE
        self.passphrase: str | None = None
        self._messages = [_message(order, self.account, *line) for order, line in enumerate(_TALK, 1)]

    def people(self) -> tuple[Person, ...]:
        me = Person(self.name, self.account, online=True, verified=True, me=True)
        return (*map(_person, _NAMES), me)

    def conversations(self) -> tuple[Conversation, ...]:
        """Newest first."""
        found = [self._conversation(None)]
        found += [self._conversation(_person(name)) for name in _NAMES]
        return tuple(sorted(found, key=lambda each: -(each.last.sent_at_ms if each.last else 0)))

    def frames_sent(self) -> tuple[FramesSent, ...]:
        at_ms, peer = round(NOW.timestamp() * 1000), _account("alice")
        session, talk = hashlib.sha256(b"session").digest(), direct_id(self.account, peer)
        item = EnvelopeItem(peer, DEVICE, bytes(16), bytes(2034), Share(talk, session))
        said = Send(8, talk, peer, session, session[:16], session[16:], bytes(560), session, session, 57)
        return (
            FramesSent(at_ms - 300_000, (Hello((1,)),), 9),
            FramesSent(at_ms, (Envelopes(7, (item,), (), peer),), 2188),
            FramesSent(at_ms, (said,), 803),
        )

    def delivery(self, message: Message) -> tuple[Delivery, ...]:
        """alice's laptop has it, her phone not yet, and this account's second device has it too."""
        del message
        return (
            Delivery(UserName("alice"), DeviceId(b"made-up device a"), "laptop", DeliveryState.RECEIVED),
            Delivery(UserName("alice"), DeviceId(b"made-up device b"), "phone", DeliveryState.UNDERWAY),
            Delivery(self.name, DEVICE_AT_WORK, "desk at work", DeliveryState.RECEIVED),
        )

    def history(
        self, conversation: ConversationId, *, limit: int = 200, before: int | None = None
    ) -> tuple[Message, ...]:
        said = [message for message in self._messages if message.conversation == conversation]
        return tuple(message for message in said if before is None or message.order < before)[-limit:]

    def later(self, conversation: ConversationId, *, after: int, limit: int = 200) -> tuple[Message, ...]:
        said = [message for message in self._messages if message.conversation == conversation]
        return tuple(message for message in said if message.order > after)[:limit]

    def search(
        self,
        words: str,
        *,
        limit: int = 50,
        conversation: ConversationId | None = None,
        before: int | None = None,
    ) -> tuple[Message, ...]:
        """Newest first."""
        found = [
            message
            for message in sorted(self._messages, key=lambda each: -each.sent_at_ms)
            if all(word in message.text.lower() for word in words.lower().split())
            and conversation in (None, message.conversation)
            and (before is None or message.order < before)
        ]
        return tuple(found[:limit])

    def draft(self, conversation: ConversationId) -> str:
        del conversation
        return ""

    async def say(self, typed: str, in_conversation: ConversationId) -> Sent:
        del typed
        return Sent(MessageId(bytes(16)), in_conversation, "everyone", MessageState.QUEUED)

    async def mark_read(self, conversation: ConversationId, up_to_order: int) -> None:
        del conversation, up_to_order

    async def keep_draft(self, conversation: ConversationId, text: str) -> None:
        del conversation, text

    async def events(self) -> AsyncIterator[Event]:
        """What happens: nothing more."""
        nothing: tuple[Event, ...] = ()
        for event in nothing:
            yield event

    async def close(self) -> None:
        return

    def _conversation(self, peer: Person | None) -> Conversation:
        if peer is None:
            id_, kind, target = EVERYONE, ConversationKind.EVERYONE, "everyone"
        else:
            id_ = direct_id(self.account, peer.account)
            kind, target = ConversationKind.DIRECT, f"@{peer.name}"
        said = self.history(id_)
        unread = _UNREAD.get(peer.name, 0) if peer else 0
        first_unread = said[-unread].order if unread else 0
        return Conversation(id_, kind, target, peer, said[-1] if said else None, unread, first_unread)


def _account(name: str) -> AccountId:
    return AccountId(hashlib.sha256(name.encode()).digest())


def _person(name: str) -> Person:
    return Person(
        UserName(name), _account(name), online=name in _ONLINE, verified=name in ("alice", "bob"), me=False
    )


def _message(order: int, me: AccountId, who: str, to: str, day: int, time: str, text: str) -> Message:
    hour, minute = (int(part) for part in time.split(":"))
    sent_at_ms = round(NOW.replace(day=day, hour=hour, minute=minute).timestamp() * 1000)
    own = who == "me"
    other = to if own else who
    in_everyone = to == "everyone"
    last = order == len(_TALK)
    return Message(
        order=order,
        id=MessageId(order.to_bytes(16, "big")),
        conversation=EVERYONE if in_everyone else direct_id(me, _account(other)),
        target="everyone" if in_everyone else f"@{other}",
        sender=UserName("dana" if own else who),
        sender_account=me if own else _account(who),
        sender_device=DEVICE,
        own=own,
        text=text,
        readable=True,
        sent_at_ms=sent_at_ms,
        seq=0 if last else order,
        state=_own_state(order) if own else MessageState.RECEIVED,
    )


def _own_state(order: int) -> MessageState:
    """The last one waits, the one before is on the server, all before are on the other's devices."""
    if order == len(_TALK):
        return MessageState.QUEUED
    return MessageState.SENT if order == len(_TALK) - 2 else MessageState.DELIVERED

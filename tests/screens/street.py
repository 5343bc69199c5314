"""An account in memory for the tests of the screens: it answers as the SDK does and makes its events."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec

from coterie.base.codes import Code
from coterie.base.conversations import direct_id, everyone_id
from coterie.base.errors import CoterieError, Refused
from coterie.base.ids import ConversationId, DeviceId, LedgerId, MessageId, UserName
from coterie.client.events import (
    Conversation,
    ConversationChanged,
    ConversationKind,
    Delivery,
    Event,
    FramesSent,
    LinkState,
    Message,
    MessageArrived,
    MessageQueued,
    MessageSent,
    MessageState,
    NotFor,
    Person,
    PresenceChanged,
    Sent,
    Verified,
)
from coterie.screens.intents import Fact
from coterie.screens.presenter import Presenter
from coterie.screens.signals import Signals
from tests.screens.trusting import PASSWORD, RECOVERY_KEY, Trusting, account_of

__all__ = ["NOON_MS", "PASSWORD", "RECOVERY_KEY", "Stage", "Street", "finish"]
NOON_MS = 1_795_521_600_000
"""Noon UTC, on a Tuesday."""


class Street(Trusting):
    """Satisfies ChatPort. `me` lives here with neighbours; arrive() and others make something happen."""

    def __init__(self, me: str = "alice", neighbours: Iterable[str] = ("bob", "carol")) -> None:
        super().__init__()
        self.name = UserName(me)
        self.account = account_of(me)
        self.everyone = everyone_id(LedgerId(bytes(16)))
        self.link = LinkState.LIVE
        self.now_ms = NOON_MS
        self.messages: dict[ConversationId, list[Message]] = {}
        self.drafts: dict[ConversationId, str] = {}
        self.read: dict[ConversationId, int] = {}
        self.refuses: CoterieError | None = None
        self.delivered_to: dict[int, tuple[Delivery, ...]] = {}
        self.sent_frames: list[FramesSent] = []
        self.saved_drafts = 0
        self.events: list[Event] = []
        """What say() made happen; the test hands it on."""
        self.tell: Callable[[Event], None] = self.events.append
        self._order = 0
        self._people: dict[str, Person] = {}
        for name in (me, *neighbours):
            person = Person(UserName(name), account_of(name), name == me, False, name == me)
            self._people[name] = person

    # ChatPort

    def people(self) -> tuple[Person, ...]:
        return tuple(self._people.values())

    def conversations(self) -> tuple[Conversation, ...]:
        return tuple(self.conversation(each) for each in {self.everyone: None, **self.messages})

    def history(
        self, conversation: ConversationId, *, limit: int = 200, before: int | None = None
    ) -> tuple[Message, ...]:
        found = self.messages.get(conversation, [])
        return tuple([each for each in found if before is None or each.order < before][-limit:])

    def later(self, conversation: ConversationId, *, after: int, limit: int = 200) -> tuple[Message, ...]:
        return tuple([each for each in self.messages.get(conversation, []) if each.order > after][:limit])

    def search(
        self,
        words: str,
        *,
        limit: int = 50,
        conversation: ConversationId | None = None,
        before: int | None = None,
    ) -> tuple[Message, ...]:
        """By parts of words, which is enough here: how words are found is the store's matter."""
        said = [each for talk in self.messages.values() for each in talk]
        found = [
            each
            for each in sorted(said, key=lambda each: -each.order)
            if all(word in each.text for word in words.split())
            and conversation in (None, each.conversation)
            and (before is None or each.order < before)
        ]
        return tuple(found[:limit])

    def draft(self, conversation: ConversationId) -> str:
        return self.drafts.get(conversation, "")

    async def say(self, typed: str, in_conversation: ConversationId) -> Sent:
        if self.refuses is not None:
            raise self.refuses
        target = in_conversation
        if typed.startswith("@"):
            word, _, typed = typed[1:].partition(" ")
            if word not in self._people:
                raise Refused(Code.UNKNOWN_PERSON)
            target = self.direct(word)
        message = self.write(target, typed)
        self.tell(MessageQueued(message))
        self.tell(ConversationChanged(self.conversation(target)))
        return Sent(message.id, target, message.target, MessageState.QUEUED)

    def delivery(self, message: Message) -> tuple[Delivery, ...]:
        return self.delivered_to.get(message.order, ())

    def frames_sent(self) -> tuple[FramesSent, ...]:
        return tuple(self.sent_frames)

    async def mark_read(self, conversation: ConversationId, up_to_order: int) -> None:
        self.read[conversation] = up_to_order

    async def keep_draft(self, conversation: ConversationId, text: str) -> None:
        self.saved_drafts += 1
        self.drafts[conversation] = text

    # what happens

    def direct(self, name: str) -> ConversationId:
        return direct_id(self.account, account_of(name))

    def person(self, name: str) -> Person:
        return self._people[name]

    def conversation(self, conversation: ConversationId) -> Conversation:
        found = self.messages.get(conversation, [])
        read = self.read.get(conversation, 0)
        unread = [each for each in found if not each.own and each.order > read]
        kind = ConversationKind.EVERYONE if conversation == self.everyone else ConversationKind.DIRECT
        peer = next((each for name, each in self._people.items() if self.direct(name) == conversation), None)
        return Conversation(
            conversation,
            kind,
            self._target(conversation),
            peer,
            found[-1] if found else None,
            len(unread),
            unread[0].order if unread else 0,
        )

    def arrive(
        self,
        sender: str,
        conversation: ConversationId,
        text: str,
        *,
        minutes: float = 1.0,
        readable: bool = True,
    ) -> list[Event]:
        """A message from somebody's device."""
        message = self._message(sender, conversation, text, minutes)
        message = msgspec.structs.replace(message, readable=readable, text=text if readable else "")
        self._keep(message)
        return [MessageArrived(message), ConversationChanged(self.conversation(conversation))]

    def write(
        self,
        conversation: ConversationId,
        text: str,
        *,
        minutes: float = 1.0,
        state: MessageState = MessageState.QUEUED,
        not_for: tuple[NotFor, ...] = (),
    ) -> Message:
        """A message of this account, in the store."""
        message = self._message(self.name, conversation, text, minutes)
        message = msgspec.structs.replace(message, state=state, not_for=not_for)
        self._keep(message)
        return message

    def sent(self, message: Message) -> list[Event]:
        """The message reached the server."""
        message = msgspec.structs.replace(message, state=MessageState.SENT, seq=message.order)
        rows = self.messages[message.conversation]
        rows[[each.id for each in rows].index(message.id)] = message
        return [MessageSent(message), ConversationChanged(self.conversation(message.conversation))]

    def presence(self, name: str, online: bool, *, initial: bool = False) -> list[Event]:
        self._people[name] = msgspec.structs.replace(self._people[name], online=online)
        return [PresenceChanged(self._people[name], initial)]

    def verified(self, name: str) -> list[Event]:
        """The person verified somebody."""
        self._people[name] = msgspec.structs.replace(self._people[name], verified=True, changed=False)
        return [Verified(self._people[name])]

    def forgotten(self, name: str) -> list[Event]:
        """The person took that back."""
        self._people[name] = msgspec.structs.replace(self._people[name], verified=False)
        return [Verified(self._people[name])]

    def change(self, name: str) -> Person:
        """Another identity has this name now."""
        self._people[name] = msgspec.structs.replace(self._people[name], verified=False, changed=True)
        return self._people[name]

    def _message(self, sender: str, conversation: ConversationId, text: str, minutes: float) -> Message:
        self._order += 1
        self.now_ms += round(minutes * 60_000)
        return Message(
            order=self._order,
            id=MessageId(hashlib.sha256(b"%d" % self._order).digest()[:16]),
            conversation=conversation,
            target=self._target(conversation),
            sender=UserName(sender),
            sender_account=account_of(sender),
            sender_device=DeviceId(bytes(16)),
            own=sender == self.name,
            text=text,
            readable=True,
            sent_at_ms=self.now_ms,
            seq=self._order,
            state=MessageState.RECEIVED,
        )

    def _keep(self, message: Message) -> None:
        self.messages.setdefault(message.conversation, []).append(message)

    def _target(self, conversation: ConversationId) -> str:
        if conversation == self.everyone:
            return "everyone"
        return next((f"@{name}" for name in self._people if self.direct(name) == conversation), "@?")


def finish(coroutine: Coroutine[Any, Any, Fact]) -> Fact:
    """Run a coroutine that waits for nothing to its end."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        fact: Fact = stop.value
        return fact
    raise AssertionError("it waited")


class Stage:
    """A presenter on a street: carries out intents at once and gathers all that is shown."""

    def __init__(self, street: Street, presenter: Presenter) -> None:
        self.street = street
        self.presenter = presenter
        self.shown: list[object] = []
        self.asked: list[object] = []

    def apply(self, signals: Signals) -> None:
        """Show the signals, and carry out what they ask until nothing is left."""
        self.shown += signals.shown
        for intent in signals.intents:
            self.asked.append(intent)
            self.apply(self.presenter.take(finish(self.presenter.perform(intent))))
            events = self.street.events[:]
            self.street.events.clear()
            self.take(events)

    def take(self, events: Iterable[Event]) -> None:
        for event in events:
            self.apply(self.presenter.take(event))

    def clear(self) -> None:
        self.shown.clear()
        self.asked.clear()

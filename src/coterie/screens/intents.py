"""What a presenter wants from the SDK, and what comes back: data both ways, so that a presenter never waits.

An Intent is carried out by perform() where the SDK lives (its event loop); the Fact it returns goes to
Presenter.take() where the screen lives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import CoterieError
from coterie.base.ids import AccountId, ConversationId, UserName
from coterie.base.quiet import Quiet
from coterie.client.events import Conversation, LinkState, Message, Person, Sent
from coterie.screens.port import ChatPort

PAGE_ROWS: Final = 200
"""Messages read at once."""


class ReadAll(msgspec.Struct, frozen=True):
    """Who and what there is."""


class ReadHistory(msgspec.Struct, frozen=True):
    """A page of messages, the newest or those before an order, and the draft."""

    conversation: ConversationId
    before: int | None = None
    limit: int = PAGE_ROWS


class SayText(Quiet, frozen=True):
    conversation: ConversationId
    text: str


class SetRead(msgspec.Struct, frozen=True):
    conversation: ConversationId
    order: int


class SaveDraft(Quiet, frozen=True):
    conversation: ConversationId
    text: str


Intent = ReadAll | ReadHistory | SayText | SetRead | SaveDraft


class Known(Quiet, frozen=True):
    """Answers ReadAll."""

    name: UserName
    account: AccountId
    everyone: ConversationId
    people: tuple[Person, ...]
    conversations: tuple[Conversation, ...]
    link: LinkState


class HistoryRead(Quiet, frozen=True):
    """Answers ReadHistory; messages with the newest last."""

    asked: ReadHistory
    messages: tuple[Message, ...]
    draft: str


class Said(Quiet, frozen=True):
    """Answers SayText: the message is in the outbox."""

    asked: SayText
    sent: Sent


class Done(Quiet, frozen=True):
    """Answers SetRead and SaveDraft."""

    asked: Intent


class Failed(Quiet, frozen=True):
    asked: Intent
    code: Code


Fact = Known | HistoryRead | Said | Done | Failed
Tell = Callable[[Fact], None]


async def perform(port: ChatPort, intent: Intent) -> Fact:
    """Carry out one intent. Runs where the port lives; an error of coterie's becomes Failed."""
    try:
        return await _performed(port, intent)
    except CoterieError as error:
        return Failed(intent, error.code)


async def _performed(port: ChatPort, intent: Intent) -> Fact:
    match intent:
        case SayText(conversation=conversation, text=text):
            return Said(intent, await port.say(text, conversation))
        case SetRead(conversation=conversation, order=order):
            await port.mark_read(conversation, order)
            return Done(intent)
        case SaveDraft(conversation=conversation, text=text):
            await port.keep_draft(conversation, text)
            return Done(intent)
        case ReadHistory(conversation=conversation, before=before, limit=limit):
            messages = port.history(conversation, limit=limit, before=before)
            return HistoryRead(intent, messages, port.draft(conversation))
        case ReadAll():
            return Known(
                port.name, port.account, port.everyone, port.people(), port.conversations(), port.link
            )
        case _:
            assert_never(intent)

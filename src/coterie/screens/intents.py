"""What a presenter wants from the SDK, and what comes back: data both ways, so that a presenter never waits.

An Intent is carried out by performing.Performer where the SDK lives (its event loop); the Fact it returns
goes to Presenter.take() where the screen lives. Those of the pages stand in page_intents.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from coterie.base.codes import Code
from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.client.events import Conversation, Device, LinkState, Message, Person, Sent
from coterie.screens.page_intents import PageFact, PageIntent

PAGE_ROWS: Final = 200
"""Messages read at once."""
AROUND_ROWS: Final = 100
"""Messages read on either side of one that is looked up."""
FOUND_ROWS: Final = 50
"""Messages that one question finds at most."""


class ReadAll(msgspec.Struct, frozen=True):
    """Who and what there is."""


class ReadHistory(msgspec.Struct, frozen=True):
    """A page of messages, the newest or those before an order, and the draft."""

    conversation: ConversationId
    before: int | None = None
    limit: int = PAGE_ROWS


class ReadAround(msgspec.Struct, frozen=True):
    """A message with those before and after it, and the draft."""

    conversation: ConversationId
    order: int


class ReadLater(msgspec.Struct, frozen=True):
    """A page of messages after an order."""

    conversation: ConversationId
    after: int


class FindMessages(Quiet, frozen=True):
    """Messages with these words, of one conversation or of all (None); a page of those below an order.

    number: of this search, so that the answer to an earlier one can be told from it.
    """

    number: int
    words: str
    conversation: ConversationId | None
    before: int | None = None


class SayText(Quiet, frozen=True):
    conversation: ConversationId
    text: str


class SetRead(msgspec.Struct, frozen=True):
    conversation: ConversationId
    order: int


class SaveDraft(Quiet, frozen=True):
    conversation: ConversationId
    text: str


class ConfirmDevice(msgspec.Struct, frozen=True):
    """A device that came to this account is the person's own."""

    device: DeviceId


Intent = (
    ReadAll
    | ReadHistory
    | ReadAround
    | ReadLater
    | FindMessages
    | SayText
    | SetRead
    | SaveDraft
    | ConfirmDevice
    | PageIntent
)


class Known(Quiet, frozen=True):
    """Answers ReadAll."""

    name: UserName
    account: AccountId
    everyone: ConversationId
    people: tuple[Person, ...]
    conversations: tuple[Conversation, ...]
    link: LinkState
    questions: tuple[Device, ...] = ()
    reset_at_ms: int | None = None
    """When the account's name begins anew with another identity."""


class HistoryRead(Quiet, frozen=True):
    """Answers ReadHistory; messages with the newest last."""

    asked: ReadHistory
    messages: tuple[Message, ...]
    draft: str


class AroundRead(Quiet, frozen=True):
    """Answers ReadAround; messages with the newest last."""

    asked: ReadAround
    before: tuple[Message, ...]
    """Up to the message itself."""
    after: tuple[Message, ...]
    draft: str


class LaterRead(Quiet, frozen=True):
    """Answers ReadLater; messages with the newest last."""

    asked: ReadLater
    messages: tuple[Message, ...]


class MessagesFound(Quiet, frozen=True):
    """Answers FindMessages; messages with the newest first."""

    asked: FindMessages
    messages: tuple[Message, ...]


class Said(Quiet, frozen=True):
    """Answers SayText: the message is in the outbox."""

    asked: SayText
    sent: Sent


class Done(Quiet, frozen=True):
    """Answers whatever is done, and has nothing more to say."""

    asked: Intent


class Failed(Quiet, frozen=True):
    asked: Intent
    code: Code


Fact = Known | HistoryRead | AroundRead | LaterRead | MessagesFound | Said | PageFact | Done | Failed
Tell = Callable[[Fact], None]

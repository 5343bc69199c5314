"""What a presenter wants from the SDK, and what comes back: data both ways, so that a presenter never waits.

An Intent is carried out by perform() where the SDK lives (its event loop); the Fact it returns goes to
Presenter.take() where the screen lives.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import CoterieError
from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.client.events import Conversation, Device, FramesSent, LinkState, Message, Person, Sent
from coterie.e2ee.recovery import RECOVERY_WORDS
from coterie.screens.port import ChatPort

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


class ReadFrames(msgspec.Struct, frozen=True):
    """What was sent to the server last."""


class ReadDevices(msgspec.Struct, frozen=True):
    """The account's own devices."""


class DeviceChange(StrEnum):
    RENAME = "rename"
    REVOKE = "revoke"
    LOSE = "lose"
    DENY = "deny"


class ChangeDevice(Quiet, frozen=True):
    """Rename or remove a device of one's own. name: for RENAME; secret: password or recovery key, as it was
    typed."""

    change: DeviceChange
    device: DeviceId
    name: str
    secret: str


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
    | ReadFrames
    | ReadDevices
    | ChangeDevice
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


class FramesRead(Quiet, frozen=True):
    """Answers ReadFrames, oldest first."""

    asked: ReadFrames
    sent: tuple[FramesSent, ...]


class DevicesRead(msgspec.Struct, frozen=True):
    """Answers ReadDevices. questions: those about which nobody has answered."""

    asked: ReadDevices
    devices: tuple[Device, ...]
    questions: tuple[Device, ...]
    renewal_due: bool


class Done(Quiet, frozen=True):
    """Answers SetRead, SaveDraft, ConfirmDevice and ChangeDevice."""

    asked: Intent


class Failed(Quiet, frozen=True):
    asked: Intent
    code: Code


Fact = (
    Known
    | HistoryRead
    | AroundRead
    | LaterRead
    | MessagesFound
    | Said
    | FramesRead
    | DevicesRead
    | Done
    | Failed
)
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
        case ConfirmDevice(device=device):
            await port.confirm_device(device)
            return Done(intent)
        case ChangeDevice():
            await _change_device(port, intent)
            return Done(intent)
        case ReadAround() | ReadLater() | FindMessages() | ReadFrames() | ReadDevices():
            return _looked_up(port, intent)
        case ReadAll():
            return Known(
                port.name,
                port.account,
                port.everyone,
                port.people(),
                port.conversations(),
                port.link,
                port.questions(),
            )
        case _:
            assert_never(intent)


async def _change_device(port: ChatPort, intent: ChangeDevice) -> None:
    device, password = intent.device, intent.secret
    recovery_key = password if len(password.split()) == RECOVERY_WORDS else None
    match intent.change:
        case DeviceChange.RENAME:
            await port.rename_device(device, intent.name, password=password, recovery_key=recovery_key)
        case DeviceChange.REVOKE:
            await port.revoke_device(device, password=password, recovery_key=recovery_key)
        case DeviceChange.LOSE:
            await port.lose_device(device, password=password, recovery_key=recovery_key)
        case DeviceChange.DENY:
            await port.deny_device(device, password=password, recovery_key=recovery_key)
        case _:
            assert_never(intent.change)


def _looked_up(
    port: ChatPort, intent: ReadAround | ReadLater | FindMessages | ReadFrames | ReadDevices
) -> Fact:
    match intent:
        case ReadFrames():
            return FramesRead(intent, port.frames_sent())
        case ReadDevices():
            return DevicesRead(intent, port.devices(), port.questions(), port.renewal_due)
        case ReadAround(conversation=conversation, order=order):
            before = port.history(conversation, limit=AROUND_ROWS, before=order + 1)
            after = port.later(conversation, after=order, limit=AROUND_ROWS)
            return AroundRead(intent, before, after, port.draft(conversation))
        case ReadLater(conversation=conversation, after=order):
            return LaterRead(intent, port.later(conversation, after=order, limit=PAGE_ROWS))
        case FindMessages(words=words, conversation=within, before=below):
            found = port.search(words, limit=FOUND_ROWS, conversation=within, before=below)
            return MessagesFound(intent, found)
        case _:
            assert_never(intent)

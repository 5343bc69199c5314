"""What the screens use of the SDK: the SDK's Me satisfies it (client/api)."""

from __future__ import annotations

from typing import Protocol

from coterie.base.ids import AccountId, ConversationId, UserName
from coterie.client.events import Conversation, Delivery, FramesSent, LinkState, Message, Person, Sent
from coterie.screens.trust_port import AccountPort, DevicesPort, PersonPort


class ChatPort(DevicesPort, PersonPort, AccountPort, Protocol):
    """An open account. All of it is called where its event loop runs, never from the screen's own thread."""

    @property
    def name(self) -> UserName: ...

    @property
    def account(self) -> AccountId: ...

    @property
    def everyone(self) -> ConversationId: ...

    @property
    def link(self) -> LinkState: ...

    def people(self) -> tuple[Person, ...]: ...

    def conversations(self) -> tuple[Conversation, ...]: ...

    def history(
        self, conversation: ConversationId, *, limit: int = 200, before: int | None = None
    ) -> tuple[Message, ...]:
        """Newest last; pages by Message.order."""
        ...

    def later(self, conversation: ConversationId, *, after: int, limit: int = 200) -> tuple[Message, ...]:
        """The oldest above an order, newest last."""
        ...

    def search(
        self,
        words: str,
        *,
        limit: int = 50,
        conversation: ConversationId | None = None,
        before: int | None = None,
    ) -> tuple[Message, ...]:
        """Messages that contain all the words, newest first."""
        ...

    def frames_sent(self) -> tuple[FramesSent, ...]:
        """The last that were sent to the server, oldest first."""
        ...

    def delivery(self, message: Message) -> tuple[Delivery, ...]:
        """What became of an own direct message on each device that it is for."""
        ...

    def draft(self, conversation: ConversationId) -> str: ...

    async def say(self, typed: str, in_conversation: ConversationId) -> Sent:
        """Into the outbox: "@bob hi" for bob, else for the conversation.

        Refused(unknown-person) for a leading @word that nobody has.
        """
        ...

    async def mark_read(self, conversation: ConversationId, up_to_order: int) -> None: ...

    async def keep_draft(self, conversation: ConversationId, text: str) -> None: ...

"""What a screen draws: frozen rows with all formatting done, each with a key that stays its own."""

from __future__ import annotations

from enum import StrEnum

from coterie.base.ids import ConversationId, MessageId, UserName
from coterie.base.quiet import Quiet
from coterie.screens.richtext import Block, Span


class Tick(StrEnum):
    """How far an own message has come."""

    NONE = "none"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"


class Presence(StrEnum):
    NONE = "none"
    """A conversation that is not one other person."""
    ONLINE = "online"
    OFFLINE = "offline"


class Mark(StrEnum):
    """What stands behind somebody's name."""

    NONE = "none"
    VERIFIED = "verified"
    CHANGED = "changed"
    """Another identity had this name before, and nobody has looked yet."""


class MessageRow(Quiet, frozen=True):
    key: str
    order: int
    own: bool
    sender: UserName
    initials: str
    colour: int
    """Index into the theme's avatar colours."""
    opens: bool
    """The first of several in a row by one sender: the name stands above it."""
    closes: bool
    """The last of them: the avatar stands beside it."""
    blocks: tuple[Block, ...]
    cut: bool
    """The message goes on after the blocks; Presenter.show_whole() shows it all."""
    large: bool
    """A few emoji and nothing else."""
    time: str
    tick: Tick
    notes: tuple[str, ...]
    """Small lines under the text: "not for bob's laptop: ..."."""
    text: str
    """What is copied."""


class DayRow(Quiet, frozen=True):
    key: str
    text: str


class UnreadRow(Quiet, frozen=True):
    key: str
    text: str


class NoticeRow(Quiet, frozen=True):
    """Something that happened: who connected, whose devices changed."""

    key: str
    text: str


Row = MessageRow | DayRow | UnreadRow | NoticeRow


class ListRow(Quiet, frozen=True):
    """One line of the conversation list."""

    key: str
    conversation: ConversationId
    title: str
    initials: str
    colour: int
    presence: Presence
    mark: Mark
    preview: tuple[Span, ...]
    faint_preview: bool
    """The preview is about the conversation (its draft, that it is open to all), not a message."""
    time: str
    unread: int
    selected: bool


class Header(Quiet, frozen=True):
    """Above the timeline."""

    title: str
    subtitle: str
    mark: Mark = Mark.NONE


class FoundRow(Quiet, frozen=True):
    """One message that a search found."""

    key: str
    conversation: ConversationId
    message: MessageId
    order: int
    title: str
    """The conversation; where only one is searched, who wrote it."""
    initials: str
    colour: int
    line: tuple[Span, ...]
    """The part of the text around the first hit, hits marked."""
    time: str
    selected: bool


AnyRow = Row | ListRow | FoundRow

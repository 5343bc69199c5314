"""What a page is: rows to look at over the conversation, what can be done with each, what is asked before."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.quiet import Quiet
from coterie.client.events import Emoji


class PageId(StrEnum):
    SERVER_SEES = "server-sees"
    DEVICES = "devices"
    PERSON = "person"
    ACCOUNT = "account"
    JOINING = "joining"
    MESSAGE = "message"


class PageAction(msgspec.Struct, frozen=True):
    """Something that can be done with a row, or with what the page is about. name: what the page knows it
    by."""

    name: str
    label: str


class PageRow(Quiet, frozen=True):
    """One line of a page: what it is called, what it is, and why, or when."""

    key: str
    name: str
    value: str
    note: str
    heading: bool = False
    """Begins a part of the page."""
    actions: tuple[PageAction, ...] = ()


class QrCode(Quiet, frozen=True):
    """A picture for a camera. text: what it says, in characters of QR codes."""

    text: str


class EmojiRow(Quiet, frozen=True):
    """Pictures to compare, in this order."""

    emoji: tuple[Emoji, ...]


class Page(Quiet, frozen=True):
    """Something to look at over the conversation, until it is closed. actions: buttons below what it is
    about, the first of them the one that is meant most."""

    title: str
    about: str
    rows: tuple[PageRow, ...]
    actions: tuple[PageAction, ...] = ()
    figure: QrCode | EmojiRow | None = None


class PromptField(Quiet, frozen=True):
    """name: what the answer calls it. value: what stands there at first."""

    name: str
    label: str
    secret: bool = False
    value: str = ""


class Prompt(Quiet, frozen=True):
    """What is asked before something is done. confirm: the words on its button; words: numbered ones to write
    down."""

    title: str
    about: str
    fields: tuple[PromptField, ...]
    confirm: str
    words: tuple[str, ...] = ()

"""What a page is: rows to look at over the conversation, what can be done with each, what is asked before."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.quiet import Quiet


class PageId(StrEnum):
    SERVER_SEES = "server-sees"
    DEVICES = "devices"


class PageAction(msgspec.Struct, frozen=True):
    """Something that can be done with a row. name: what Paging knows it by."""

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


class Page(Quiet, frozen=True):
    """Something to look at over the conversation, until it is closed."""

    title: str
    about: str
    rows: tuple[PageRow, ...]


class PromptField(Quiet, frozen=True):
    """name: what the answer calls it. value: what stands there at first."""

    name: str
    label: str
    secret: bool = False
    value: str = ""


class Prompt(Quiet, frozen=True):
    """What is asked before something is done. confirm: the words on its button."""

    title: str
    about: str
    fields: tuple[PromptField, ...]
    confirm: str

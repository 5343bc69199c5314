"""What a presenter tells the screen: changes of rows and of the few single things, batched."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.ids import DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.screens.intents import Intent
from coterie.screens.pages import Page, Prompt
from coterie.screens.rows import AnyRow, Header


class Place(StrEnum):
    """Which rows a signal is about."""

    TIMELINE = "timeline"
    LIST = "list"
    FOUND = "found"


class Reset(Quiet, frozen=True):
    """All rows are new. focus: the row that stands at the top of the timeline, None: show its end."""

    place: Place
    rows: tuple[AnyRow, ...]
    focus: str | None = None


class Insert(Quiet, frozen=True):
    """Rows stand before the row that had the index, or after the last: what is seen stays where it is."""

    place: Place
    index: int
    rows: tuple[AnyRow, ...]


class Append(Quiet, frozen=True):
    """New last rows; where the last row is seen, these are from now on."""

    place: Place
    rows: tuple[AnyRow, ...]


class Update(Quiet, frozen=True):
    """The row at the index changed; its key did not."""

    place: Place
    index: int
    row: AnyRow


class Remove(Quiet, frozen=True):
    place: Place
    index: int
    count: int


class HeaderShown(Quiet, frozen=True):
    header: Header


class StatusShown(Quiet, frozen=True):
    """The line about the connection; empty while it is live."""

    text: str


class ErrorShown(Quiet, frozen=True):
    """The line at the composer; empty takes it away. info: no error, only something to know."""

    text: str
    info: bool = False


class DraftShown(Quiet, frozen=True):
    """The composer now holds this text."""

    text: str


class TextReturned(Quiet, frozen=True):
    """What was to be said could not be: it stands in the composer again, before what was typed since."""

    text: str


class QuestionShown(Quiet, frozen=True):
    """Something is asked above the conversation until it is answered: about a device that came to this
    account, or whether to compare emoji with somebody; None takes it away. yes, no: what can be answered."""

    text: str
    detail: str
    yes: str = ""
    no: str = ""
    subject: DeviceId | UserName | None = None


class ReachEnd(msgspec.Struct, frozen=True):
    """The timeline shows its newest row."""


class ReachRow(msgspec.Struct, frozen=True):
    """The timeline brings the row of this key into view, and marks it for a moment."""

    key: str


class Scope(StrEnum):
    """Where is searched."""

    CLOSED = "closed"
    """Nothing is; the list shows every conversation."""
    NAMES = "names"
    """Conversations by their name, and below them messages of all."""
    HERE = "here"
    """Messages of one conversation."""
    EVERYWHERE = "everywhere"
    """Messages of all conversations."""


class SearchShown(Quiet, frozen=True):
    """Which search is open, and the line above what it found."""

    scope: Scope
    line: str


class PageShown(Quiet, frozen=True):
    """A page is put over the conversation, in the place of one that is there. problem: what did not work of
    what was asked there."""

    page: Page
    problem: str = ""


class PromptShown(Quiet, frozen=True):
    """Something is asked over the page; None: no more. problem: what was wrong with the answer before, which
    still stands there. busy: the answer is being carried out."""

    prompt: Prompt | None
    problem: str = ""
    busy: bool = False


class AccountLeft(msgspec.Struct, frozen=True):
    """The account has left this machine. wiped: nothing of it is here any more; else it can still be read."""

    wiped: bool


RowsChanged = Reset | Insert | Append | Update | Remove
Signal = (
    RowsChanged
    | HeaderShown
    | StatusShown
    | ErrorShown
    | DraftShown
    | TextReturned
    | ReachEnd
    | ReachRow
    | SearchShown
    | QuestionShown
    | PageShown
    | PromptShown
    | AccountLeft
)


class Signals(Quiet, frozen=True):
    """One batch: what to show, and what the SDK is to be asked (Presenter.perform)."""

    shown: tuple[Signal, ...] = ()
    intents: tuple[Intent, ...] = ()


class Batch:
    """Gathers signals in order; rows appended one by one become one signal."""

    def __init__(self) -> None:
        self._shown: list[Signal] = []
        self._intents: list[Intent] = []

    def show(self, signal: Signal) -> None:
        last = self._shown[-1] if self._shown else None
        if isinstance(signal, Append) and isinstance(last, Append) and signal.place is last.place:
            self._shown[-1] = Append(signal.place, last.rows + signal.rows)
        elif isinstance(signal, Reset):
            self._shown = [old for old in self._shown if getattr(old, "place", None) is not signal.place]
            self._shown.append(signal)
        else:
            self._shown.append(signal)

    def ask(self, intent: Intent) -> None:
        self._intents.append(intent)

    def signals(self) -> Signals:
        """What was gathered."""
        return Signals(tuple(self._shown), tuple(self._intents))

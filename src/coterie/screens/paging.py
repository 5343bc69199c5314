"""Which page is open: what happens goes to its board, what is answered to what asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coterie.base.codes import Code
from coterie.base.ids import ConversationId, DeviceId
from coterie.client.events import Event, Person
from coterie.screens.account_page import AccountBoard
from coterie.screens.board import Board
from coterie.screens.devices_page import DevicesBoard
from coterie.screens.frames_page import FramesBoard
from coterie.screens.intents import Intent
from coterie.screens.joining_page import JoiningBoard
from coterie.screens.known_people import KnownPeople
from coterie.screens.message_page import MessageBoard
from coterie.screens.moments import Calendar
from coterie.screens.page_intents import PageFact
from coterie.screens.pages import PageId
from coterie.screens.person_page import PersonBoard
from coterie.screens.prompting import Prompting
from coterie.screens.signals import Batch


class Paging:
    """One page at a time, and one question on it."""

    def __init__(self, people: KnownPeople, calendar: Calendar) -> None:
        self._prompting = Prompting()
        self._devices = DevicesBoard(self._prompting, calendar, self.open)
        self._person = PersonBoard(self._prompting, calendar)
        self._message = MessageBoard(calendar)
        self._account = AccountBoard(self._prompting, calendar)
        self._boards: Final[dict[PageId, Board]] = {
            PageId.SERVER_SEES: FramesBoard(people, calendar),
            PageId.DEVICES: self._devices,
            PageId.PERSON: self._person,
            PageId.ACCOUNT: self._account,
            PageId.MESSAGE: self._message,
            PageId.JOINING: JoiningBoard(self._prompting, self.open),
        }
        self._open: Board | None = None

    def open(self, page: PageId, batch: Batch) -> None:
        """Look at a page; it is shown once it was read."""
        self.close(batch)
        self._open = self._boards[page]
        self._open.open(batch)

    def open_person(self, person: Person, batch: Batch) -> None:
        """Look at what there is to know somebody by."""
        self._person.about(person)
        self.open(PageId.PERSON, batch)

    def open_message(self, conversation: ConversationId, order: int | None, batch: Batch) -> None:
        """Look at who has a message of one's own; order None: the newest of the conversation."""
        self._message.about(conversation, order)
        self.open(PageId.MESSAGE, batch)

    def deny(self, device: DeviceId, batch: Batch) -> None:
        """A device in question is not the person's: to the page of devices, and to what removing it asks."""
        self.open(PageId.DEVICES, batch)
        self._devices.deny(device)

    def keep_name(self, batch: Batch) -> None:
        """To the page of the account, and to what keeping its name asks."""
        self.open(PageId.ACCOUNT, batch)
        self._account.keep_name()

    def close(self, batch: Batch) -> None:
        """Nobody looks at a page any more."""
        board, self._open = self._open, None
        self._prompting.cancel(batch)
        if board is not None:
            board.close(batch)

    def happened(self, event: Event, batch: Batch) -> None:
        """Something that a page shows may have changed."""
        if self._open is not None:
            self._open.happened(event, batch)

    def read(self, fact: PageFact, batch: Batch) -> None:
        """What a page shows has come."""
        self._prompting.done(fact.asked, batch)
        if self._open is not None:
            self._open.read(fact, batch)

    def act(self, key: str, action: str, batch: Batch) -> None:
        """An action was chosen: of a row, or (key "") of the page."""
        if self._open is not None:
            self._open.act(key, action, batch)

    def answer(self, answer: Mapping[str, str], batch: Batch) -> None:
        """What was asked is answered."""
        self._prompting.answer(answer, batch)

    def cancel(self, batch: Batch) -> None:
        """Nothing is to be done after all."""
        self._prompting.cancel(batch)

    def done(self, intent: Intent, batch: Batch) -> None:
        """Something was carried out."""
        self._prompting.done(intent, batch)
        if self._open is not None:
            self._open.done(intent, batch)

    def failed(self, intent: Intent, code: Code, batch: Batch) -> None:
        """It was not: say why where it was asked."""
        if not self._prompting.failed(intent, code, batch) and self._open is not None:
            self._open.failed(intent, code, batch)

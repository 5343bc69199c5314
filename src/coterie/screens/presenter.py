"""The main screen without a toolkit: what happened and what a person does go in, what to show comes out.

    signals = presenter.take(event)           # an Event of me.events(), or a Fact of perform()
    signals = presenter.select(conversation)  # anything that a person does

A presenter never waits and is used by one thread, the screen's. What it wants from the SDK stands in
Signals.intents; the screen has each carried out where the SDK lives and gives back what comes of it:

    run(presenter.perform(intent), done=lambda fact: apply(presenter.take(fact)))

begin() asks for everything. Call me.events() before it, so that nothing falls between; events that come
before the answer wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import tzinfo
from typing import Any

from coterie.base.clock import Clock, SystemClock
from coterie.base.ids import ConversationId, DeviceId, MessageId, UserName
from coterie.client.events import Event
from coterie.screens import intents
from coterie.screens.asking import Answer
from coterie.screens.chat import Chat
from coterie.screens.intents import Fact, Intent, ReadAll
from coterie.screens.moments import Calendar
from coterie.screens.pages import PageId
from coterie.screens.paging import Paging
from coterie.screens.performing import Performer
from coterie.screens.port import ChatPort
from coterie.screens.rows import FoundRow, ListRow
from coterie.screens.signals import Batch, Scope, Signals


class Presenter:
    """One account's main screen. zone: where times are shown, None: the machine's."""

    def __init__(self, port: ChatPort, clock: Clock | None = None, zone: tzinfo | None = None) -> None:
        self._performer = Performer(port)
        self._clock = clock or SystemClock()
        self._calendar = Calendar(zone)
        self._chat: Chat | None = None
        self._early: list[Event] = []

    @property
    def selected(self) -> ConversationId | None:
        """The open conversation."""
        return None if self._chat is None else self._chat.selected

    @property
    def list_rows(self) -> tuple[ListRow, ...]:
        """The conversation list as it is shown now."""
        return () if self._chat is None else self._chat.list.rows

    @property
    def names_found(self) -> tuple[ListRow, ...]:
        """Conversations whose names are searched for."""
        chat = self._chat
        return () if chat is None or chat.searching.scope is not Scope.NAMES else chat.list.rows

    @property
    def found(self) -> FoundRow | None:
        """The chosen message of what a search found."""
        return None if self._chat is None else self._chat.searching.chosen

    def begin(self) -> Signals:
        """What a new screen needs first."""
        return Signals(intents=(ReadAll(),))

    def perform(self, intent: Intent) -> Coroutine[Any, Any, Fact]:
        """Carry out an intent, in the SDK's event loop; errors of coterie's come back as facts."""
        return self._performer.perform(intent)

    def take(self, happened: Event | Fact) -> Signals:
        """An event, or what came of an intent."""
        batch = Batch()
        chat = self._chat
        if isinstance(happened, Fact):
            if chat is not None:
                chat.fact(happened, batch)
            elif isinstance(happened, intents.Known):
                self._know(happened, batch)
        elif chat is None:
            self._early.append(happened)
        else:
            chat.event(happened, batch)
        return batch.signals()

    def select(self, conversation: ConversationId) -> Signals:
        """Open a conversation."""
        batch = Batch()
        if self._chat is not None:
            self._chat.select(conversation, batch)
        return batch.signals()

    def open_page(self, page: PageId) -> Signals:
        """Look at a page, over the conversation."""
        return self._paged(lambda paging, batch: paging.open(page, batch))

    def open_person(self) -> Signals:
        """Look at what there is to know the person of the open conversation by."""
        batch = Batch()
        if self._chat is not None:
            self._chat.open_person(batch)
        return batch.signals()

    def open_message(self, order: int | None) -> Signals:
        """Look at who has a message of one's own in the open conversation; None: the newest there."""
        batch = Batch()
        if self._chat is not None and self._chat.selected is not None:
            self._chat.paging.open_message(self._chat.selected, order, batch)
        return batch.signals()

    def act_on_page(self, key: str, action: str) -> Signals:
        """An action of a row of the open page was chosen, or (key "") of the page."""
        return self._paged(lambda paging, batch: paging.act(key, action, batch))

    def answer_prompt(self, answer: Mapping[str, str]) -> Signals:
        """What the page asks was answered: the values of its fields, by their names."""
        return self._paged(lambda paging, batch: paging.answer(answer, batch))

    def cancel_prompt(self) -> Signals:
        return self._paged(lambda paging, batch: paging.cancel(batch))

    def close_page(self) -> Signals:
        return self._paged(lambda paging, batch: paging.close(batch))

    def _paged(self, do: Callable[[Paging, Batch], None]) -> Signals:
        batch = Batch()
        if self._chat is not None:
            do(self._chat.paging, batch)
        return batch.signals()

    def step(self, by: int) -> Signals:
        """Open the conversation that stands so many rows below (above: negative) the open one."""
        rows = self.list_rows
        if not rows:
            return Signals()
        at = next((index for index, row in enumerate(rows) if row.selected), -1 if by > 0 else len(rows))
        return self.select(rows[min(max(at + by, 0), len(rows) - 1)].conversation)

    def next_unread(self) -> Signals:
        """Open the next conversation with something unread, going round."""
        rows = self.list_rows
        at = next((index for index, row in enumerate(rows) if row.selected), -1)
        around = [*rows[at + 1 :], *rows[: max(at, 0)]]
        unread = next((row for row in around if row.unread), None)
        return Signals() if unread is None else self.select(unread.conversation)

    def address(self, name: str) -> Signals:
        """A click on a person: open the conversation with them."""
        batch = Batch()
        if self._chat is not None:
            self._chat.address(name, batch)
        return batch.signals()

    def search(self, needle: str) -> Signals:
        """What stands in the search field: shows the conversations whose title contains it (empty: all).

        Messages are asked for by find(), once the person pauses.
        """
        batch = Batch()
        if self._chat is not None:
            self._chat.search(needle, batch)
        return batch.signals()

    def look(self, scope: Scope) -> Signals:
        """Search messages: HERE in the open conversation, EVERYWHERE in all."""
        batch = Batch()
        if self._chat is not None:
            self._chat.look(scope, batch)
        return batch.signals()

    def find(self) -> Signals:
        """Ask for the messages that hold what stands in the search field."""
        batch = Batch()
        if self._chat is not None:
            self._chat.searching.find(batch)
        return batch.signals()

    def step_found(self, by: int) -> Signals:
        """Choose the found message so many rows further down (up: negative)."""
        batch = Batch()
        if self._chat is not None:
            self._chat.searching.step(by, batch)
        return batch.signals()

    def show_found(self, key: str | None = None) -> Signals:
        """Go to the found message with this row key; None: to the chosen one."""
        batch = Batch()
        if self._chat is not None:
            if key is not None:
                self._chat.searching.choose(key, batch)
            self._chat.show_found(batch)
        return batch.signals()

    def reach_found_end(self) -> Signals:
        """The last row of what was found is nearly visible: page."""
        batch = Batch()
        if self._chat is not None:
            self._chat.searching.reach_end(batch)
        return batch.signals()

    def close_search(self) -> Signals:
        """Search no more."""
        batch = Batch()
        if self._chat is not None:
            self._chat.close_search(batch)
        return batch.signals()

    def answer_question(self, subject: DeviceId | UserName, answer: Answer) -> Signals:
        """What is asked above the conversation was answered."""
        batch = Batch()
        if self._chat is not None:
            self._chat.answer_question(subject, answer, batch)
        return batch.signals()

    def submit(self, text: str) -> Signals:
        """Say the text in the open conversation, or to whom it names with a leading @name."""
        batch = Batch()
        if self._chat is not None and self._chat.selected is not None:
            self._chat.composing.submit(self._chat.selected, text, batch)
        return batch.signals()

    def typed(self, text: str) -> Signals:
        """The composer of the open conversation holds this text now."""
        batch = Batch()
        if self._chat is not None and self._chat.selected is not None:
            self._chat.composing.typed(self._chat.selected, text, batch)
        return batch.signals()

    def save_draft(self) -> Signals:
        """The person paused, or the window closes: have the draft stored."""
        batch = Batch()
        if self._chat is not None and self._chat.selected is not None:
            self._chat.composing.save(self._chat.selected, batch)
        return batch.signals()

    def watch(self, watched: bool) -> Signals:
        """Whether the window has the focus and shows the newest row of the open conversation."""
        batch = Batch()
        if self._chat is not None:
            self._chat.watch(watched, batch)
        return batch.signals()

    def viewed(self, order: int) -> Signals:
        """The person looked at the open conversation up to the message of this order."""
        batch = Batch()
        if self._chat is not None:
            self._chat.viewed(order, batch)
        return batch.signals()

    def show_whole(self, key: str) -> Signals:
        """Show all of the message with this row key, however long it is."""
        batch = Batch()
        if self._chat is not None:
            self._chat.show_whole(MessageId(bytes.fromhex(key)), batch)
        return batch.signals()

    def reach_top(self) -> Signals:
        """The oldest loaded row is nearly visible: page."""
        batch = Batch()
        if self._chat is not None:
            self._chat.reach_top(batch)
        return batch.signals()

    def reach_bottom(self) -> Signals:
        """The last loaded row is nearly visible: page, where it is not the newest."""
        batch = Batch()
        if self._chat is not None:
            self._chat.reach_bottom(batch)
        return batch.signals()

    def newest(self) -> Signals:
        """Show the newest message of the open conversation."""
        batch = Batch()
        if self._chat is not None:
            self._chat.newest(batch)
        return batch.signals()

    def _know(self, known: intents.Known, batch: Batch) -> None:
        """Everything begins: the whole server's conversation is open."""
        self._chat = chat = Chat(known, self._calendar, self._clock)
        chat.know(known, batch)
        chat.select(known.everyone, batch)
        early, self._early = self._early, []
        for event in early:
            chat.event(event, batch)

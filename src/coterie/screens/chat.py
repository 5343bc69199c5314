"""The state behind a presenter once it is known who we are: routes what happened to whom it concerns."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, assert_never

from coterie.base.clock import Clock
from coterie.base.conversations import direct_id
from coterie.base.ids import ConversationId, DeviceId, MessageId, UserName
from coterie.client import events
from coterie.client.events import Conversation, LinkState, Message, Person
from coterie.screens import intents
from coterie.screens.asking import Answer, Asking
from coterie.screens.composing import Composing
from coterie.screens.header import direct_header, everyone_header
from coterie.screens.i18n import Text, link_line, say
from coterie.screens.known_people import KnownPeople
from coterie.screens.list_rows import ListRows
from coterie.screens.moments import Calendar
from coterie.screens.noticing import News, Noticing
from coterie.screens.open_timeline import OpenTimeline
from coterie.screens.page_intents import DevicesRead, PersonStep, StepWithPerson
from coterie.screens.paging import Paging
from coterie.screens.row_maker import MessageFormat
from coterie.screens.searching import Searching
from coterie.screens.signals import Batch, ErrorShown, HeaderShown, Place, Reset, Scope, StatusShown
from coterie.screens.verifying import Verifying, verifying_line

TIMELINES_MAX: Final = 8
"""Conversations whose rows are kept after another was opened."""


class Chat:
    """Everything that a screen shows of one account."""

    def __init__(self, known: intents.Known, calendar: Calendar, clock: Clock) -> None:
        self._account = known.account
        self._everyone = known.everyone
        self._people = KnownPeople()
        self._format = MessageFormat(known.name, self._people.is_name, calendar, clock)
        self._timelines: OrderedDict[ConversationId, OpenTimeline] = OrderedDict()
        self._noticing = Noticing(
            known.account, known.everyone, self._timelines, self._timeline, clock, calendar
        )
        self.list = ListRows(known.account, known.everyone, calendar, clock)
        self.composing = Composing(self.list)
        self.searching = Searching(self.list, calendar, clock)
        self._name = known.name
        self.asking = Asking(known.name, calendar)
        self.paging = Paging(self._people, calendar)
        self.watched = False
        """The window has the focus and shows the newest row of the selected conversation."""
        self.know(known, Batch())

    @property
    def selected(self) -> ConversationId | None:
        return self.list.selected

    def know(self, known: intents.Known, batch: Batch) -> None:
        """Take over who and what there is."""
        self._account = self.list.account = self._noticing.account = known.account
        for person in known.people:
            self._people.meet(person)
            self.list.person(person, None)
        for conversation in known.conversations:
            self.list.conversation(conversation, None)
        batch.show(Reset(Place.LIST, self.list.rows))
        self._show_link(events.LinkChanged(known.link), batch)
        self.asking.begin(known.questions, known.reset_at_ms, batch)
        self._show_header(batch)

    def event(self, event: events.Event, batch: Batch) -> None:
        """Something happened."""
        self._shown(event, batch)
        self.paging.happened(event, batch)

    def _shown(self, event: events.Event, batch: Batch) -> None:
        match event:
            case events.MessageArrived(message=message):
                timeline, to = self._timeline(message.conversation, batch)
                if timeline is not None:
                    timeline.arrived(message, self.watched, to)
            case events.MessageQueued(message=message):
                self._own(message, batch, queued=True)
            case events.MessageSent(message=message) | events.MessageDelivered(message=message):
                self._own(message, batch, queued=False)
            case events.ConversationChanged(conversation=conversation):
                self.list.conversation(conversation, batch)
                timeline, to = self._timeline(conversation.id, batch)
                if timeline is not None and to is not None:
                    timeline.mark(conversation, batch)
            case (
                events.PresenceChanged()
                | events.PersonAppeared()
                | events.DevicesChanged()
                | events.AccountDeleted()
            ):
                self._somebody(event, batch)
            case events.LinkChanged() | events.LedgerDoubted():
                self._show_link(event, batch)
            case events.SendingStuck(conversation=conversation_id, code=code):
                self.composing.trouble(conversation_id, code, self.selected, batch)
            case (
                events.BecameNewDevice()
                | events.IdentityReplaced()
                | events.MessagesMissing()
                | events.MessagesFetching()
                | events.OwnDeviceQuestion()
                | events.AccountChangeAnswered()
                | events.NameReset()
                | events.NotInLedger()
                | events.ServerRestored()
                | events.NameWentBack()
            ):
                self._warn(event, batch)
            case (
                events.DrainedBacklog()
                | events.VaultRenewed()
                | events.ApprovalHeard()
                | events.ApprovalsRefused()
            ):
                batch.ask(intents.ReadAll())
            case _:
                self._verifying(event, batch)

    def _warn(self, event: News, batch: Batch) -> None:
        match event:
            case events.NameReset():
                self._noticing.reset(event, batch)
                batch.ask(intents.ReadAll())
            case events.NotInLedger() | events.ServerRestored() | events.NameWentBack():
                self._noticing.server(event, batch)
            case events.AccountChangeAnswered():
                pass
            case events.BecameNewDevice() | events.IdentityReplaced():
                self._noticing.renewed(event, batch)
                batch.ask(intents.ReadAll())
            case events.MessagesMissing(conversation=conversation, name=name, count=count):
                self._noticing.missing(conversation, name, count, batch)
            case events.MessagesFetching():
                self._noticing.fetching(event, batch)
            case events.OwnDeviceQuestion(device=device):
                self.asking.add(device, batch)
            case _:
                assert_never(event)

    def fact(self, fact: intents.Fact, batch: Batch) -> None:
        """The SDK did what was asked, or could not."""
        match fact:
            case intents.Known():
                self.know(fact, batch)
            case intents.HistoryRead() | intents.AroundRead() | intents.LaterRead():
                self._rows(fact, batch)
            case intents.MessagesFound():
                self.searching.found(fact, batch)
            case intents.Said():
                self.composing.said(fact, self.selected, batch)
            case intents.Failed():
                self._failed(fact, batch)
            case intents.Done(asked=asked):
                self.paging.done(asked, batch)
            case _:
                if isinstance(fact, DevicesRead):
                    self.asking.know(fact.questions, batch)
                self.paging.read(fact, batch)

    def search(self, words: str, batch: Batch) -> None:
        """What stands in the search field now."""
        scope = self.searching.scope
        if scope in (Scope.CLOSED, Scope.NAMES):
            self.list.search(words, batch)
            wanted = Scope.NAMES if words.strip() else Scope.CLOSED
            if scope is not wanted:
                self.searching.open(wanted, None, batch)
        self.searching.words(words, batch)

    def look(self, scope: Scope, batch: Batch) -> None:
        """Search messages, of the open conversation or of all."""
        self.list.search("", batch)
        self.searching.open(scope, self.selected, batch)

    def close_search(self, batch: Batch) -> None:
        """Show all conversations again."""
        self.list.search("", batch)
        self.searching.close(batch)

    def show_found(self, batch: Batch) -> None:
        """Go to the message that is chosen in what was found."""
        row = self.searching.chosen
        if row is None or self.list.of(row.conversation) is None:
            return
        if row.conversation != self.selected:
            self.select(row.conversation, batch, row.order)
        else:
            self._timelines[row.conversation].seek(row.order, batch)

    def select(self, conversation: ConversationId, batch: Batch, order: int = 0) -> None:
        """Open a conversation, at the message of an order or (0) at its end or what is unread there.

        What stands in the composer of the one before is kept for it.
        """
        before = self.selected
        if before == conversation or self.list.of(conversation) is None:
            return
        if before is not None:
            self.composing.leave(before, batch)
        self.list.select(conversation, batch)
        timeline = self._timelines.get(conversation)
        if timeline is None:
            timeline = self._timelines[conversation] = OpenTimeline(conversation, self._format)
        self._timelines.move_to_end(conversation)
        while len(self._timelines) > TIMELINES_MAX:
            self._timelines.popitem(last=False)
        self._show_header(batch)
        timeline.open(self._about(conversation), batch, order)
        self._noticing.fill(timeline, batch)
        self.composing.show(conversation, batch)

    def address(self, name: str, batch: Batch) -> None:
        """Open the conversation with a person."""
        person = self._people.named(name)
        if person is not None:
            self.select(direct_id(self._account, person.account), batch)

    def answer_question(self, subject: DeviceId | UserName, answer: Answer, batch: Batch) -> None:
        """What is asked above the conversation was answered."""
        if isinstance(subject, bytes):
            if answer is Answer.YES:
                self.asking.settled(subject, batch)
                batch.ask(intents.ConfirmDevice(subject))
            else:
                self.paging.deny(subject, batch)
            return
        self.asking.settled(subject, batch)
        if subject == self._name:
            if answer is Answer.NO:
                self.paging.keep_name(batch)
            return
        person = self._people.named(subject)
        if answer is Answer.YES and person is not None:
            self.paging.open_person(person, batch)
        step = PersonStep.COMPARE if answer is Answer.YES else PersonStep.END
        batch.ask(StepWithPerson(subject, step))

    def open_person(self, batch: Batch) -> None:
        """Look at what there is to know the person of the selected conversation by."""
        known = None if self.selected is None else self.list.of(self.selected)
        person = None if known is None else known.person
        if person is None or person.me:
            batch.show(ErrorShown(say(Text.NOBODY_TO_VERIFY), info=True))
        else:
            self.paging.open_person(person, batch)

    def watch(self, watched: bool, batch: Batch) -> None:
        """Whether what arrives in the selected conversation is seen at once."""
        timeline = None if self.selected is None else self._timelines[self.selected]
        watched = watched and timeline is not None and timeline.rows.at_newest
        if watched != self.watched:
            self.watched = self.list.watched = watched
            if self.selected is not None:
                self.list.refresh(self.selected, batch)

    def viewed(self, order: int, batch: Batch) -> None:
        """The selected conversation was looked at up to this order."""
        if self.selected is not None:
            self._timelines[self.selected].viewed(order, self._about(self.selected), batch)

    def show_whole(self, message: MessageId, batch: Batch) -> None:
        """Cut a long message no longer."""
        self._format.show_whole(message)
        if self.selected is not None:
            self._timelines[self.selected].rows.refresh(message, batch)

    def reach_top(self, batch: Batch) -> None:
        if self.selected is not None:
            self._timelines[self.selected].reach_top(batch)

    def reach_bottom(self, batch: Batch) -> None:
        if self.selected is not None:
            self._timelines[self.selected].reach_bottom(batch)

    def newest(self, batch: Batch) -> None:
        """Show the end of the selected conversation."""
        if self.selected is not None:
            self._timelines[self.selected].newest(batch)

    def _about(self, conversation: ConversationId) -> Conversation | None:
        known = self.list.of(conversation)
        return None if known is None else known.conversation

    def _timeline(
        self, conversation: ConversationId, batch: Batch
    ) -> tuple[OpenTimeline | None, Batch | None]:
        """The rows of a conversation where they are kept, and whom to tell about them."""
        return self._timelines.get(conversation), batch if conversation == self.selected else None

    def _own(self, message: Message, batch: Batch, *, queued: bool) -> None:
        timeline, to = self._timeline(message.conversation, batch)
        if timeline is not None:
            if queued and to is not None:
                timeline.wrote(to)
                if not timeline.rows.at_newest:
                    timeline.newest(to)
            timeline.put(message, to)
        if not queued:
            self.composing.settled(message.conversation, self.selected, batch)

    def _rows(self, fact: intents.HistoryRead | intents.AroundRead | intents.LaterRead, batch: Batch) -> None:
        conversation = fact.asked.conversation
        timeline, to = self._timeline(conversation, batch)
        if timeline is not None:
            timeline.rows_came(fact, to)
            self._noticing.fill(timeline, to)
        if not isinstance(fact, intents.LaterRead):
            self._stored(conversation, fact.draft, batch)

    def _stored(self, conversation: ConversationId, draft: str, batch: Batch) -> None:
        """The draft as the store has it, which counts when a conversation is opened first."""
        if not self.composing.knows(conversation):
            self.composing.stored(conversation, draft)
            if conversation == self.selected:
                self.composing.show(conversation, batch)

    def _failed(self, fact: intents.Failed, batch: Batch) -> None:
        match fact.asked:
            case intents.SayText():
                self.composing.refused(fact, self.selected, batch)
            case intents.FindMessages() as asked:
                self.searching.failed(asked, fact.code, batch)
            case (
                intents.ReadHistory(conversation=conversation)
                | intents.ReadAround(conversation=conversation)
                | intents.ReadLater(conversation=conversation)
            ):
                if (timeline := self._timelines.get(conversation)) is not None:
                    timeline.failed()
                self.composing.trouble(conversation, fact.code, self.selected, batch)
            case intents.SaveDraft(conversation=conversation) | intents.SetRead(conversation=conversation):
                self.composing.trouble(conversation, fact.code, self.selected, batch)
            case intents.ReadAll() | intents.ConfirmDevice():
                batch.show(StatusShown(link_line(LinkState.STOPPED, fact.code)))
            case _:
                self.paging.failed(fact.asked, fact.code, batch)

    def _somebody(
        self,
        event: events.PresenceChanged | events.PersonAppeared | events.DevicesChanged | events.AccountDeleted,
        batch: Batch,
    ) -> None:
        before = self._people.of(event.person.account)
        self._changed(event.person, batch)
        match event:
            case events.AccountDeleted(person=person):
                self._noticing.deleted(person, batch)
            case events.PresenceChanged(person=person, initial=initial):
                self._noticing.presence(before, person, initial, batch)
            case events.DevicesChanged(person=person):
                self._noticing.devices(event, batch)
                if person.me:
                    batch.ask(intents.ReadAll())
            case events.PersonAppeared():
                pass
            case _:
                assert_never(event)

    def _changed(self, person: Person, batch: Batch) -> None:
        self._people.meet(person)
        self.list.person(person, batch)
        if self.selected in (self._everyone, direct_id(self._account, person.account)):
            self._show_header(batch)

    def _verifying(self, event: Verifying, batch: Batch) -> None:
        self._changed(event.person, batch)
        if isinstance(event, events.VerificationAsked):
            self.asking.invited(event.person.name, batch)
        else:
            self.asking.settled(event.person.name, batch)
        self._noticing.verifying(event.person, verifying_line(event), batch)

    def _show_link(self, event: events.LinkChanged | events.LedgerDoubted, batch: Batch) -> None:
        state = event.state if isinstance(event, events.LinkChanged) else LinkState.LIVE
        batch.show(StatusShown(link_line(state, event.code)))

    def _show_header(self, batch: Batch) -> None:
        selected = self.selected
        if selected is None:
            return
        if selected == self._everyone:
            batch.show(HeaderShown(everyone_header(self._people.online)))
            return
        known = self.list.of(selected)
        person = None if known is None else known.person
        batch.show(HeaderShown(direct_header(self.list.title(selected), person)))

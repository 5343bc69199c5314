"""Lines in the timelines about what happened: who connected, whose devices changed, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coterie.base.clock import Clock
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, ConversationId
from coterie.client import events
from coterie.client.events import (
    BecameNewDevice,
    DevicesChanged,
    Fetching,
    IdentityReplaced,
    MessagesFetching,
    NameReset,
    Person,
)
from coterie.screens.i18n import Text, fetching_line, missing_line, say
from coterie.screens.moments import Calendar
from coterie.screens.open_timeline import OpenTimeline
from coterie.screens.server_news import ServerNews, server_line
from coterie.screens.signals import Batch
from coterie.screens.timeline_rows import Notice
from coterie.screens.verifying import devices_line, reset_line

Find = Callable[[ConversationId, Batch], tuple[OpenTimeline | None, Batch | None]]
"""The rows of a conversation where they are kept, and whom to tell about them."""


News = (
    events.BecameNewDevice
    | events.IdentityReplaced
    | events.MessagesMissing
    | events.MessagesFetching
    | events.OwnDeviceQuestion
    | events.AccountChangeAnswered
    | events.NameReset
    | ServerNews
)
"""What a person has to be told of beside what is said."""


class Noticing:
    """Puts notices where they concern somebody."""

    def __init__(
        self,
        account: AccountId,
        everyone: ConversationId,
        opened: Iterable[ConversationId],
        find: Find,
        clock: Clock,
        calendar: Calendar,
    ) -> None:
        """opened: the conversations whose rows are kept, as they are when somebody looks."""
        self.account = account
        """As in ListRows."""
        self._everyone = everyone
        self._opened = opened
        self._find = find
        self._clock = clock
        self._calendar = calendar
        self._count = 0
        self._fetching: dict[ConversationId, tuple[Notice, ...]] = {}

    def presence(self, before: Person | None, person: Person, initial: bool, batch: Batch) -> None:
        """Somebody came or went; initial: it was so when this screen began."""
        was_online = before is not None and before.online
        if initial or person.me or was_online == person.online:
            return
        self._about(person, say(Text.CONNECTED if person.online else Text.LEFT, name=person.name), batch)

    def devices(self, event: DevicesChanged, batch: Batch) -> None:
        """Somebody's devices are others now."""
        person = event.person
        line = devices_line(person, event.by_recovery, event.published_ms, self._calendar)
        self._about(person, line, batch)

    def server(self, event: ServerNews, batch: Batch) -> None:
        """Something about the server that concerns everybody."""
        self._put(server_line(event, self._calendar), (self._everyone,), batch)

    def verifying(self, person: Person, text: str, batch: Batch) -> None:
        """How far it is with verifying somebody: for the conversation with them alone."""
        self._put(text, (direct_id(self.account, person.account),), batch)

    def deleted(self, person: Person, batch: Batch) -> None:
        """Somebody has deleted their account."""
        self._about(person, say(Text.ACCOUNT_DELETED, name=person.name), batch)

    def reset(self, event: NameReset, batch: Batch) -> None:
        """A name begins anew."""
        self._put(reset_line(event), (self._everyone,), batch)

    def missing(self, conversation: ConversationId, name: str, count: int, batch: Batch) -> None:
        """So many messages of somebody never came."""
        self._put(missing_line(name, count), (conversation,), batch)

    def fetching(self, event: MessagesFetching, batch: Batch) -> None:
        """What of a conversation is on its way again stands in its place."""
        self._fetching[event.conversation] = tuple(_place(each) for each in event.places)
        timeline, to = self._find(event.conversation, batch)
        if timeline is not None:
            self.fill(timeline, to)

    def fill(self, timeline: OpenTimeline, to: Batch | None) -> None:
        """The rows of a conversation are here now: what is on its way belongs among them."""
        timeline.rows.stand_in(self._fetching.get(timeline.id, ()), to)

    def renewed(self, event: BecameNewDevice | IdentityReplaced, batch: Batch) -> None:
        """This profile is another device from now on; of some messages nobody knows if they were sent."""
        for message in event.unsure:
            timeline, to = self._find(message.conversation, batch)
            if timeline is not None:
                timeline.put(message, to)
        copied = isinstance(event, BecameNewDevice)
        text = say(Text.BECAME_NEW_DEVICE if copied else Text.IDENTITY_REPLACED)
        self._put(text, tuple(self._opened), batch)

    def _about(self, person: Person, text: str, batch: Batch) -> None:
        self._put(text, (self._everyone, direct_id(self.account, person.account)), batch)

    def _put(self, text: str, where: tuple[ConversationId, ...], batch: Batch) -> None:
        self._count += 1
        notice = Notice(f"notice:{self._count}", text, self._clock.wall_ms())
        for conversation in where:
            timeline, to = self._find(conversation, batch)
            if timeline is not None:
                timeline.notice(notice, to)


def _place(fetching: Fetching) -> Notice:
    line = fetching_line(fetching.name, fetching.count)
    return Notice(f"fetching:{fetching.order}", line, fetching.since_ms, fetching.order)

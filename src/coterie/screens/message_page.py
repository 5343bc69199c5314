"""The page of one message that this account has written: which devices have it, and which do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coterie.base.ids import ConversationId, UserName
from coterie.client.events import (
    Delivery,
    DeliveryState,
    Event,
    Message,
    MessageDelivered,
    MessageSent,
    MessageState,
)
from coterie.screens.board import PlainBoard
from coterie.screens.cleaning import clean
from coterie.screens.moments import Calendar
from coterie.screens.page_intents import DeliveryRead, PageFact, ReadDelivery
from coterie.screens.page_texts import PageText
from coterie.screens.pages import Page, PageRow
from coterie.screens.signals import Batch

WORDS_SHOWN: Final = 80
"""Characters of the message that say which one it is."""
_STATES: Final = {
    DeliveryState.RECEIVED: PageText.HAS_IT,
    DeliveryState.UNDERWAY: PageText.ON_ITS_WAY,
    DeliveryState.LEFT_OUT: PageText.OWED,
}
_WITHOUT_DEVICES: Final = {
    MessageState.QUEUED: PageText.STILL_HERE,
    MessageState.UNSURE: PageText.PERHAPS_SENT,
}


class MessageBoard(PlainBoard):
    """Of one message at a time."""

    def __init__(self, calendar: Calendar) -> None:
        super().__init__()
        self._calendar = calendar
        self._wanted: ReadDelivery | None = None

    def about(self, conversation: ConversationId, order: int | None) -> None:
        """order: of the message; None: the newest one that this account wrote there."""
        self._wanted = ReadDelivery(conversation, order)

    def open(self, batch: Batch) -> None:
        if self._wanted is not None:
            batch.ask(self._wanted)

    def read(self, fact: PageFact, batch: Batch) -> None:
        if isinstance(fact, DeliveryRead) and fact.asked == self._wanted:
            self._show(message_page(fact.me, fact.message, fact.deliveries, self._calendar), batch)

    def act(self, key: str, action: str, batch: Batch) -> None:
        """Nothing can be done about it."""

    def happened(self, event: Event, batch: Batch) -> None:
        if isinstance(event, MessageSent | MessageDelivered):
            self.open(batch)


def message_page(
    me: UserName, message: Message | None, deliveries: Sequence[Delivery], calendar: Calendar
) -> Page:
    """message None: nothing was written there. Without deliveries nobody says who has it."""
    if message is None:
        return Page(PageText.WHO_HAS_IT.value, PageText.NOTHING_WRITTEN.value, ())
    words = " ".join(clean(message.text[: 2 * WORDS_SHOWN]).split())
    shown = words if len(words) <= WORDS_SHOWN else words[:WORDS_SHOWN].rstrip() + "\u2026"
    rows = [PageRow("message", shown, calendar.time(message.sent_at_ms), "", heading=True)]
    rows += [_row(each, me) for each in sorted(deliveries, key=lambda each: (each.name == me, each.name))]
    about = PageText.WHO_HAS_IT_ABOUT
    if not deliveries:
        about = _WITHOUT_DEVICES.get(message.state, PageText.NOBODY_SAYS)
    return Page(PageText.WHO_HAS_IT.value, about.value, tuple(rows))


def _row(delivery: Delivery, me: UserName) -> PageRow:
    device = " ".join(clean(delivery.device_name).split()) or PageText.UNNAMED.value
    whose = PageText.YOUR_DEVICE if delivery.name == me else PageText.THEIR_DEVICE
    name = whose.value.format(name=delivery.name, device=device)
    return PageRow(delivery.device.hex(), name, _STATES[delivery.state].value, "")

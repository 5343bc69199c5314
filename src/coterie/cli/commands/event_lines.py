"""An event as one line: a JSON object for scripts, a sentence for people."""

from __future__ import annotations

from typing import assert_never

from coterie.cli.chat_shapes import (
    DrainedShape,
    JoinedShape,
    LinkShape,
    PresenceShape,
    StuckShape,
    TrustShape,
    message_shape,
)
from coterie.cli.commands.message_lines import message_line
from coterie.cli.output import Output
from coterie.client.events import (
    ConversationChanged,
    DevicesChanged,
    DrainedBacklog,
    Event,
    LinkChanged,
    MessageArrived,
    MessageQueued,
    MessageSent,
    PersonAppeared,
    PresenceChanged,
    SendingStuck,
)
from coterie.screens.i18n import Text, link_line, refusal, say
from coterie.screens.moments import Calendar


class EventLines:
    """Prints events."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._calendar = Calendar()

    def show(self, event: Event) -> None:
        """Print one event, if it is one that a listener is told."""
        match event:
            case MessageArrived() | MessageSent():
                self._output.line(self.message(event))
            case PresenceChanged():
                self._presence(event)
            case PersonAppeared(person):
                joined = JoinedShape(event="joined", name=person.name, account_id=person.account.hex())
                self._output.show(joined, "")
            case DevicesChanged():
                self._devices(event)
            case LinkChanged(state, code):
                error = None if code is None else code.value
                self._output.show(
                    LinkShape(event="link", state=state.value, error=error), link_line(state, code)
                )
            case DrainedBacklog():
                self._output.show(DrainedShape(event="drained"), "")
            case SendingStuck(_, code):
                self._output.show(StuckShape(event="stuck", error=code.value), refusal(code))
            case ConversationChanged() | MessageQueued():
                pass
            case _:
                assert_never(event)

    def message(self, event: MessageArrived | MessageSent) -> str:
        """The line of a message, which is not printed yet."""
        kind = "message" if isinstance(event, MessageArrived) else "sent"
        sentence = message_line(event.message, self._calendar)
        return self._output.rendered(message_shape(event.message, kind), sentence)

    def _presence(self, event: PresenceChanged) -> None:
        person = event.person
        shape = PresenceShape(event="presence", name=person.name, online=person.online, initial=event.initial)
        notice = Text.CONNECTED if person.online else Text.LEFT
        due = not person.me and (person.online or not event.initial)
        self._output.show(shape, say(notice, name=person.name) if due else "")

    def _devices(self, event: DevicesChanged) -> None:
        person = event.person
        shape = TrustShape(event="trust", name=person.name, by_recovery=event.by_recovery)
        if person.me:
            text = Text.OWN_DEVICE_RECOVERED if event.by_recovery else Text.OWN_DEVICES_CHANGED
        else:
            text = Text.DEVICE_RECOVERED if event.by_recovery else Text.DEVICES_CHANGED
        self._output.show(shape, say(text, name=person.name))

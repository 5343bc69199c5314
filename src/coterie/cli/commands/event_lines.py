"""An event as one line: a JSON object for scripts, a sentence for people."""

from __future__ import annotations

from typing import assert_never

from coterie.cli.chat_shapes import (
    DrainedShape,
    JoinedShape,
    LinkShape,
    PresenceShape,
    RenewedShape,
    StuckShape,
    TrustShape,
    message_shape,
)
from coterie.cli.commands.message_lines import message_line
from coterie.cli.output import Output
from coterie.client.events import (
    BecameNewDevice,
    ConversationChanged,
    DevicesChanged,
    DrainedBacklog,
    Event,
    LinkChanged,
    Message,
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
    """Makes lines of events, to be printed as they come."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._calendar = Calendar()

    def line(self, event: Event) -> str:
        """The line of one event; "" where a listener is not told of it."""
        match event:
            case MessageArrived(message):
                return self._message(message, "message")
            case MessageSent(message):
                return self._message(message, "sent")
            case PresenceChanged():
                return self._presence(event)
            case PersonAppeared(person):
                joined = JoinedShape(event="joined", name=person.name, account_id=person.account.hex())
                return self._output.rendered(joined, "")
            case DevicesChanged():
                return self._devices(event)
            case LinkChanged(state, code):
                shape = LinkShape(event="link", state=state.value, error=None if code is None else code.value)
                return self._output.rendered(shape, link_line(state, code))
            case DrainedBacklog():
                return self._output.rendered(DrainedShape(event="drained"), "")
            case SendingStuck(_, code):
                return self._output.rendered(StuckShape(event="stuck", error=code.value), refusal(code))
            case BecameNewDevice(device):
                renewed = RenewedShape(event="renewed", device_id=device.hex())
                return self._output.rendered(renewed, say(Text.BECAME_NEW_DEVICE))
            case ConversationChanged() | MessageQueued():
                return ""
            case _:
                assert_never(event)

    def _message(self, message: Message, kind: str) -> str:
        return self._output.rendered(message_shape(message, kind), message_line(message, self._calendar))

    def _presence(self, event: PresenceChanged) -> str:
        person = event.person
        shape = PresenceShape(event="presence", name=person.name, online=person.online, initial=event.initial)
        notice = Text.CONNECTED if person.online else Text.LEFT
        due = not person.me and (person.online or not event.initial)
        return self._output.rendered(shape, say(notice, name=person.name) if due else "")

    def _devices(self, event: DevicesChanged) -> str:
        person = event.person
        shape = TrustShape(event="trust", name=person.name, by_recovery=event.by_recovery)
        if person.me:
            text = Text.OWN_DEVICE_RECOVERED if event.by_recovery else Text.OWN_DEVICES_CHANGED
        else:
            text = Text.DEVICE_RECOVERED if event.by_recovery else Text.DEVICES_CHANGED
        return self._output.rendered(shape, say(text, name=person.name))

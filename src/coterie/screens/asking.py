"""What is asked above the conversation: one thing at a time, until it is answered.

Was a device that came to this account one's own? Is it oneself who begins the account's name anew? Does one
want to compare emoji with somebody who asks?
"""

from __future__ import annotations

from enum import StrEnum

from coterie.base.ids import DeviceId, UserName
from coterie.client.events import Device
from coterie.screens.i18n import Text, say
from coterie.screens.moments import Calendar
from coterie.screens.signals import Batch, QuestionShown


class Answer(StrEnum):
    YES = "yes"
    NO = "no"


def device_line(device: Device, calendar: Calendar) -> str:
    """Which device is meant; its name is what the device says of itself."""
    day, time = calendar.day(device.created_ms), calendar.time(device.created_ms)
    name = device.name or Text.DEVICE_UNNAMED.value
    return say(Text.OWN_DEVICE_CAME, device=name, when=f"{day.isoformat()} {time}")


class Asking:
    """The own name, then devices in question, then people who ask; the first of them is shown."""

    def __init__(self, name: UserName, calendar: Calendar) -> None:
        """name: the account's own."""
        self._name = name
        self._calendar = calendar
        self._resets = False
        self._devices: dict[DeviceId, Device] = {}
        self._people: dict[UserName, None] = {}
        self._shown = QuestionShown("", "")

    def begin(self, devices: tuple[Device, ...], reset_at_ms: int | None, batch: Batch) -> None:
        """All devices that are in question now, and when the own name begins anew; what was asked before is
        asked again."""
        self._resets = reset_at_ms is not None
        self._devices = {each.id: each for each in devices}
        if self._first().subject is not None:
            self._shown = QuestionShown("", "")
        self._show(batch)

    def know(self, devices: tuple[Device, ...], batch: Batch) -> None:
        """All devices that are in question now."""
        self._devices = {each.id: each for each in devices}
        self._show(batch)

    def add(self, device: Device, batch: Batch) -> None:
        self._devices[device.id] = device
        self._show(batch)

    def invited(self, name: UserName, batch: Batch) -> None:
        """Somebody wants to compare emoji."""
        self._people[name] = None
        self._show(batch)

    def settled(self, subject: DeviceId | UserName, batch: Batch) -> None:
        """About this nothing is asked any more."""
        self._devices = {key: each for key, each in self._devices.items() if key != subject}
        self._people = {name: None for name in self._people if name != subject}
        self._resets = self._resets and subject != self._name
        self._show(batch)

    def _show(self, batch: Batch) -> None:
        question = self._first()
        if question != self._shown:
            self._shown = question
            batch.show(question)

    def _first(self) -> QuestionShown:
        if self._resets:
            yes, no = Text.THAT_WAS_ME.value, Text.KEEP_NAME.value
            text, about = Text.OWN_RESET_ASKED.value, Text.OWN_RESET_ABOUT.value
            return QuestionShown(text, about, yes, no, self._name)
        for device in self._devices.values():
            yes, no = Text.YES_THAT_WAS_ME.value, Text.NO_THAT_WAS_NOT_ME.value
            line = device_line(device, self._calendar)
            return QuestionShown(Text.OWN_DEVICE_ASKED.value, line, yes, no, device.id)
        for name in self._people:
            yes, no = Text.COMPARE_NOW.value, Text.NOT_NOW.value
            text, about = say(Text.VERIFY_ASKED, name=name), Text.COMPARE_ABOUT.value
            return QuestionShown(text, about, yes, no, name)
        return QuestionShown("", "")

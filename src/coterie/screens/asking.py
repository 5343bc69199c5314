"""The question about a device that came to one's own account: one at a time, until it is answered."""

from __future__ import annotations

from coterie.base.ids import DeviceId
from coterie.client.events import Device
from coterie.screens.i18n import Text, say
from coterie.screens.intents import ConfirmDevice
from coterie.screens.moments import Calendar
from coterie.screens.signals import Batch, QuestionShown


def device_line(device: Device, calendar: Calendar) -> str:
    """Which device is meant; its name is what the device says of itself."""
    day, time = calendar.day(device.created_ms), calendar.time(device.created_ms)
    name = device.name or Text.DEVICE_UNNAMED.value
    return say(Text.OWN_DEVICE_CAME, device=name, when=f"{day.isoformat()} {time}")


class Asking:
    """Devices in question, the first of which is shown."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._devices: dict[DeviceId, Device] = {}
        self._shown: DeviceId | None = None

    def know(self, devices: tuple[Device, ...], batch: Batch) -> None:
        """All that are in question now."""
        self._devices = {each.id: each for each in devices}
        if devices:
            self._shown = None
        self._show(batch)

    def add(self, device: Device, batch: Batch) -> None:
        self._devices[device.id] = device
        self._show(batch)

    def confirm(self, device: DeviceId, batch: Batch) -> None:
        """The person said that this one is theirs."""
        self._devices.pop(device, None)
        batch.ask(ConfirmDevice(device))
        self._show(batch)

    def _show(self, batch: Batch) -> None:
        first = next(iter(self._devices.values()), None)
        if (first.id if first else None) == self._shown:
            return
        self._shown = first.id if first else None
        if first is None:
            batch.show(QuestionShown("", "", None))
            return
        batch.show(QuestionShown(Text.OWN_DEVICE_ASKED.value, device_line(first, self._calendar), first.id))

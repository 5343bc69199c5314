"""Which page is open, what is asked on it, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.client.events import Device
from coterie.screens.devices_page import DeviceAction, device_intent, device_prompt, devices_page
from coterie.screens.form_texts import FormText, refusal_text
from coterie.screens.frames_page import frames_page
from coterie.screens.intents import (
    ChangeDevice,
    ConfirmDevice,
    DevicesRead,
    FramesRead,
    Intent,
    ReadDevices,
    ReadFrames,
)
from coterie.screens.known_people import KnownPeople
from coterie.screens.moments import Calendar
from coterie.screens.page_texts import PAGE_REFUSALS
from coterie.screens.pages import Page, PageId, Prompt
from coterie.screens.signals import Batch, PageShown, PromptShown

_READS: Final[dict[PageId, Intent]] = {
    PageId.SERVER_SEES: ReadFrames(),
    PageId.DEVICES: ReadDevices(),
}


class Paging:
    """One page at a time, and one question on it."""

    def __init__(self, people: KnownPeople, calendar: Calendar) -> None:
        self._people = people
        self._calendar = calendar
        self._open: PageId | None = None
        self._devices: dict[str, Device] = {}
        self._asking: tuple[DeviceAction, Device] | None = None
        self._prompt: Prompt | None = None
        self._denied = ""
        """Key of a device whose removal is asked about once the page has come."""

    def open(self, page: PageId, batch: Batch) -> None:
        """Look at a page; it is shown once it was read."""
        self._open = page
        batch.ask(_READS[page])

    def deny(self, device: DeviceId, batch: Batch) -> None:
        """A device in question is not the person's: to the page of devices, and to what removing it asks."""
        self._denied = device.hex()
        self.open(PageId.DEVICES, batch)

    def close(self) -> None:
        """Nobody looks at a page any more."""
        self._open = self._asking = self._prompt = None
        self._denied = ""

    def refresh(self, batch: Batch) -> None:
        """Something that a page shows may have changed."""
        if self._open is PageId.DEVICES:
            batch.ask(_READS[PageId.DEVICES])

    def read(self, fact: FramesRead | DevicesRead, batch: Batch) -> None:
        """What a page shows has come."""
        match fact:
            case FramesRead(sent=sent) if self._open is PageId.SERVER_SEES:
                self._show(frames_page(sent, self._people.names, self._calendar), batch)
            case DevicesRead() if self._open is PageId.DEVICES:
                self._devices = {each.id.hex(): each for each in fact.devices}
                asked = frozenset(each.id for each in fact.questions)
                self._show(devices_page(fact.devices, asked, fact.renewal_due, self._calendar), batch)
                denied, self._denied = self._denied, ""
                self.act(denied, DeviceAction.DENY.value, batch)
            case FramesRead() | DevicesRead():
                pass
            case _:
                assert_never(fact)

    def act(self, key: str, action: str, batch: Batch) -> None:
        """An action of a row was chosen."""
        device = self._devices.get(key)
        if self._open is not PageId.DEVICES or device is None:
            return
        wanted = DeviceAction(action)
        if wanted is DeviceAction.CONFIRM:
            batch.ask(ConfirmDevice(device.id))
            return
        self._asking = (wanted, device)
        self._prompt = device_prompt(wanted, device)
        batch.show(PromptShown(self._prompt))

    def answer(self, answer: Mapping[str, str], batch: Batch) -> None:
        """What was asked is answered."""
        if self._asking is None or self._prompt is None:
            return
        if any(not answer.get(field.name, "").strip() for field in self._prompt.fields):
            batch.show(PromptShown(self._prompt, FormText.ALL_REQUIRED.value))
            return
        action, device = self._asking
        batch.show(PromptShown(self._prompt, busy=True))
        batch.ask(device_intent(action, DeviceId(device.id), dict(answer)))

    def cancel(self, batch: Batch) -> None:
        """Nothing is to be done after all."""
        self._asking = self._prompt = None
        batch.show(PromptShown(None))

    def done(self, intent: Intent, batch: Batch) -> None:
        """Something was carried out."""
        if isinstance(intent, ChangeDevice) and self._prompt is not None:
            self.cancel(batch)
        if isinstance(intent, ChangeDevice | ConfirmDevice):
            self.refresh(batch)

    def failed(self, code: Code, batch: Batch) -> None:
        """It was not: say why where it was asked."""
        if self._prompt is not None:
            batch.show(PromptShown(self._prompt, PAGE_REFUSALS.get(code) or refusal_text(code)))

    def _show(self, page: Page, batch: Batch) -> None:
        batch.show(PageShown(page))

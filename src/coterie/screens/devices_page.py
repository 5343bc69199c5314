"""The page of one's own devices: what each is called, since when, and how to rename or remove it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from coterie.base.ids import DeviceId
from coterie.client.events import Device, DevicesChanged, Event, OwnDeviceQuestion
from coterie.screens.board import PlainBoard
from coterie.screens.i18n import SEPARATOR
from coterie.screens.intents import ConfirmDevice, Intent
from coterie.screens.moments import Calendar
from coterie.screens.page_intents import ChangeDevice, DeviceChange, DevicesRead, PageFact, ReadDevices
from coterie.screens.page_texts import PageText
from coterie.screens.pages import Page, PageAction, PageId, PageRow, Prompt, PromptField
from coterie.screens.prompting import Answer, Prompting
from coterie.screens.signals import Batch

NAME: Final = "name"
SECRET: Final = "secret"


class DeviceAction(StrEnum):
    CONFIRM = "confirm"
    DENY = "deny"
    RENAME = "rename"
    REVOKE = "revoke"
    LOSE = "lose"
    UNMARK = "unmark"
    ADD = "add"
    """Of the page: look for a device that wants to join."""


_LABELS: Final = {
    DeviceAction.CONFIRM: PageText.THAT_WAS_ME,
    DeviceAction.DENY: PageText.THAT_WAS_NOT_ME,
    DeviceAction.RENAME: PageText.RENAME,
    DeviceAction.REVOKE: PageText.REMOVE,
    DeviceAction.LOSE: PageText.LOST,
    DeviceAction.UNMARK: PageText.UNMARK,
    DeviceAction.ADD: PageText.ADD_DEVICE,
}
_ABOUT: Final = {
    DeviceAction.RENAME: PageText.RENAME_ABOUT,
    DeviceAction.REVOKE: PageText.REMOVE_ABOUT,
    DeviceAction.LOSE: PageText.LOST_ABOUT,
    DeviceAction.DENY: PageText.DENY_ABOUT,
    DeviceAction.UNMARK: PageText.UNMARK_ABOUT,
}
_CHANGES: Final = {
    DeviceAction.RENAME: DeviceChange.RENAME,
    DeviceAction.REVOKE: DeviceChange.REVOKE,
    DeviceAction.LOSE: DeviceChange.LOSE,
    DeviceAction.DENY: DeviceChange.DENY,
    DeviceAction.UNMARK: DeviceChange.UNMARK,
}


class DevicesBoard(PlainBoard):
    """elsewhere: opens another page."""

    def __init__(
        self, prompting: Prompting, calendar: Calendar, elsewhere: Callable[[PageId, Batch], None]
    ) -> None:
        super().__init__()
        self._prompting = prompting
        self._calendar = calendar
        self._elsewhere = elsewhere
        self._devices: dict[str, Device] = {}
        self._denied = ""
        """Key of a device whose removal is asked about once the page has come."""

    def open(self, batch: Batch) -> None:
        batch.ask(ReadDevices())

    def close(self, batch: Batch) -> None:
        super().close(batch)
        self._devices.clear()
        self._denied = ""

    def deny(self, device: DeviceId) -> None:
        """Once the page has come, ask for what removing this device takes."""
        self._denied = device.hex()

    def read(self, fact: PageFact, batch: Batch) -> None:
        if not isinstance(fact, DevicesRead):
            return
        self._devices = {each.id.hex(): each for each in fact.devices}
        asked = frozenset(each.id for each in fact.questions)
        self._show(devices_page(fact.devices, asked, fact.renewal_due, self._calendar), batch)
        denied, self._denied = self._denied, ""
        self.act(denied, DeviceAction.DENY.value, batch)

    def act(self, key: str, action: str, batch: Batch) -> None:
        wanted, device = DeviceAction(action), self._devices.get(key)
        if wanted is DeviceAction.ADD:
            self._elsewhere(PageId.JOINING, batch)
        elif device is None:
            return
        elif wanted is DeviceAction.CONFIRM:
            batch.ask(ConfirmDevice(device.id))
        else:
            asked = device.id
            prompt = device_prompt(wanted, device)
            self._prompting.ask(prompt, lambda answer, _: device_intent(wanted, asked, answer), batch)

    def happened(self, event: Event, batch: Batch) -> None:
        if isinstance(event, DevicesChanged | OwnDeviceQuestion):
            self.open(batch)

    def done(self, intent: Intent, batch: Batch) -> None:
        if isinstance(intent, ChangeDevice | ConfirmDevice):
            self.open(batch)


def devices_page(
    devices: tuple[Device, ...], asked: frozenset[DeviceId], renewal_due: bool, calendar: Calendar
) -> Page:
    """Live devices first, in the order in which they came. asked: those about which nobody has answered."""
    live = [_row(each, each.id in asked, calendar) for each in devices if not each.revoked]
    gone = [_row(each, False, calendar) for each in devices if each.revoked]
    rows = [PageRow("live", PageText.LIVE.value, str(len(live)), "", heading=True), *live]
    if gone:
        rows += [PageRow("gone", PageText.GONE.value, str(len(gone)), "", heading=True), *gone]
    about = PageText.LOSS_ABOUT.value if renewal_due else PageText.DEVICES_ABOUT.value
    add = PageAction(DeviceAction.ADD.value, _LABELS[DeviceAction.ADD].value)
    return Page(PageText.DEVICES.value, about, tuple(rows), (add,))


def _row(device: Device, asked: bool, calendar: Calendar) -> PageRow:
    since = PageText.SINCE.value.format(
        day=calendar.day(device.created_ms).isoformat(), time=calendar.time(device.created_ms)
    )
    value = SEPARATOR.join([PageText.THIS_DEVICE.value, since]) if device.this else since
    recovered = device.marked or device.approved_by_recovery
    note = PageText.ASKED if asked else PageText.BY_RECOVERY if recovered else None
    return PageRow(
        device.id.hex(),
        device.name or PageText.UNNAMED.value,
        value,
        note.value if note else "",
        actions=() if device.revoked else tuple(_actions(device, asked)),
    )


def _actions(device: Device, asked: bool) -> list[PageAction]:
    wanted = [DeviceAction.CONFIRM, DeviceAction.DENY] if asked else []
    wanted.append(DeviceAction.RENAME)
    if not device.this:
        wanted += [DeviceAction.REVOKE, DeviceAction.LOSE]
        if device.marked:
            wanted.append(DeviceAction.UNMARK)
    return [PageAction(each.value, _LABELS[each].value) for each in wanted]


def device_prompt(action: DeviceAction, device: Device) -> Prompt:
    """What is asked before: every change is signed."""
    called = device.name or PageText.UNNAMED.value
    name = (PromptField(NAME, PageText.DEVICE_NAME.value, value=device.name),)
    secret = PromptField(SECRET, PageText.PASSWORD.value, secret=True)
    fields = (*(name if action is DeviceAction.RENAME else ()), secret)
    label = _LABELS[action].value
    return Prompt(f"{label}: {called}", _ABOUT[action].value, fields, label)


def device_intent(action: DeviceAction, device: DeviceId, answer: Answer) -> ChangeDevice:
    """What the answer to a prompt asks for."""
    return ChangeDevice(_CHANGES[action], device, answer.get(NAME, ""), answer.get(SECRET, ""))

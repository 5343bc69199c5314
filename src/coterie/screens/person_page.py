"""The page to know somebody by: safety number, code, emoji, and what waits for the person's word."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from coterie.base.codes import Code
from coterie.base.ids import DeviceId, UserName
from coterie.client.events import (
    Comparison,
    ComparisonStep,
    ContactDeviceQuestion,
    Device,
    DevicesChanged,
    EmojiToCompare,
    Event,
    IdentityChanged,
    Person,
    VerificationAsked,
    VerificationEnded,
    Verified,
)
from coterie.screens.asking import device_line
from coterie.screens.board import PlainBoard
from coterie.screens.i18n import Text
from coterie.screens.intents import Intent
from coterie.screens.moments import Calendar
from coterie.screens.page_intents import (
    CheckShown,
    ConfirmContactDevice,
    PageFact,
    PersonRead,
    PersonStep,
    ReadPerson,
    StepWithPerson,
)
from coterie.screens.page_texts import PageText
from coterie.screens.pages import EmojiRow, Page, PageAction, PageRow, Prompt, PromptField, QrCode
from coterie.screens.prompting import Prompting
from coterie.screens.signals import Batch, PageShown
from coterie.screens.verifying import identity_line, verifying_line

SHOWN: Final = "shown"
QUEUED_KEY: Final = "queued"


class PersonAction(StrEnum):
    """What needs a question first, or is about a device; all else is a PersonStep."""

    CHECK = "check"
    CONFIRM = "confirm"


_LABELS: Final = {
    PersonStep.COMPARE: PageText.COMPARE,
    PersonStep.SAME: PageText.SAME_EMOJI,
    PersonStep.DIFFERENT: PageText.DIFFERENT_EMOJI,
    PersonStep.END: PageText.END_COMPARING,
    PersonStep.MARK: PageText.SAME_NUMBER,
    PersonStep.FORGET: PageText.FORGET,
    PersonStep.GO_ON: PageText.GO_ON,
    PersonStep.SEND_QUEUED: PageText.SEND_QUEUED,
    PersonStep.DROP_QUEUED: PageText.DROP_QUEUED,
    PersonAction.CHECK: PageText.CHECK,
    PersonAction.CONFIRM: PageText.CONFIRM_CONTACT,
}
_ASKED_FIRST: Final = {
    PersonStep.MARK: PageText.SAME_NUMBER_ABOUT,
    PersonStep.FORGET: PageText.FORGET_ABOUT,
    PersonStep.GO_ON: PageText.GO_ON_ABOUT,
}
_COMPARING: Final[dict[ComparisonStep, tuple[Text | PageText, tuple[PersonStep, ...]]]] = {
    ComparisonStep.ASKED: (Text.VERIFY_WAITING, (PersonStep.END,)),
    ComparisonStep.INVITED: (Text.VERIFY_ASKED, (PersonStep.COMPARE, PersonStep.END)),
    ComparisonStep.ANSWERED: (Text.VERIFY_WAITING, (PersonStep.END,)),
    ComparisonStep.COMPARING: (PageText.EMOJI_QUESTION, (PersonStep.SAME, PersonStep.DIFFERENT)),
    ComparisonStep.SAID_YES: (Text.VERIFY_THEIR_WORD, (PersonStep.END,)),
}
"""What the page is about while emoji are compared, and what can be said."""


class PersonBoard(PlainBoard):
    """One person at a time, read again whenever something happens to them."""

    def __init__(self, prompting: Prompting, calendar: Calendar) -> None:
        super().__init__()
        self._prompting = prompting
        self._calendar = calendar
        self._name = UserName("")
        self._problem = ""

    def about(self, person: Person) -> None:
        """Whom the page is about when it is opened."""
        self._name = person.name
        self._problem = ""

    def open(self, batch: Batch) -> None:
        batch.ask(ReadPerson(self._name))

    def read(self, fact: PageFact, batch: Batch) -> None:
        if isinstance(fact, PersonRead) and fact.person.name == self._name:
            self._page = person_page(fact, self._calendar)
            batch.show(PageShown(self._page, self._problem))

    def act(self, key: str, action: str, batch: Batch) -> None:
        if action == PersonAction.CONFIRM:
            batch.ask(ConfirmContactDevice(self._name, DeviceId(bytes.fromhex(key))))
        elif action == PersonAction.CHECK:
            self._check(batch)
        else:
            self._step(PersonStep(action), batch)

    def happened(self, event: Event, batch: Batch) -> None:
        match event:
            case (
                Verified(person=person)
                | VerificationAsked(person=person)
                | EmojiToCompare(person=person)
                | VerificationEnded(person=person)
                | ContactDeviceQuestion(person=person)
                | IdentityChanged(person=person)
                | DevicesChanged(person=person)
            ) if person.name == self._name:
                self._problem = verifying_line(event) if isinstance(event, VerificationEnded) else ""
                self.open(batch)
            case _:
                pass

    def done(self, intent: Intent, batch: Batch) -> None:
        if isinstance(intent, StepWithPerson | CheckShown | ConfirmContactDevice):
            self._problem = ""
            self.open(batch)

    def _step(self, step: PersonStep, batch: Batch) -> None:
        wanted = StepWithPerson(self._name, step)
        about = _ASKED_FIRST.get(step)
        if about is None:
            batch.ask(wanted)
            return
        label = _LABELS[step].value
        prompt = Prompt(label, about.format(name=self._name), (), label)
        self._prompting.ask(prompt, lambda _, __: wanted, batch)

    def _check(self, batch: Batch) -> None:
        label, name = PageText.CHECK.value, self._name
        field = PromptField(SHOWN, PageText.SHOWN_THERE.value)
        prompt = Prompt(label, PageText.CHECK_ABOUT.format(name=name), (field,), label)
        refusals = {Code.USAGE: PageText.NO_NUMBER.value}
        self._prompting.ask(prompt, lambda answer, _: CheckShown(name, answer[SHOWN]), batch, refusals)


def person_page(read: PersonRead, calendar: Calendar) -> Page:
    """What is known of somebody, and what can be done to know more."""
    person, name = read.person, read.person.name
    same = PageText.SAFETY_NUMBER_NOTE.format(name=name)
    rows = [
        PageRow("number", PageText.SAFETY_NUMBER.value, read.number, same),
        PageRow("code", PageText.SAFETY_CODE.value, read.code, ""),
        PageRow("account", PageText.ACCOUNT_ID.value, person.account.hex(), PageText.ACCOUNT_ID_NOTE.value),
        *_devices(read, calendar),
        *_queued(read),
    ]
    title = PageText.PERSON.format(name=name)
    if read.comparison is not None:
        return _comparing(title, name, read.comparison, rows)
    wanted: list[PersonStep | PersonAction] = [PersonStep.COMPARE, PersonAction.CHECK, PersonStep.MARK]
    if read.change is not None and not read.change.was_verified:
        wanted.append(PersonStep.GO_ON)
    if person.verified:
        wanted.append(PersonStep.FORGET)
    return Page(title, _about(read, calendar), tuple(rows), _actions(*wanted), QrCode(read.code))


def _about(read: PersonRead, calendar: Calendar) -> str:
    """How it stands with somebody; of a new identity, what the ledger supports."""
    change, name = read.change, read.person.name
    if change is None:
        known = PageText.PERSON_VERIFIED if read.person.verified else PageText.PERSON_ABOUT
        return known.format(name=name)
    what = PageText.PERSON_CHANGED_VERIFIED if change.was_verified else PageText.PERSON_CHANGED
    return what.format(ledger=identity_line(name, change.changed_ms, change.by, calendar))


def _comparing(title: str, name: str, comparison: Comparison, rows: list[PageRow]) -> Page:
    about, steps = _COMPARING[comparison.step]
    figure = EmojiRow(comparison.emoji) if comparison.emoji else None
    return Page(title, about.format(name=name), tuple(rows), _actions(*steps), figure)


def _devices(read: PersonRead, calendar: Calendar) -> list[PageRow]:
    if not read.questions:
        return []
    note = PageText.CONTACT_DEVICE_NOTE.format(name=read.person.name)
    count = str(len(read.questions))
    head = PageRow("devices", PageText.CONTACT_DEVICES.value, count, "", heading=True)
    return [head, *(_device(each, note, calendar) for each in read.questions)]


def _device(device: Device, note: str, calendar: Calendar) -> PageRow:
    name, line = device.name or PageText.UNNAMED.value, device_line(device, calendar)
    return PageRow(device.id.hex(), name, line, note, actions=_actions(PersonAction.CONFIRM))


def _queued(read: PersonRead) -> list[PageRow]:
    if not read.queued:
        return []
    actions = () if read.person.changed else _actions(PersonStep.SEND_QUEUED)
    actions += _actions(PersonStep.DROP_QUEUED)
    head = PageRow(
        QUEUED_KEY, PageText.QUEUED.value, str(len(read.queued)), "", heading=True, actions=actions
    )
    return [head, *(PageRow(each.id.hex(), Text.YOU.value, each.text, "") for each in read.queued)]


def _actions(*wanted: PersonStep | PersonAction) -> tuple[PageAction, ...]:
    return tuple(PageAction(each.value, _LABELS[each].value) for each in wanted)

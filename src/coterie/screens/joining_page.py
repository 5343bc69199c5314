"""The page that lets a new device in: by the code that it shows, or by seven emoji on both."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.screens.board import PlainBoard
from coterie.screens.intents import Intent
from coterie.screens.page_intents import (
    ApproveJoiner,
    CompareWithJoiner,
    DeclineJoiner,
    JoinerCame,
    JoinerCompares,
    LookForJoiners,
    NextJoiner,
    PageFact,
    StopLooking,
)
from coterie.screens.page_texts import PageText
from coterie.screens.pages import EmojiRow, Page, PageAction, PageId, PageRow, Prompt, PromptField
from coterie.screens.prompting import Answer, Prompting, page_refusal
from coterie.screens.signals import Batch, PageShown

CODE: Final = "code"
SECRET: Final = "secret"


class JoiningAction(StrEnum):
    ENTER_CODE = "enter-code"
    COMPARE = "compare"
    DECLINE = "decline"
    SAME = "same"
    DIFFERENT = "different"
    LOOK_AGAIN = "look-again"


_LABELS: Final = {
    JoiningAction.ENTER_CODE: PageText.ENTER_CODE,
    JoiningAction.COMPARE: PageText.COMPARE_JOINER,
    JoiningAction.DECLINE: PageText.DECLINE_JOINER,
    JoiningAction.SAME: PageText.SAME_EMOJI,
    JoiningAction.DIFFERENT: PageText.DIFFERENT_EMOJI,
    JoiningAction.LOOK_AGAIN: PageText.LOOK_AGAIN,
}


_NO_CODE: Final = {Code.USAGE: PageText.NO_CODE.value}


class JoiningBoard(PlainBoard):
    """Looks for devices as long as somebody looks at the page. elsewhere: opens another page."""

    def __init__(self, prompting: Prompting, elsewhere: Callable[[PageId, Batch], None]) -> None:
        super().__init__()
        self._prompting = prompting
        self._elsewhere = elsewhere
        self._names: dict[DeviceId, str] = {}
        """What those call themselves that want to join."""
        self._compared: DeviceId | None = None
        self._look = LookForJoiners(0, "")

    def open(self, batch: Batch) -> None:
        self._begin("", batch)
        self._list(batch)

    def close(self, batch: Batch) -> None:
        super().close(batch)
        batch.ask(StopLooking())

    def read(self, fact: PageFact, batch: Batch) -> None:
        match fact:
            case JoinerCame(asked=asked, device=device, name=name) if asked.number == self._look.number:
                self._names[device] = name or PageText.UNNAMED.value
                if self._look.code:
                    self._let_in(device, batch)
                    return
                if self._compared is None:
                    self._list(batch)
                batch.ask(asked)
            case JoinerCompares(asked=asked, emoji=emoji) if asked.device == self._compared:
                about = PageText.JOINER_EMOJI.format(device=self._names[asked.device])
                actions = _actions(JoiningAction.SAME, JoiningAction.DIFFERENT)
                self._show(Page(PageText.JOINING.value, about, (), actions, EmojiRow(emoji)), batch)
            case _:
                pass

    def act(self, key: str, action: str, batch: Batch) -> None:
        match JoiningAction(action):
            case JoiningAction.ENTER_CODE:
                self._enter_code(batch)
            case JoiningAction.LOOK_AGAIN:
                self.open(batch)
            case JoiningAction.COMPARE:
                self._compared = DeviceId(bytes.fromhex(key))
                self._show(Page(PageText.JOINING.value, PageText.ANSWERING_JOINER.value, ()), batch)
                batch.ask(CompareWithJoiner(self._compared))
            case JoiningAction.DECLINE:
                self._decline(DeviceId(bytes.fromhex(key)), batch)
                self._list(batch)
            case JoiningAction.SAME if self._compared is not None:
                self._let_in(self._compared, batch)
            case JoiningAction.DIFFERENT if self._compared is not None:
                self._decline(self._compared, batch)
                self._list(batch, PageText.DIFFERENT_JOINER.value)
            case _:
                pass

    def done(self, intent: Intent, batch: Batch) -> None:
        match intent:
            case LookForJoiners(number=number) if intent == self._look:
                batch.ask(NextJoiner(number))
            case ApproveJoiner():
                self._elsewhere(PageId.DEVICES, batch)
            case _:
                pass

    def failed(self, intent: Intent, code: Code, batch: Batch) -> None:
        match intent:
            case LookForJoiners(number=number) | NextJoiner(number=number):
                if number == self._look.number:
                    self._ended(_NO_CODE.get(code) or page_refusal(code), batch)
            case CompareWithJoiner(device=device) if device == self._compared:
                self._names.pop(device, None)
                self._compared = None
                self._list(batch, page_refusal(code))
            case _:
                super().failed(intent, code, batch)

    def _begin(self, code: str, batch: Batch) -> None:
        """Look for the device that shows a code, or for any."""
        self._look = LookForJoiners(self._look.number + 1, code)
        self._names.clear()
        self._compared = None
        batch.ask(self._look)

    def _ended(self, problem: str, batch: Batch) -> None:
        """Nobody is heard of any more."""
        actions = _actions(JoiningAction.LOOK_AGAIN, JoiningAction.ENTER_CODE)
        self._page = Page(PageText.JOINING.value, PageText.JOINING_ABOUT.value, (), actions)
        batch.show(PageShown(self._page, problem))

    def _decline(self, device: DeviceId, batch: Batch) -> None:
        self._names.pop(device, None)
        self._compared = None
        batch.ask(DeclineJoiner(device))

    def _list(self, batch: Batch, problem: str = "") -> None:
        """Those that want to join."""
        rows = [
            PageRow(
                device.hex(),
                name,
                PageText.JOINER.value,
                "",
                actions=_actions(JoiningAction.COMPARE, JoiningAction.DECLINE),
            )
            for device, name in self._names.items()
        ]
        head = PageRow("joiners", PageText.JOINERS.value, str(len(rows)), "", heading=True)
        actions = _actions(JoiningAction.ENTER_CODE)
        self._page = Page(PageText.JOINING.value, PageText.JOINING_ABOUT.value, (head, *rows), actions)
        batch.show(PageShown(self._page, problem))

    def _enter_code(self, batch: Batch) -> None:
        def look(answer: Answer, later: Batch) -> None:
            self._prompting.cancel(later)
            self._begin(answer[CODE].strip(), later)
            self._show(Page(PageText.JOINING.value, PageText.WAITING_FOR_CODE.value, ()), later)

        field = PromptField(CODE, PageText.CODE.value)
        label = PageText.ENTER_CODE.value
        prompt = Prompt(label, PageText.ENTER_CODE_ABOUT.value, (field,), PageText.LOOK.value)
        self._prompting.ask(prompt, look, batch)

    def _let_in(self, device: DeviceId, batch: Batch) -> None:
        prompt = Prompt(
            PageText.LET_IN_TITLE.format(device=self._names[device]),
            PageText.LET_IN_ABOUT.value,
            (PromptField(SECRET, PageText.PASSWORD.value, secret=True),),
            PageText.LET_IN.value,
        )
        self._prompting.ask(prompt, lambda answer, _: ApproveJoiner(device, answer[SECRET]), batch)


def _actions(*wanted: JoiningAction) -> tuple[PageAction, ...]:
    return tuple(PageAction(each.value, _LABELS[each].value) for each in wanted)

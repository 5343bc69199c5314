"""Logging in because another device agrees: a code to carry there, or seven emoji to compare."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.figures import EmojiGrid, qr_code
from coterie.desktop.forms.form import Form
from coterie.desktop.forms.sign_up import ABOUT_SERVER
from coterie.screens.form_texts import FormText

if TYPE_CHECKING:
    from coterie.screens.doors import Asking, Emoji, Opened

CODE_GROUPS_IN_LINE: Final = 7


class Step(Enum):
    ASK = "whose devices are to be asked"
    WAIT = "the code is shown, or what comes of it is waited for"
    COMPARE = "seven emoji are on the screen"


class ApprovalForm(Form):
    """Name and a password for this machine; then the code, until a device of the account answers."""

    def __init__(self, parent: tk.Misc, entrance: Entrance, *, back: Callable[[], None]) -> None:
        super().__init__(parent, entrance, FormText.APPROVAL_TITLE.value, FormText.APPROVAL_SUBTITLE.value)
        self.step = Step.ASK
        self.asking: Asking | None = None
        self._fields = ttk.Frame(self.body)
        self._fields.pack(fill="x")
        self.server = self.add_field(FormText.SERVER.value, parent=self._fields)
        self.name = self.add_field(FormText.USER_NAME.value, parent=self._fields)
        self.password = self.add_field(FormText.PASSWORD_HERE.value, secret=True, parent=self._fields)
        self.confirm = self.add_field(FormText.CONFIRM_PASSWORD.value, secret=True, parent=self._fields)
        self.show = self.add_show(self.password, self.confirm)
        self._page = ttk.Frame(self.body)
        self._page.pack(fill="x")
        self.add_main(FormText.ASK_DEVICES.value)
        self.cancel = ttk.Button(
            self.body, text=FormText.CANCEL.value, command=self.leave, style="Link.TButton"
        )
        self.server.put(entrance.server)
        self.finish((self.name if entrance.server else self.server).entry, back)

    def submit(self) -> None:
        match self.step:
            case Step.ASK:
                self._ask()
            case Step.COMPARE if self.asking is not None:
                self._turn_page(Step.WAIT)
                self.work(self.asking.join(), FormText.SAY_YES_THERE.value, self._joined)
            case _:
                pass

    def leave(self) -> None:
        """The person does not want to any more, or sees other emoji: nothing is left of it."""
        asking, self.asking = self.asking, None
        if asking is not None:
            self.entrance.run(_closed(asking))
        if self.step is Step.COMPARE:
            self._turn_page(Step.ASK)
            self.problem(FormText.DIFFERENT_EMOJI.value)

    def destroy(self) -> None:
        """The window may be closing, and its loop be stopped already: that ends the request too."""
        asking, self.asking = self.asking, None
        if asking is not None:
            with suppress(LocalError):
                self.entrance.run(_closed(asking))
        super().destroy()

    def _ask(self) -> None:
        self.settle()
        fields = (self.server, self.name, self.password, self.confirm)
        empty = [field for field in fields if not field.value.strip()]
        for field in empty:
            field.mark()
        if empty:
            self.problem(FormText.ALL_REQUIRED.value)
            empty[0].entry.focus_set()
        elif self.confirm.value != self.password.value:
            self.confirm.problem(FormText.PASSWORD_MISMATCH.value)
            self.confirm.entry.focus_set()
        else:
            asked = self._asked(self.server.value.strip(), self.name.value.strip(), self.password.value)
            self.work(asked, FormText.ASKING_DEVICES.value, self._waits)

    async def _asked(self, server: str, name: str, password: str) -> Asking:
        return await self.entrance.doors.ask_approval(
            server=server, name=name, password=password, home=self.entrance.home
        )

    def _waits(self, asking: Asking) -> None:
        """The request stands: show its code until a device answers."""
        if not self.winfo_exists():
            self.entrance.run(_closed(asking))
            return
        self.asking = asking
        self.show_code(asking.code)
        self.work(asking.answered(), FormText.WAITING_FOR_DEVICE.value, self._answered)

    def show_code(self, code: str) -> None:
        """As a picture, and as text in groups."""
        self._turn_page(Step.WAIT)
        ttk.Label(self._page, text=FormText.APPROVAL_CODE.value, style="Hint.TLabel", wraplength=320).pack()
        qr_code(self._page, code).pack(pady=8)
        groups = code.split("-")
        for start in range(0, len(groups), CODE_GROUPS_IN_LINE):
            line = "-".join(groups[start : start + CODE_GROUPS_IN_LINE])
            ttk.Label(self._page, text=line, style="Word.TLabel", anchor="center").pack(fill="x")

    def _answered(self, emoji: Sequence[Emoji]) -> None:
        if self.asking is None or not self.winfo_exists():
            return
        if not emoji:
            self._turn_page(Step.WAIT)
            self.work(self.asking.join(), FormText.CODE_ARRIVED.value, self._joined)
            return
        self._turn_page(Step.COMPARE)
        EmojiGrid(self._page, emoji).pack(pady=(0, 8))
        self.subtitle.configure(text=FormText.SAME_EMOJI.value)
        self.main.configure(text=FormText.EMOJI_MATCH.value)
        self.cancel.configure(text=FormText.EMOJI_DIFFER.value)

    def _joined(self, me: Opened) -> None:
        self.asking = None
        if self.winfo_exists():
            self.password.clear()
            self.confirm.clear()
        self.entrance.on_open(me)

    def failed(self, error: BaseException) -> None:
        self.leave()
        self._turn_page(Step.ASK)
        super().failed(error)

    def _turn_page(self, step: Step) -> None:
        self.step = step
        for child in self._page.winfo_children():
            child.destroy()
        self.cancel.configure(text=FormText.CANCEL.value)
        self.subtitle.configure(text=FormText.APPROVAL_SUBTITLE.value)
        if step is Step.ASK:
            self.cancel.pack_forget()
            self._fields.pack(fill="x", before=self._page)
            self.main.configure(text=FormText.ASK_DEVICES.value)
        else:
            self._fields.pack_forget()
            self.cancel.pack(pady=(10, 0))

    def settle(self) -> None:
        super().settle()
        for field in (self.server, self.name, self.password, self.confirm):
            field.settle()

    def place_of(self, code: Code) -> Field | None:
        if code in (Code.BAD_NAME, Code.PROFILE_EXISTS):
            return self.name
        if code is Code.WEAK_PASSWORD:
            return self.password
        return self.server if code in ABOUT_SERVER else None


async def _closed(asking: Asking) -> None:
    asking.close()

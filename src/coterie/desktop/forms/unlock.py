"""Opening an account that is on this machine: its password only. Works without a network."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk
from typing import TYPE_CHECKING

from coterie.base.codes import Code
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import Form
from coterie.desktop.forms.plain import plain
from coterie.screens.form_texts import FormText

if TYPE_CHECKING:
    from coterie.screens.doors import Opened, Profile


class UnlockForm(Form):
    """Password of a profile; a choice where there are several. on_open gets the open account."""

    def __init__(
        self,
        parent: tk.Misc,
        entrance: Entrance,
        *,
        profiles: Sequence[Profile],
        on_other: Callable[[], None],
    ) -> None:
        super().__init__(
            parent,
            entrance,
            _title(profiles[0]),
            FormText.UNLOCK_SUBTITLE.value,
        )
        self._profiles = profiles
        self.profile = profiles[0]
        """What will be opened."""
        if len(profiles) > 1:
            self._build_choice()
        self.password = self.add_field(FormText.PASSWORD_OR_PASSPHRASE.value, secret=True)
        self.show = self.add_show(self.password)
        self.add_main(FormText.UNLOCK.value)
        self.add_link(FormText.OTHER_ACCOUNT.value, on_other).pack(pady=(10, 0))
        self.finish(self.password.entry)

    def _build_choice(self) -> None:
        ttk.Label(self.body, text=FormText.PROFILE.value, style="FieldName.TLabel").pack(anchor="w", padx=2)
        self.choice = ttk.Combobox(self.body, values=_labels(self._profiles), state="readonly")
        self.choice.current(0)
        self.choice.bind("<<ComboboxSelected>>", self._choose)
        self.choice.pack(fill="x", pady=(2, 14))
        self._controls.append(self.choice)

    def _choose(self, _event: object) -> None:
        self.profile = self._profiles[self.choice.current()]
        self.title.configure(text=_title(self.profile))
        self.choice.selection_clear()
        self.password.clear()
        self.password.entry.focus_set()

    def submit(self) -> None:
        self.settle()
        if not self.password.value:
            self.password.mark()
            self.problem(FormText.ALL_REQUIRED.value)
            self.password.entry.focus_set()
            return
        self.work(
            self._open(self.profile.folder.name, self.password.value), FormText.UNLOCKING.value, self._opened
        )

    async def _open(self, profile: str, password: str) -> Opened:
        return await self.entrance.doors.open(self.entrance.home, profile=profile, password=password)

    def _opened(self, me: Opened) -> None:
        if self.winfo_exists():
            self.password.clear()
        self.entrance.on_open(me)

    def settle(self) -> None:
        super().settle()
        self.password.settle()

    def place_of(self, code: Code) -> Field | None:
        return self.password if code is Code.WRONG_CREDENTIALS else None


def _title(profile: Profile) -> str:
    return FormText.UNLOCK_TITLE_NAMED.format(name=plain(profile.name))


def _labels(profiles: Sequence[Profile]) -> list[str]:
    """What to choose from: names, and where two are the same (on two servers) the names of their folders."""
    names = [profile.name for profile in profiles]
    return [
        plain(profile.name if names.count(profile.name) == 1 else profile.folder.name) for profile in profiles
    ]

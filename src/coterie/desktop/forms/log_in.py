"""Logging in to an account that exists: this machine becomes one of its devices."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import TYPE_CHECKING

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import Form
from coterie.desktop.forms.sign_up import ABOUT_SERVER
from coterie.screens.form_texts import FormText

if TYPE_CHECKING:
    from coterie.screens.doors import Opened


class LogInForm(Form):
    """Name and passphrase; the recovery key where they do not suffice. on_open gets the open account."""

    def __init__(
        self,
        parent: tk.Misc,
        entrance: Entrance,
        *,
        on_sign_up: Callable[[], None],
        on_approval: Callable[[], None],
        back: Callable[[], None] | None,
    ) -> None:
        super().__init__(parent, entrance, FormText.LOG_IN_TITLE.value, FormText.LOG_IN_SUBTITLE.value)
        self.server = self.add_field(FormText.SERVER.value)
        self.name = self.add_field(FormText.USER_NAME.value)
        self.password = self.add_field(FormText.PASSWORD_OR_PASSPHRASE.value, secret=True)
        self._recovery = ttk.Frame(self.body)
        self._recovery.pack(fill="x")
        self.recovery_key = self.add_field(FormText.RECOVERY_KEY.value, parent=self._recovery)
        self.recovery_key.pack_forget()
        self.recovery_key.hint(FormText.RECOVERY_PASSWORD.value)
        self.confirm = self.add_field(FormText.CONFIRM_PASSWORD.value, secret=True, parent=self._recovery)
        self.confirm.pack_forget()
        self.show = self.add_show(self.password, self.confirm)
        self.use_recovery_key = self.add_link(
            FormText.HAVE_RECOVERY_KEY.value, self._use_recovery_key, self._recovery
        )
        self.use_recovery_key.pack(anchor="w")
        self.add_main(FormText.LOG_IN.value)
        self.approval = self.add_link(FormText.APPROVE_INSTEAD.value, on_approval)
        self.approval.pack(pady=(10, 0))
        self.sign_up = self.add_link(FormText.CREATE_ACCOUNT.value, on_sign_up)
        self.sign_up.pack(pady=(4, 0))
        self.server.put(entrance.server)
        self.finish((self.name if entrance.server else self.server).entry, back)

    def _use_recovery_key(self) -> None:
        """The person wants to, perhaps for a forgotten password."""
        self._offer_recovery_key()
        self._ask_again()

    def _ask_again(self) -> None:
        """Beside a recovery key any password is taken as this machine's own: a slip would lock one out."""
        if not self.confirm.winfo_manager():
            self.confirm.pack(fill="x", before=self.recovery_key)

    def _offer_recovery_key(self) -> None:
        self.use_recovery_key.pack_forget()
        self.recovery_key.pack(fill="x")
        self.recovery_key.entry.focus_set()

    def submit(self) -> None:
        self.settle()
        empty = [field for field in (self.server, self.name, self.password) if not field.value.strip()]
        if empty:
            for field in empty:
                field.mark()
            self.problem(FormText.ALL_REQUIRED.value)
            empty[0].entry.focus_set()
            return
        if self.confirm.winfo_manager() and self.confirm.value != self.password.value:
            self.confirm.problem(FormText.PASSWORD_MISMATCH.value)
            self.confirm.entry.focus_set()
            return
        self.work(
            self._log_in(
                self.server.value.strip(),
                self.name.value.strip(),
                self.password.value,
                " ".join(self.recovery_key.value.split()).lower() or None,
            ),
            FormText.LOGGING_IN.value,
            self._opened,
        )

    async def _log_in(self, server: str, name: str, password: str, recovery_key: str | None) -> Opened:
        return await self.entrance.doors.log_in(
            server=server,
            name=name,
            password=password,
            home=self.entrance.home,
            recovery_key=recovery_key,
        )

    def _opened(self, me: Opened) -> None:
        if self.winfo_exists():
            self.password.clear()
            self.confirm.clear()
            self.recovery_key.clear()
        self.entrance.on_open(me)

    def failed(self, error: BaseException) -> None:
        if isinstance(error, Refused) and error.code is Code.NEEDS_RECOVERY_KEY:
            self._offer_recovery_key()
            self.winfo_toplevel().after_idle(self.password.on_change, self._ask_again)
        super().failed(error)

    def settle(self) -> None:
        super().settle()
        for field in (self.server, self.name, self.password, self.confirm, self.recovery_key):
            field.settle()
        self.recovery_key.hint(FormText.RECOVERY_PASSWORD.value)

    def place_of(self, code: Code) -> Field | None:
        if code in (Code.BAD_NAME, Code.PROFILE_EXISTS):
            return self.name
        return self.server if code in ABOUT_SERVER else None

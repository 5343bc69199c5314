"""Making an account: server, name, and a password of one's own or a generated passphrase."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from enum import Enum
from tkinter import ttk
from typing import TYPE_CHECKING, Final

from coterie.base.codes import Code
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import Form
from coterie.desktop.forms.strength_bar import StrengthBar
from coterie.screens.form_texts import FormText

if TYPE_CHECKING:
    from coterie.desktop.bridge import Job
    from coterie.screens.doors import Opened, Strength

STRENGTH_DELAY_MS: Final = 120
"""After the last key, before the strength is worked out."""
SCORE_TO_WRAP: Final = 4
INVITE_SCHEME: Final = "coterie://"
PINNING_MARK: Final = "#v1."
ABOUT_SERVER: Final = frozenset(
    (
        Code.UNREACHABLE,
        Code.NEEDS_INVITE,
        Code.STATEMENT_EXPIRED,
        Code.SIGN_UP_CLOSED,
        Code.IDENTITY_CHANGED,
        Code.VERSION,
        Code.USAGE,
    )
)


class Secret(Enum):
    """What will open the account."""

    OWN = "a password of one's own"
    GENERATED = "a generated passphrase"


class SignUpForm(Form):
    """The first screen of somebody new. on_open gets the open account, with its recovery key."""

    def __init__(
        self,
        parent: tk.Misc,
        entrance: Entrance,
        *,
        on_log_in: Callable[[], None],
        back: Callable[[], None] | None,
    ) -> None:
        super().__init__(parent, entrance, FormText.SIGN_UP_TITLE.value, FormText.SIGN_UP_SUBTITLE.value)
        self.secret = Secret.OWN
        self.drawn = ""
        """The passphrase that was suggested, once it is shown."""
        self._strength_timer: str | None = None
        self._strength_job: Job | None = None
        self.server = self.add_field(FormText.SERVER.value)
        self.server.on_change(self._say_pinned)
        self.name = self.add_field(FormText.USER_NAME.value)
        self.name.on_change(self._weigh_later)
        self._secrets = ttk.Frame(self.body)
        self._secrets.pack(fill="x")
        self._build_own()
        self._build_generated()
        self.add_main(FormText.SIGN_UP.value)
        self.log_in = self.add_link(FormText.HAVE_ACCOUNT.value, on_log_in)
        self.log_in.pack(pady=(10, 0))
        self.server.put(entrance.server)
        self._say_pinned()
        self._turn_to(Secret.OWN)
        self.finish((self.name if entrance.server else self.server).entry, back)

    def _build_own(self) -> None:
        self._own = ttk.Frame(self._secrets)
        self.password = self.add_field(FormText.PASSWORD.value, secret=True, parent=self._own)
        self.password.on_change(self._weigh_later)
        self.confirm = self.add_field(FormText.CONFIRM_PASSWORD.value, secret=True, parent=self._own)
        self.show = self.add_show(self.password, self.confirm)
        self.strength = StrengthBar(self._own, self.look)
        self.strength.pack(fill="x")
        self._wrapping = ttk.Frame(self._own)
        self.wrap = ttk.Checkbutton(self._wrapping, text=FormText.WRAP_WITH_PASSWORD.value)
        self.wrap.state(["!alternate", "!selected"])
        self.wrap.pack(anchor="w")
        self.wrap_warning = ttk.Label(self._wrapping, text=FormText.WRAP_WARNING.value, style="Error.TLabel")
        self.wrap_warning.pack(anchor="w", padx=(24, 0))
        self._controls.append(self.wrap)
        self.suggest = self.add_link(
            FormText.SUGGEST_PASSPHRASE.value, lambda: self._turn_to(Secret.GENERATED), self._own
        )
        self.suggest.pack(anchor="w", pady=(2, 0))

    def _build_generated(self) -> None:
        self._generated = ttk.Frame(self._secrets)
        ttk.Label(
            self._generated,
            text=FormText.PASSPHRASE_PROMISE.value,
            wraplength=self._width_px - 2 * self._pad_px,
        ).pack(fill="x", pady=(4, 6))
        box = ttk.Frame(self._generated, style="Field.TFrame", padding=(12, 10))
        box.pack(fill="x", pady=(2, 8))
        self.passphrase = ttk.Label(box, text="\n", style="Word.TLabel", anchor="center", justify="center")
        self.passphrase.pack(fill="x")
        self.own_password = self.add_link(
            FormText.OWN_PASSWORD.value, lambda: self._turn_to(Secret.OWN), self._generated
        )
        self.own_password.pack(anchor="w")

    def _turn_to(self, secret: Secret) -> None:
        """Show the part of the form for this kind of secret; what was typed in the other stays."""
        self.secret = secret
        shown, other = (self._own, self._generated) if secret is Secret.OWN else (self._generated, self._own)
        other.pack_forget()
        shown.pack(fill="x")
        self.settle()
        if secret is Secret.GENERATED and not self.drawn:
            self.entrance.run(self._draw(), self._show_drawn)

    async def _draw(self) -> str:
        return self.entrance.doors.new_passphrase()

    def _show_drawn(self, passphrase: str) -> None:
        """On the screen before the account is made: whatever happens then, nobody is locked out."""
        if self.winfo_exists() and not self.drawn:
            self.drawn = passphrase
            self.passphrase.configure(text=_in_two_lines(passphrase))

    def _say_pinned(self) -> None:
        server = self.server.value.strip()
        pinned = server.startswith(INVITE_SCHEME) and PINNING_MARK in server
        self.server.hint(FormText.PINNED.value if pinned else "")

    def _weigh_later(self) -> None:
        """Work the strength out soon after the last key, in the loop's threads."""
        if self._strength_timer is not None:
            self.after_cancel(self._strength_timer)
        self._strength_timer = self.after(STRENGTH_DELAY_MS, self._weigh)

    def _weigh(self) -> None:
        self._strength_timer = None
        password, name = self.password.value, self.name.value.strip()
        if self._strength_job is not None:
            self._strength_job.cancel()
            self._strength_job = None
        if not password:
            self._weighed(None)
            return

        async def weigh() -> Strength:
            import asyncio

            return await asyncio.to_thread(self.entrance.doors.strength, password, name)

        self._strength_job = self.entrance.run(weigh(), self._weighed)

    def _weighed(self, strength: Strength | None) -> None:
        """Show it; the opt-in to wrap by this password stands only where it is very hard to guess."""
        if not self.winfo_exists():
            return
        self._strength_job = None
        self.strength.show(strength)
        if strength is not None and strength.score >= SCORE_TO_WRAP:
            self._wrapping.pack(fill="x", pady=(4, 0), before=self.suggest)
        else:
            self.wrap.state(["!selected"])
            self._wrapping.pack_forget()

    def destroy(self) -> None:
        if self._strength_timer is not None:
            self.after_cancel(self._strength_timer)
        super().destroy()

    def submit(self) -> None:
        self.settle()
        own = self.secret is Secret.OWN
        needed = [self.server, self.name, *((self.password, self.confirm) if own else ())]
        empty = [field for field in needed if not (field.value if field.hidden else field.value.strip())]
        if empty:
            for field in empty:
                field.mark()
            self.problem(FormText.ALL_REQUIRED.value)
            empty[0].entry.focus_set()
            return
        if own and self.password.value != self.confirm.value:
            self.confirm.problem(FormText.PASSWORD_MISMATCH.value)
            self.confirm.entry.focus_set()
            return
        self.work(
            self._sign_up(
                self.server.value.strip(),
                self.name.value.strip(),
                self.password.value if own else self.drawn or None,
                not own,
                own and self.wrap.instate(["selected"]),
            ),
            FormText.SIGNING_UP.value,
            self._opened,
        )

    async def _sign_up(
        self, server: str, name: str, password: str | None, generated: bool, wrap: bool
    ) -> Opened:
        return await self.entrance.doors.sign_up(
            server=server,
            name=name,
            password=password,
            home=self.entrance.home,
            generate_passphrase=generated,
            wrap_with_password=wrap,
        )

    def _opened(self, me: Opened) -> None:
        if self.winfo_exists():
            self.password.clear()
            self.confirm.clear()
        self.entrance.on_open(me)

    def settle(self) -> None:
        super().settle()
        for field in (self.server, self.name, self.password, self.confirm):
            field.settle()
        self._say_pinned()

    def place_of(self, code: Code) -> Field | None:
        if code in (Code.NAME_TAKEN, Code.BAD_NAME, Code.PROFILE_EXISTS):
            return self.name
        if code is Code.WEAK_PASSWORD and self.secret is Secret.OWN:
            return self.password
        return self.server if code in ABOUT_SERVER else None


def _in_two_lines(passphrase: str) -> str:
    """Broken behind the hyphen that is nearest to the middle: six words are wider than the form."""
    middle = len(passphrase) // 2
    hyphens = [at for at, character in enumerate(passphrase) if character == "-"]
    cut = min(hyphens, key=lambda at: abs(at - middle)) + 1
    return f"{passphrase[:cut]}\n{passphrase[cut:]}"

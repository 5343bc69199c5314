"""Each screen alone, with made-up data: to look at, or as pictures.

    python -m coterie.desktop.gallery --out docs/pictures      every picture
    python -m coterie.desktop.gallery desktop-light            this one, until the window is closed

Pictures are taken off the display, so they show what a person sees; on X11, macOS and Windows.
"""

from __future__ import annotations

import argparse
import os
import sys
import tkinter as tk
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from tkinter import ttk
from typing import Final, NamedTuple

from PIL import ImageGrab

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.client.store.profiles import ProfilePlace
from coterie.desktop import made_up
from coterie.desktop.bridge import Bridge
from coterie.desktop.forms.approval import ApprovalForm
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.form import Form
from coterie.desktop.forms.log_in import LogInForm
from coterie.desktop.forms.recovery import RecoveryForm
from coterie.desktop.forms.sign_up import SignUpForm
from coterie.desktop.forms.unlock import UnlockForm
from coterie.desktop.main_screen import MainScreen
from coterie.desktop.sdk_doors import SdkDoors
from coterie.desktop.window import Window, open_root
from coterie.screens.account_page import SECRET, AccountAction
from coterie.screens.devices_page import DeviceAction
from coterie.screens.doors import Opened
from coterie.screens.form_texts import FormText, refusal_text
from coterie.screens.page_intents import PersonStep
from coterie.screens.pages import PageId
from coterie.screens.signals import Scope
from coterie.screens.theme import DARK, LIGHT, Theme

SETTLE_MS: Final = 700
"""For what the loop works out (strength, history) to be drawn."""
FORM_SIZE: Final = "920x760"
DESKTOP_SIZE: Final = "1180x760"
PASSWORD: Final = "seventeen quiet otters"


class Stage(NamedTuple):
    """What a picture is built with."""

    window: Window
    bridge: Bridge
    entrance: Entrance


class Picture(NamedTuple):
    theme: Theme
    size: str
    build: Callable[[Stage], None]


def _sign_up(stage: Stage) -> SignUpForm:
    return stage.window.show(lambda parent: SignUpForm(parent, stage.entrance, on_log_in=_nothing, back=None))


def _fill(form: SignUpForm) -> SignUpForm:
    form.name.put("alice")
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    return form


def sign_up(stage: Stage) -> None:
    form = _fill(_sign_up(stage))
    form.update_idletasks()
    form.name.problem(refusal_text(Code.NAME_TAKEN))


def sign_up_with_passphrase(stage: Stage) -> None:
    form = _sign_up(stage)
    form.name.put("alice")
    form.suggest.invoke()


def log_in(stage: Stage) -> None:
    form = stage.window.show(
        lambda parent: LogInForm(parent, stage.entrance, on_sign_up=_nothing, on_approval=_nothing, back=None)
    )
    form.name.put("alice")
    form.password.put(PASSWORD)
    form.failed(Refused(Code.NEEDS_RECOVERY_KEY))


def approval(stage: Stage) -> None:
    form = stage.window.show(lambda parent: ApprovalForm(parent, stage.entrance, back=_nothing))
    form.show_code(made_up.APPROVAL_CODE)


def unlock(stage: Stage) -> None:
    profiles = [ProfilePlace(Path(f"{name}@00112233"), name) for name in ("alice",)]
    form = stage.window.show(
        lambda parent: UnlockForm(parent, stage.entrance, profiles=profiles, on_other=_nothing)
    )
    form.password.put(PASSWORD)


def _recovery(stage: Stage) -> RecoveryForm:
    return stage.window.show(
        lambda parent: RecoveryForm(
            parent,
            stage.entrance,
            recovery_key=made_up.RECOVERY_KEY,
            passphrase=made_up.PASSPHRASE,
            on_kept=_nothing,
        )
    )


def recovery(stage: Stage) -> None:
    _recovery(stage)


def recovery_check(stage: Stage) -> None:
    form = _recovery(stage)
    form.submit()
    form.submit()


class Samples(Form):
    """One entry and one button in each of its states."""

    def __init__(self, parent: tk.Misc, entrance: Entrance) -> None:
        super().__init__(parent, entrance, "Samples", "every state of a field and of a button")
        self.add_field("empty")
        self.add_field("typed").put(PASSWORD)
        hidden = self.add_field("hidden", secret=True)
        hidden.put(PASSWORD)
        self.add_show(hidden)
        wrong = self.add_field("wrong")
        wrong.put(PASSWORD)
        self.update_idletasks()
        wrong.problem(FormText.PASSWORD_MISMATCH.value)
        for style in ("Main.TButton", "Field.TButton", "Link.TButton"):
            for state in ("!disabled", "disabled"):
                button = ttk.Button(self.body, text=state.removeprefix("!"), style=style)
                button.pack(fill="x", pady=2)
                button.state([state])
        self.finish(None)

    def submit(self) -> None:
        """There is nothing to do."""


def samples(stage: Stage) -> None:
    stage.window.show(lambda parent: Samples(parent, stage.entrance))


def desktop(stage: Stage) -> None:
    _desktop(stage)


def search(stage: Stage) -> None:
    """Found everywhere, and the second message gone to."""
    view = _desktop(stage).view
    root = stage.window.root

    def look() -> None:
        view.sidebar.search.set_text("the")
        view.apply(view.presenter.look(Scope.EVERYWHERE))
        view.apply(view.presenter.find())
        view.sidebar.search.focus_set()
        root.after(SETTLE_MS // 2, lambda: view.apply(view.presenter.show_found()))

    root.after(SETTLE_MS, look)


def server_sees(stage: Stage) -> None:
    """The page of what was sent last."""
    view = _desktop(stage).view
    stage.window.root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_page(PageId.SERVER_SEES)))


def message(stage: Stage) -> None:
    """Who has the newest message that one wrote."""
    view = _desktop(stage).view
    stage.window.root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_message(None)))


def devices(stage: Stage) -> None:
    """The page of one's own devices, and what removing one asks."""
    view = _desktop(stage).view

    def ask() -> None:
        row = made_up.DEVICE_AT_WORK.hex()
        view.apply(view.presenter.act_on_page(row, DeviceAction.REVOKE.value))

    stage.window.root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_page(PageId.DEVICES)))
    stage.window.root.after(2 * SETTLE_MS, ask)


def account(stage: Stage) -> None:
    """The page of the account, and the words of a new recovery key."""
    view = _desktop(stage).view
    root = stage.window.root

    def ask() -> None:
        view.apply(view.presenter.act_on_page("recovery", AccountAction.NEW_RECOVERY.value))
        view.apply(view.presenter.answer_prompt({SECRET: PASSWORD}))

    root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_page(PageId.ACCOUNT)))
    root.after(2 * SETTLE_MS, ask)


def person(stage: Stage) -> None:
    """The page to know somebody by."""
    view = _desktop(stage).view
    stage.window.root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_person()))


def emoji(stage: Stage) -> None:
    """Comparing emoji with somebody."""
    view = _desktop(stage).view
    root = stage.window.root

    def ask() -> None:
        view.apply(view.presenter.act_on_page("", PersonStep.COMPARE.value))

    root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_person()))
    root.after(2 * SETTLE_MS, ask)


def joining(stage: Stage) -> None:
    """A device that wants to join."""
    view = _desktop(stage).view
    stage.window.root.after(SETTLE_MS, lambda: view.apply(view.presenter.open_page(PageId.JOINING)))


def _desktop(stage: Stage) -> MainScreen:
    """The conversation with alice."""
    me: Opened = made_up.MadeUpAccount()
    screen = MainScreen(stage.window, stage.bridge, me, clock=made_up.clock(), zone=UTC)
    stage.window.title(me.name)
    screen.start()
    stage.window.root.after(SETTLE_MS // 2, lambda: screen.view.apply(screen.presenter.address("alice")))
    return screen


PICTURES: Final = {
    "signup": Picture(DARK, FORM_SIZE, sign_up),
    "signup-passphrase": Picture(DARK, FORM_SIZE, sign_up_with_passphrase),
    "login": Picture(LIGHT, FORM_SIZE, log_in),
    "approval": Picture(LIGHT, FORM_SIZE, approval),
    "unlock": Picture(DARK, FORM_SIZE, unlock),
    "recovery": Picture(DARK, FORM_SIZE, recovery),
    "recovery-check": Picture(DARK, FORM_SIZE, recovery_check),
    "samples": Picture(LIGHT, FORM_SIZE, samples),
    "desktop-dark": Picture(DARK, DESKTOP_SIZE, desktop),
    "desktop-light": Picture(LIGHT, DESKTOP_SIZE, desktop),
    "search-dark": Picture(DARK, DESKTOP_SIZE, search),
    "search-light": Picture(LIGHT, DESKTOP_SIZE, search),
    "account": Picture(DARK, DESKTOP_SIZE, account),
    "person": Picture(LIGHT, DESKTOP_SIZE, person),
    "emoji": Picture(DARK, DESKTOP_SIZE, emoji),
    "joining": Picture(LIGHT, DESKTOP_SIZE, joining),
    "message": Picture(DARK, DESKTOP_SIZE, message),
    "devices": Picture(LIGHT, DESKTOP_SIZE, devices),
    "server-sees": Picture(DARK, DESKTOP_SIZE, server_sees),
}


def show(name: str, out: Path | None) -> None:
    """One picture in a window of its own; with out it is taken and the window goes away again."""
    picture = PICTURES[name]
    root = open_root()
    window = Window(root, picture.theme, root.quit)
    bridge = Bridge(root)
    bridge.start()
    entrance = Entrance(window.look, bridge.run, SdkDoors(), Path(), "chat.example.org:4433", _opened)
    root.geometry(f"{picture.size}+0+0")
    try:
        picture.build(Stage(window, bridge, entrance))
        if out is not None:
            root.after(3 * SETTLE_MS, _take, root, out / f"{name}.png")
        root.mainloop()
    finally:
        bridge.stop()
        window.destroy()


def _take(root: tk.Tk, path: Path) -> None:
    """Off the display into a file, and leave the main loop."""
    root.update_idletasks()
    left, top = root.winfo_rootx(), root.winfo_rooty()
    box = (left, top, left + root.winfo_width(), top + root.winfo_height())
    path.parent.mkdir(parents=True, exist_ok=True)
    ImageGrab.grab(box, xdisplay=os.environ.get("DISPLAY") or None).convert("RGB").save(path, optimize=True)
    root.quit()


def _opened(me: Opened) -> None:
    """Nothing is opened in the gallery."""
    del me


def _nothing() -> None:
    return


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m coterie.desktop.gallery", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(PICTURES)}")
    parser.add_argument("--out", type=Path, help="a folder for pictures")
    given = parser.parse_args(words)
    unknown = [name for name in given.names if name not in PICTURES]
    if unknown:
        parser.error(f"no such picture: {', '.join(unknown)}")
    for name in given.names or PICTURES:
        show(name, given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Windows on a real server: started and left as a person does."""

from __future__ import annotations

from collections.abc import Callable

from coterie.desktop.forms.sign_up import SignUpForm
from coterie.desktop.main_window import MainWindow
from tests.desktop.desk import Desk

PASSWORD = "correct horse battery staple 77"

Start = Callable[..., Desk]


def leave(desk: Desk) -> None:
    """Close the window as a person does; a second time does nothing."""
    if not desk.left:
        desk.left = True
        desk.app.close()
        desk.until(lambda: bool(desk.quit))
        desk.app.end()


def sign_up(desk: Desk, name: str) -> MainWindow:
    """Through the form, and past the recovery key."""
    form = desk.screen(SignUpForm)
    form.name.put(name)
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    form.submit()
    desk.keep_recovery_key()
    return desk.screen(MainWindow)

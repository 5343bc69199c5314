"""The pages about trust with real keys: people compare, a machine is let in, an account changes and goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coterie.desktop.app import Stage
from coterie.desktop.forms.approval import ApprovalForm, Step
from coterie.desktop.forms.figures import EmojiGrid
from coterie.desktop.forms.form import FormState
from coterie.desktop.forms.log_in import LogInForm
from coterie.desktop.forms.sign_up import SignUpForm
from coterie.desktop.main_window import MainWindow
from coterie.desktop.page_view import PageView
from coterie.desktop.prompt_view import PromptView
from coterie.screens.account_page import AGAIN, NEW, SECRET, AccountAction
from coterie.screens.joining_page import JoiningAction
from coterie.screens.pages import PageId, PageRow
from tests.desktop.desk import Desk
from tests.desktop.on_a_server import PASSWORD, Start, sign_up
from tests.desktop.test_forms_approval import labels
from tests.real.programs import Server

pytestmark = pytest.mark.slow

DONT_WAIT = 2


def both(one: Desk, other: Desk, condition: Callable[[], bool]) -> None:
    """Let both windows live until then."""

    def there() -> bool:
        other.root.tk.dooneevent(DONT_WAIT)
        return condition()

    one.until(there)


def page(window: MainWindow) -> PageView:
    found = window.overlays.page
    assert found is not None
    return found


def prompt(desk: Desk, window: MainWindow) -> PromptView:
    desk.until(lambda: window.overlays.prompt is not None)
    found = window.overlays.prompt
    assert found is not None
    return found


def row(window: MainWindow, key: str) -> PageRow | None:
    shown = window.overlays.page
    return None if shown is None else next((each for each in shown.list.rows if each.key == key), None)


def counted(window: MainWindow) -> str:
    """What is said about messages that cannot be read here."""
    found = row(window, "unreadable")
    return "" if found is None else found.note


def emoji(window: MainWindow) -> list[str]:
    shown = window.overlays.page
    figure = None if shown is None else shown.figure
    return [text for text in labels(figure) if text] if isinstance(figure, EmojiGrid) else []


def test_two_people_compare_emoji_and_know_each_other(start: Start, tmp_path: Path) -> None:
    one, other = start(tmp_path / "ann"), start(tmp_path / "ben")
    ann, ben = sign_up(one, "ann"), sign_up(other, "ben")
    both(one, other, lambda: _meets(ann, "ben"))
    ann.apply(ann.presenter.open_person())
    both(one, other, lambda: row(ann, "number") is not None)
    page(ann).buttons["compare"].invoke()
    both(one, other, ben.question.yes.winfo_ismapped)
    ben.question.yes.invoke()
    both(one, other, lambda: len(emoji(ann)) == 7 and len(emoji(ben)) == 7)
    assert emoji(ann) == emoji(ben)
    page(ann).buttons["same"].invoke()
    page(ben).buttons["same"].invoke()
    both(one, other, lambda: "verified" in ann.header.header.subtitle)
    both(one, other, lambda: "You have verified ann" in page(ben).about.text)
    numbers = [row(window, "number") for window in (ann, ben)]
    assert numbers[0] == _of(numbers[1], "ann", "ben")


def _of(shown: PageRow | None, mine: str, theirs: str) -> PageRow | None:
    """The row as the other side words it."""
    if shown is None:
        return None
    return PageRow(shown.key, shown.name, shown.value, shown.note.replace(mine, theirs))


def _meets(window: MainWindow, name: str) -> bool:
    window.apply(window.presenter.address(name))
    return window.header.header.title == name


def test_a_machine_is_let_in_by_emoji(start: Start, tmp_path: Path) -> None:
    old, new = start(tmp_path / "old"), start(tmp_path / "new")
    window = sign_up(old, "dee")
    old.until(lambda: window.presenter.selected is not None and window.sidebar.status.text == "")
    window.apply(window.presenter.open_page(PageId.JOINING))
    old.until(lambda: row(window, "joiners") is not None)
    new.app.show_approval()
    form = new.screen(ApprovalForm)
    form.name.put("dee")
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    form.submit()
    both(old, new, lambda: len(page(window).list.rows) == 2)
    key = page(window).list.rows[1].key
    window.apply(window.presenter.act_on_page(key, JoiningAction.COMPARE.value))
    both(old, new, lambda: len(emoji(window)) == 7 and form.step is Step.COMPARE)
    assert [text for text in labels(form._page) if text] == emoji(window)
    form.main.invoke()
    page(window).buttons["same"].invoke()
    asked = prompt(old, window)
    asked.fields[SECRET].put(PASSWORD)
    asked.submit()
    both(old, new, lambda: new.app.stage is Stage.MAIN)
    both(old, new, lambda: page(window).title.text == "Your devices" and row(window, key) is not None)


def change(desk: Desk, window: MainWindow, action: AccountAction, **typed: str) -> PromptView:
    """Ask for something on the page of the account, and answer."""
    window.apply(window.presenter.act_on_page("", action.value))
    asked = prompt(desk, window)
    for name, text in typed.items():
        asked.fields[name].put(text)
    asked.submit()
    return asked


def test_password_and_recovery_key_change_and_the_account_comes_back(
    start: Start, server: Server, tmp_path: Path
) -> None:
    desk = start(tmp_path / "home")
    window = sign_up(desk, "eli")
    desk.until(lambda: window.presenter.selected is not None and window.sidebar.status.text == "")
    window.apply(window.presenter.open_page(PageId.ACCOUNT))
    desk.until(lambda: row(window, "password") is not None)
    changed = "another horse battery staple 78"
    change(desk, window, AccountAction.CHANGE_PASSWORD, **{SECRET: PASSWORD, NEW: changed, AGAIN: changed})
    desk.until(lambda: window.overlays.prompt is None)
    change(desk, window, AccountAction.NEW_RECOVERY, **{SECRET: changed})
    desk.until(lambda: window.overlays.prompt is not None and bool(window.overlays.prompt.prompt.words))
    shown = prompt(desk, window)
    words = shown.prompt.words
    shown.confirm.invoke()
    desk.until(lambda: window.overlays.prompt is not None and bool(window.overlays.prompt.fields))
    back = prompt(desk, window)
    for place, field in back.fields.items():
        field.put(words[int(place)])
    back.submit()
    desk.until(lambda: window.overlays.prompt is None)
    change(desk, window, AccountAction.TELL_SERVER)
    desk.until(lambda: "not told" not in counted(window))
    change(desk, window, AccountAction.TELL_NO_MORE)
    desk.until(lambda: "not told" in counted(window))
    refused = change(desk, window, AccountAction.SIGN_OUT_AND_WIPE, **{SECRET: PASSWORD})
    desk.until(lambda: str(refused.problem.cget("text")).startswith("This is not right"))
    refused.fields[SECRET].put(changed)
    refused.submit()
    desk.screen(SignUpForm).log_in.invoke()
    assert not list((tmp_path / "home" / "profiles").glob("*"))
    log_in = desk.screen(LogInForm)
    log_in.server.put(server.invite)
    log_in.name.put("eli")
    log_in.password.put(changed)
    log_in.submit()
    desk.until(lambda: bool(log_in.recovery_key.winfo_ismapped()))
    desk.until(lambda: log_in.state is FormState.EDITING)
    log_in.recovery_key.put(" ".join(words))
    log_in.submit()
    desk.until(lambda: desk.app.stage is Stage.MAIN)

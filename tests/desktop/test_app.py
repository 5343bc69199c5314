"""The application: which screen comes first, what follows, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.client.events import Person, PersonAppeared
from coterie.desktop.app import TOGGLE, Stage
from coterie.desktop.daylight import Following
from coterie.desktop.forms.log_in import LogInForm
from coterie.desktop.forms.sign_up import SignUpForm
from coterie.desktop.forms.unlock import UnlockForm
from coterie.desktop.main_window import MainWindow
from coterie.screens.theme import DARK, LIGHT, Appearance
from tests.desktop.desk import Desk
from tests.desktop.house import House

PASSWORD = "correct horse battery staple 77"


Start = Callable[..., Desk]


@pytest.fixture
def failures() -> list[BaseException]:
    return []


@pytest.fixture
def start(
    display: str, house: House, failures: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    monkeypatch.setenv("COTERIE_THEME", "dark")
    desks: list[Desk] = []

    def begin(profile: str | None = None) -> Desk:
        desks.append(Desk(house, house.home, failures, profile=profile))
        return desks[-1]

    yield begin
    for desk in desks:
        desk.root.update()
        desk.app.end()
    assert not failures


def test_somebody_new_signs_up_first(start: Start) -> None:
    desk = start()
    form = desk.app.window.screen
    assert isinstance(form, SignUpForm)
    assert form.server.value == "chat.example.org:4433"


def test_who_has_a_profile_unlocks_it(start: Start, house: House) -> None:
    house.here = ["alice"]
    form = start().app.window.screen
    assert isinstance(form, UnlockForm)
    assert form.profile.name == "alice"


@pytest.mark.parametrize("profile", ["bob", "bob@00112233"])
def test_a_profile_asked_for_by_name_is_the_one(start: Start, house: House, profile: str) -> None:
    house.here = ["alice", "bob"]
    form = start(profile).app.window.screen
    assert isinstance(form, UnlockForm)
    assert form.profile.name == "bob"


def test_a_profile_that_is_not_here_leads_to_signing_up(start: Start, house: House) -> None:
    house.here = ["alice"]
    assert start("carol").shows(SignUpForm)


def test_a_folder_that_cannot_be_read_is_said_so(
    start: Start, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(home: object) -> list[object]:
        raise Unavailable(Code.DISK)

    monkeypatch.setattr(house, "profiles", unreadable)
    desk = start()
    assert desk.shows(SignUpForm)
    notices = [child for child in desk.root.winfo_children() if child.winfo_class() == "TLabel"]
    assert any(str(n.cget("text")) == "The disk cannot be written or read" for n in notices)


def test_the_links_lead_from_form_to_form(start: Start, house: House) -> None:
    house.here = ["alice"]
    desk = start()
    desk.app.show_log_in()
    log_in = desk.app.window.screen
    assert isinstance(log_in, LogInForm)
    log_in.sign_up.invoke()
    sign_up = desk.app.window.screen
    assert isinstance(sign_up, SignUpForm)
    sign_up.log_in.invoke()
    assert desk.shows(LogInForm)
    again = desk.app.window.screen
    assert isinstance(again, LogInForm)
    desk.until(lambda: bool(again.name.entry.winfo_viewable()))
    again.name.entry.focus_force()
    desk.until(lambda: desk.root.focus_displayof() is again.name.entry)
    again.name.entry.event_generate("<Escape>")
    desk.until(lambda: desk.shows(UnlockForm))


def test_from_sign_up_over_the_recovery_key_to_the_conversations(start: Start, house: House) -> None:
    desk = start()
    form = desk.app.window.screen
    assert isinstance(form, SignUpForm)
    form.name.put("alice")
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    form.submit()
    desk.keep_recovery_key()
    desk.until(lambda: house.guests[0].recovery_key is None)
    assert desk.root.title() == "alice - coterie"
    assert house.prepared


def test_closing_the_window_closes_the_account(start: Start, house: House) -> None:
    desk = unlocked(start, house)
    desk.root.tk.eval(desk.root.protocol("WM_DELETE_WINDOW"))
    desk.until(lambda: bool(desk.quit))
    assert house.guests[0].closed
    assert desk.root.state() == "withdrawn"


def test_an_account_that_opens_after_the_window_was_closed_is_closed_again(
    start: Start, house: House
) -> None:
    house.here = ["alice"]
    house.secrets["alice"] = (PASSWORD, "", False)
    desk = start()
    house.held = asyncio.Event()
    held = house.held
    form = desk.app.window.screen
    assert isinstance(form, UnlockForm)
    form.password.put(PASSWORD)
    form.submit()
    desk.until(lambda: bool(house.calls))
    desk.app.close()
    assert desk.quit

    async def release() -> None:
        held.set()

    desk.app.work(release())
    desk.until(lambda: bool(house.guests) and house.guests[0].closed)


def test_an_account_that_cannot_be_closed_ends_the_window_all_the_same(
    start: Start, house: House, failures: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = unlocked(start, house)
    monkeypatch.setattr("coterie.desktop.app.CLOSE_MS", 1_000_000)

    async def broken() -> None:
        raise Refused(Code.BUSY)

    monkeypatch.setattr(house.guests[0], "close", broken)
    desk.app.close()
    desk.until(lambda: bool(desk.quit))
    assert isinstance(failures.pop(), Refused)


def test_an_account_that_does_not_close_in_time_is_not_waited_for(
    start: Start, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = unlocked(start, house)
    monkeypatch.setattr("coterie.desktop.app.CLOSE_MS", 10)

    async def for_ever() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(house.guests[0], "close", for_ever)
    desk.app.close()
    desk.until(lambda: bool(desk.quit))


def test_closing_a_second_time_ends_at_once(
    start: Start, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = unlocked(start, house)

    async def for_ever() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(house.guests[0], "close", for_ever)
    desk.app.close()
    assert not desk.quit
    desk.app.close()
    assert desk.quit


def test_a_generated_passphrase_is_forgotten_once_it_is_kept(start: Start, house: House) -> None:
    desk = start()
    form = desk.app.window.screen
    assert isinstance(form, SignUpForm)
    form.name.put("alice")
    form.suggest.invoke()
    form.submit()
    desk.keep_recovery_key()
    assert house.guests[0].passphrase is None


def test_a_draft_is_stored_before_the_account_is_closed(start: Start, house: House) -> None:
    desk = unlocked(start, house)
    view = desk.app.window.screen
    assert isinstance(view, MainWindow)
    desk.until(lambda: bool(view.presenter.list_rows))
    view.composer_typed("half a thought")
    desk.app.close()
    desk.until(lambda: bool(desk.quit))
    assert house.guests[0].drafts == ["half a thought"]
    assert house.guests[0].closed


def test_dark_and_light_are_toggled_and_what_was_typed_stays(start: Start) -> None:
    desk = start()
    form = desk.app.window.screen
    assert isinstance(form, SignUpForm)
    form.name.put("alice")
    assert desk.app.daylight.appearance is Appearance.DARK
    assert form.cget("background") == DARK.colours.window
    desk.root.event_generate(TOGGLE)
    desk.until(lambda: form.cget("background") == LIGHT.colours.window)
    assert desk.app.daylight.following is Following.PERSON
    assert form.name.value == "alice"


def test_the_main_screen_changes_with_the_theme(start: Start, house: House) -> None:
    desk = unlocked(start, house)
    view = desk.app.window.screen
    assert isinstance(view, MainWindow)
    desk.app.toggle()
    assert view.cget("background") == LIGHT.colours.window
    desk.app.toggle()
    assert view.cget("background") == DARK.colours.window
    desk.root.update()
    view.composer.text.focus_force()
    view.composer.text.event_generate("<Control-Shift-L>")
    assert view.cget("background") == LIGHT.colours.window


def test_what_happens_to_the_account_is_shown(start: Start, house: House) -> None:
    desk = unlocked(start, house)
    view = desk.app.window.screen
    assert isinstance(view, MainWindow)
    bob = Person(UserName("bob"), AccountId(bytes(32)), online=True, verified=False, me=False)
    desk.app.work(house.guests[0].happen(PersonAppeared(bob)))
    desk.until(lambda: "bob" in [row.title for row in view.presenter.list_rows])


def unlocked(start: Start, house: House) -> Desk:
    """A desk with the conversations of alice."""
    house.here = ["alice"]
    house.secrets["alice"] = (PASSWORD, "", False)
    desk = start()
    form = desk.app.window.screen
    assert isinstance(form, UnlockForm)
    form.password.put(PASSWORD)
    form.submit()
    desk.until(lambda: desk.app.stage is Stage.MAIN)
    return desk

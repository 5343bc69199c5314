"""The sign-up form: what it asks for, what it refuses and how it says so."""

from __future__ import annotations

import asyncio
import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, SecurityStop, Unavailable
from coterie.desktop.bridge import Bridge
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import FormState
from coterie.desktop.forms.sign_up import STRENGTH_DELAY_MS, Secret, SignUpForm
from coterie.desktop.look import Look
from coterie.e2ee.recovery import is_passphrase
from coterie.screens.doors import Opened
from coterie.screens.theme import DARK
from tests.desktop.house import House

Wait = Callable[[Callable[[], bool]], None]
Press = Callable[..., None]
TypeInto = Callable[[Field, str], None]
Pixel = Callable[[tk.Misc, int, int], str]
Show = Callable[[Callable[[tk.Misc], SignUpForm]], SignUpForm]

STRONG = "correct horse battery staple 77"


@pytest.fixture
def went() -> list[str]:
    """Where the form's links led."""
    return []


@pytest.fixture
def form(show: Show, entrance: Entrance, went: list[str]) -> SignUpForm:
    return show(
        lambda parent: SignUpForm(
            parent, entrance, on_log_in=lambda: went.append("log in"), back=lambda: went.append("back")
        )
    )


def fill(form: SignUpForm, name: str = "alice", password: str = STRONG, confirm: str | None = None) -> None:
    form.name.put(name)
    form.password.put(password)
    form.confirm.put(password if confirm is None else confirm)


def state_of(form: SignUpForm) -> FormState:
    return form.state


def test_it_begins_at_the_name_with_the_server_filled_in(form: SignUpForm) -> None:
    assert form.server.value == "chat.example.org:4433"
    assert form.focus_get() is form.name.entry
    assert form.password.hidden
    assert form.confirm.hidden


def test_typing_and_enter_sign_up(
    form: SignUpForm, type_into: TypeInto, press: Press, wait: Wait, house: House, opened: list[Opened]
) -> None:
    type_into(form.name, "alice")
    type_into(form.password, STRONG)
    type_into(form.confirm, STRONG)
    press(form.confirm.entry, "<Return>")
    wait(lambda: bool(opened))
    assert house.calls == ["sign_up chat.example.org:4433 alice False False"]
    assert house.secrets["alice"][0] == STRONG
    assert form.password.value == form.confirm.value == ""


def test_tab_goes_through_the_form_in_order(form: SignUpForm, press: Press) -> None:
    order: list[object] = [form.focus_get()]
    for _ in range(6):
        widget = form.focus_get()
        assert widget is not None
        press(widget, "<Tab>")
        order.append(form.focus_get())
    assert order == [
        form.name.entry,
        form.password.entry,
        form.show,
        form.confirm.entry,
        form.suggest,
        form.main,
        form.log_in,
    ]


@pytest.mark.parametrize("missing", ["server", "name", "password", "confirm"])
def test_all_fields_are_required(form: SignUpForm, missing: str, press: Press, house: House) -> None:
    fill(form)
    field = {f: getattr(form, f) for f in ("server", "name", "password", "confirm")}[missing]
    field.put("")
    press(form, "<Return>")
    assert form.problem_line.cget("text") == "All fields are required"
    assert field.entry.instate(["invalid"])
    assert form.focus_get() is field.entry
    assert house.calls == []


def test_password_mismatch(form: SignUpForm, house: House) -> None:
    fill(form, confirm="something else")
    form.submit()
    assert form.confirm.line == "Password mismatch"
    assert form.password.value == STRONG
    assert house.calls == []


def test_user_already_exists_and_what_was_typed_stays(
    form: SignUpForm, wait: Wait, house: House, opened: list[Opened]
) -> None:
    house.secrets["alice"] = ("other", "", False)
    fill(form)
    form.submit()
    wait(lambda: form.state is FormState.EDITING)
    assert form.name.line == "User already exists"
    assert form.focus_get() is form.name.entry
    assert (form.name.value, form.password.value, form.confirm.value) == ("alice", STRONG, STRONG)
    assert opened == []


def test_a_weak_password_is_refused_beside_the_password(form: SignUpForm, wait: Wait) -> None:
    fill(form, password="hunter2")
    form.submit()
    wait(lambda: form.state is FormState.EDITING)
    assert form.password.line == "This password is too easy to guess"


@pytest.mark.parametrize(
    ("fault", "field", "text"),
    [
        (Refused(Code.BAD_NAME), "name", "Use 1 to 32 letters, digits, dots, - or _"),
        (Unavailable(Code.UNREACHABLE), "server", "The server cannot be reached"),
        (Refused(Code.SIGN_UP_CLOSED), "server", "This server takes new accounts by invitation only"),
        (
            SecurityStop(Code.IDENTITY_CHANGED),
            "server",
            "STOP: this is not the server of the invitation. Nothing was sent to it",
        ),
        (Refused(Code.TOO_MANY_TRIES), None, "Too many tries. Please wait a few minutes"),
        (Refused(Code.STALE_VIEW), None, "That did not work (stale-view)"),
    ],
)
def test_refusals_stand_where_they_belong(
    form: SignUpForm, wait: Wait, house: House, fault: BaseException, field: str | None, text: str
) -> None:
    house.fault = fault
    fill(form)
    form.submit()
    wait(lambda: form.state is FormState.EDITING)
    shown = form.problem_line.cget("text") if field is None else getattr(form, field).line
    assert shown == text


def test_an_error_that_is_none_of_ours_is_shown_without_its_words_and_reported(
    form: SignUpForm, wait: Wait, house: House, failures: list[BaseException]
) -> None:
    house.fault = KeyError(STRONG)
    fill(form)
    form.submit()
    wait(lambda: bool(failures))
    assert isinstance(failures.pop(), KeyError)
    assert "KeyError" in str(form.problem_line.cget("text"))
    assert STRONG not in str(form.problem_line.cget("text"))
    assert form.state is FormState.EDITING


def test_while_it_works_the_form_is_disabled_and_moves(
    form: SignUpForm,
    wait: Wait,
    press: Press,
    house: House,
    bridge: Bridge,
    opened: list[Opened],
    went: list[str],
) -> None:
    house.held = asyncio.Event()
    fill(form)
    form.submit()
    wait(lambda: bool(house.calls))
    assert state_of(form) is FormState.WORKING
    assert form.main.cget("text") == "Creating your account ..."
    assert form.progress.moving
    for control in (form.main, form.name.entry, form.password.entry, form.show, form.suggest, form.log_in):
        assert control.instate(["disabled"])
    press(form.name.entry, "<Return>", "<Escape>")
    assert not went
    held = house.held

    async def release() -> None:
        held.set()

    bridge.run(release())
    wait(lambda: bool(opened))
    assert len(house.calls) == 1
    assert state_of(form) is FormState.EDITING
    wait(lambda: not form.progress.moving)
    assert form.main.cget("text") == "Create account"
    assert form.main.instate(["!disabled"])


def test_show_and_hide(form: SignUpForm, type_into: TypeInto) -> None:
    type_into(form.password, "abc")
    assert form.password.entry.cget("show") == "\u2022"
    form.show.invoke()
    assert (form.password.hidden, form.confirm.hidden, form.show.cget("text")) == (False, False, "Hide")
    form.show.invoke()
    assert (form.password.hidden, form.confirm.hidden, form.show.cget("text")) == (True, True, "Show")


def test_the_bar_tells_weak_from_strong_in_words_and_colour(
    form: SignUpForm, wait: Wait, pixel: Pixel
) -> None:
    colours = DARK.colours
    bar = form.strength.bar
    form.password.put("hunter2")
    wait(lambda: "Weak" in form.strength.words.cget("text"))
    assert pixel(bar, 2, 4) == colours.danger
    assert pixel(bar, bar.winfo_width() - 2, 4) == colours.field
    form.password.put(STRONG)
    wait(lambda: "Strong" in form.strength.words.cget("text"))
    assert "bits" in form.strength.words.cget("text")
    assert pixel(bar, 2, 4) == colours.success
    form.password.put("")
    wait(lambda: not form.strength.words.cget("text").strip())
    assert pixel(bar, 2, 4) == colours.field


def test_the_name_counts_against_the_password(form: SignUpForm, wait: Wait) -> None:
    form.password.put("maximilianrobespierre")
    wait(lambda: "bits" in form.strength.words.cget("text"))
    before = form.strength.words.cget("text")
    form.name.put("maximilianrobespierre")
    wait(lambda: form.strength.words.cget("text") != before)
    assert "Very weak" in form.strength.words.cget("text")


def test_wrapping_is_offered_with_its_warning_only_for_a_very_strong_password(
    form: SignUpForm, wait: Wait, house: House, opened: list[Opened]
) -> None:
    assert not form.wrap.winfo_ismapped()
    fill(form)
    wait(lambda: bool(form.wrap.winfo_ismapped()))
    assert form.wrap_warning.cget("text") == "Whoever holds the server can try to guess this."
    assert form.wrap_warning.winfo_ismapped()
    assert form.wrap.instate(["!selected"])
    form.wrap.invoke()
    form.password.put("hunter2")
    wait(lambda: not form.wrap.winfo_ismapped())
    assert form.wrap.instate(["!selected"])
    fill(form)
    wait(lambda: bool(form.wrap.winfo_ismapped()))
    form.wrap.invoke()
    form.submit()
    wait(lambda: bool(opened))
    assert house.calls == ["sign_up chat.example.org:4433 alice False True"]


def test_a_suggested_passphrase_needs_a_name_only(
    form: SignUpForm, wait: Wait, house: House, opened: list[Opened]
) -> None:
    form.name.put("alice")
    form.password.put("half typed")
    form.suggest.invoke()
    assert form.secret is Secret.GENERATED
    wait(lambda: not form.password.winfo_ismapped())
    wait(lambda: bool(form.drawn))
    shown = str(form.passphrase.cget("text")).replace("\n", "")
    assert is_passphrase(shown)
    form.own_password.invoke()
    form.suggest.invoke()
    form.submit()
    wait(lambda: bool(opened))
    assert house.calls == ["sign_up chat.example.org:4433 alice True False"]
    assert opened[0].passphrase == shown == form.drawn


def test_back_to_a_password_of_ones_own_keeps_what_was_typed(form: SignUpForm, wait: Wait) -> None:
    form.password.put("half typed")
    form.suggest.invoke()
    form.own_password.invoke()
    wait(lambda: bool(form.password.winfo_ismapped()))
    assert form.secret is Secret.OWN
    assert form.password.value == "half typed"


def test_an_invitation_is_said_to_pin_the_server(form: SignUpForm) -> None:
    assert form.server.line == ""
    form.server.put("coterie://chat.example.org:4433/#v1.00ff.token")
    form.update()
    assert form.server.line == "The invitation carries the server's fingerprint."


def test_escape_and_links_lead_away(form: SignUpForm, press: Press, went: list[str]) -> None:
    press(form.name.entry, "<Escape>")
    press(form.log_in, "<Return>")
    assert went == ["back", "log in"]


def test_a_form_that_is_gone_still_hands_over_what_it_opened(
    form: SignUpForm, wait: Wait, house: House, bridge: Bridge, opened: list[Opened]
) -> None:
    house.held = asyncio.Event()
    held = house.held
    fill(form)
    form.submit()
    wait(lambda: bool(house.calls))
    form.destroy()

    async def release() -> None:
        held.set()

    bridge.run(release())
    wait(lambda: bool(opened))


def test_a_form_that_goes_away_while_a_password_waits_to_be_weighed(form: SignUpForm, wait: Wait) -> None:
    root = form.winfo_toplevel()
    form.password.put(STRONG)
    root.update()
    form.destroy()
    passed: list[bool] = []
    root.after(2 * STRENGTH_DELAY_MS, passed.append, True)
    wait(lambda: bool(passed))


def test_in_a_small_window_the_card_follows_the_focus_and_the_wheel(
    form: SignUpForm, press: Press, wait: Wait, look: Look
) -> None:
    root = look.root
    root.geometry("480x520+0+0")
    wait(lambda: form.winfo_height() == 520)
    assert form.main.winfo_rooty() - root.winfo_rooty() > 520
    form.main.focus_force()
    wait(lambda: form.main.winfo_rooty() + form.main.winfo_height() - root.winfo_rooty() <= 520)
    form.server.entry.focus_force()
    wait(lambda: form.server.winfo_rooty() >= root.winfo_rooty())
    before = form.canvasy(0)
    form.name.event_generate("<Button-5>")
    wait(lambda: form.canvasy(0) > before)
    down = form.canvasy(0)
    form.name.event_generate("<Button-4>")
    wait(lambda: form.canvasy(0) < down)


def test_no_secret_is_in_a_repr(form: SignUpForm, entrance: Entrance) -> None:
    fill(form)
    for thing in (form, form.password, form.password.entry, entrance):
        assert STRONG not in repr(thing)
        assert "chat.example.org" not in repr(thing)

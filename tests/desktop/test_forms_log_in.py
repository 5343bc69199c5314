"""The forms for an account that exists: logging in from a new machine, unlocking on this one."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import FormState
from coterie.desktop.forms.log_in import LogInForm
from coterie.desktop.forms.unlock import UnlockForm
from coterie.e2ee.recovery import RecoveryKey
from coterie.screens.doors import Opened
from tests.desktop.house import House

Wait = Callable[[Callable[[], bool]], None]
Press = Callable[..., None]
TypeInto = Callable[[Field, str], None]
ShowLogIn = Callable[[Callable[[tk.Misc], LogInForm]], LogInForm]
ShowUnlock = Callable[[Callable[[tk.Misc], UnlockForm]], UnlockForm]

PASSWORD = "correct horse battery staple 77"


@pytest.fixture
def went() -> list[str]:
    return []


@pytest.fixture
def words() -> str:
    return RecoveryKey.generate().words()


@pytest.fixture
def log_in(show: ShowLogIn, entrance: Entrance, went: list[str]) -> LogInForm:
    return show(
        lambda parent: LogInForm(
            parent,
            entrance,
            on_sign_up=lambda: went.append("sign up"),
            on_approval=lambda: went.append("approval"),
            back=lambda: went.append("back"),
        )
    )


@pytest.fixture
def unlock(show: ShowUnlock, entrance: Entrance, house: House, went: list[str]) -> UnlockForm:
    house.here = ["alice", "bob"]
    house.secrets = {name: (f"{PASSWORD} {name}", "", False) for name in house.here}
    return show(
        lambda parent: UnlockForm(
            parent,
            entrance,
            profiles=house.profiles(house.home),
            on_other=lambda: went.append("other"),
        )
    )


def test_a_passphrase_alone_logs_in(
    log_in: LogInForm, type_into: TypeInto, press: Press, wait: Wait, house: House, opened: list[Opened]
) -> None:
    house.secrets["alice"] = ("one-two-three", "", True)
    type_into(log_in.name, "alice")
    type_into(log_in.password, "one-two-three")
    press(log_in.password.entry, "<Return>")
    wait(lambda: bool(opened))
    assert log_in.password.value == ""


def test_everything_but_the_recovery_key_is_required(log_in: LogInForm, house: House) -> None:
    log_in.name.put("alice")
    log_in.submit()
    assert log_in.problem_line.cget("text") == "All fields are required"
    assert log_in.focus_get() is log_in.password.entry
    assert house.calls == []


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_invalid_username_or_password(log_in: LogInForm, wait: Wait, house: House, name: str) -> None:
    house.secrets["alice"] = (PASSWORD, "", True)
    log_in.name.put(name)
    log_in.password.put("wrong")
    log_in.submit()
    wait(lambda: log_in.state is FormState.EDITING)
    assert log_in.problem_line.cget("text") == "Invalid username or password"
    assert (log_in.name.value, log_in.password.value) == (name, "wrong")


def test_the_recovery_key_is_asked_for_when_it_is_needed(
    log_in: LogInForm, wait: Wait, house: House, words: str, opened: list[Opened]
) -> None:
    house.secrets["alice"] = (PASSWORD, words, False)
    assert not log_in.recovery_key.winfo_ismapped()
    log_in.name.put("alice")
    log_in.password.put(PASSWORD)
    log_in.submit()
    wait(lambda: bool(log_in.recovery_key.winfo_ismapped()))
    wait(lambda: log_in.focus_get() is log_in.recovery_key.entry)
    assert "recovery key" in str(log_in.problem_line.cget("text"))
    log_in.recovery_key.put(words.upper().replace(" ", "   "))
    log_in.submit()
    wait(lambda: bool(opened))
    assert log_in.recovery_key.value == ""


def test_the_recovery_key_may_be_given_at_once(log_in: LogInForm, wait: Wait) -> None:
    log_in.use_recovery_key.invoke()
    wait(lambda: bool(log_in.recovery_key.winfo_ismapped()))
    wait(lambda: log_in.focus_get() is log_in.recovery_key.entry)
    assert not log_in.use_recovery_key.winfo_ismapped()
    assert log_in.confirm.winfo_ismapped()


def test_a_password_beside_a_recovery_key_is_asked_twice_unless_the_server_knew_it(
    log_in: LogInForm, wait: Wait, house: House, words: str, opened: list[Opened]
) -> None:
    house.secrets["alice"] = (PASSWORD, words, False)
    log_in.name.put("alice")
    log_in.password.put(PASSWORD)
    log_in.submit()
    wait(lambda: bool(log_in.recovery_key.winfo_ismapped()))
    assert not log_in.confirm.winfo_ismapped()
    assert log_in.recovery_key.line == "Forgot the password? Type a new one above."
    log_in.password.put(PASSWORD + "8")
    wait(lambda: bool(log_in.confirm.winfo_ismapped()))
    log_in.password.put(PASSWORD)
    log_in.recovery_key.put(words)
    log_in.submit()
    assert log_in.confirm.line == "Password mismatch"
    log_in.confirm.put(PASSWORD)
    log_in.submit()
    wait(lambda: bool(opened))


def test_escape_goes_back_and_the_link_to_sign_up(log_in: LogInForm, press: Press, went: list[str]) -> None:
    press(log_in.name.entry, "<Escape>")
    log_in.sign_up.invoke()
    assert went == ["back", "sign up"]


def test_unlocking_asks_for_the_password_only(
    unlock: UnlockForm, type_into: TypeInto, press: Press, wait: Wait, house: House, opened: list[Opened]
) -> None:
    assert unlock.title.cget("text") == "Welcome back, alice"
    assert unlock.focus_get() is unlock.password.entry
    type_into(unlock.password, f"{PASSWORD} alice")
    press(unlock.password.entry, "<KP_Enter>")
    wait(lambda: bool(opened))
    assert house.calls == ["open alice@00112233"]
    assert opened[0].name == "alice"


def test_a_wrong_password_stays_and_is_said_to_be_wrong(unlock: UnlockForm, wait: Wait) -> None:
    unlock.password.put("wrong")
    unlock.submit()
    wait(lambda: unlock.state is FormState.EDITING)
    assert unlock.password.line == "Invalid username or password"
    assert unlock.password.value == "wrong"
    assert unlock.focus_get() is unlock.password.entry


def test_nothing_typed_is_not_asked(unlock: UnlockForm, house: House) -> None:
    unlock.submit()
    assert unlock.problem_line.cget("text") == "All fields are required"
    assert house.calls == []


def test_a_profile_that_is_open_elsewhere(unlock: UnlockForm, wait: Wait, house: House) -> None:
    house.fault = Unavailable(Code.PROFILE_IN_USE)
    unlock.password.put("x")
    unlock.submit()
    wait(lambda: unlock.state is FormState.EDITING)
    assert unlock.problem_line.cget("text") == "This account is open in another window"


def test_one_of_several_profiles_can_be_chosen(
    unlock: UnlockForm, wait: Wait, house: House, opened: list[Opened]
) -> None:
    assert unlock.choice.cget("values") == ("alice", "bob")
    unlock.password.put("meant for alice")
    unlock.choice.current(1)
    unlock.choice.event_generate("<<ComboboxSelected>>")
    unlock.update()
    assert unlock.title.cget("text") == "Welcome back, bob"
    assert unlock.password.value == ""
    unlock.password.put(f"{PASSWORD} bob")
    unlock.submit()
    wait(lambda: bool(opened))
    assert opened[0].name == "bob"


def test_profiles_of_one_name_are_told_apart(show: ShowUnlock, entrance: Entrance, house: House) -> None:
    house.here = ["alice", "alice"]
    form = show(
        lambda parent: UnlockForm(
            parent, entrance, profiles=house.profiles(house.home), on_other=lambda: None
        )
    )
    assert form.choice.cget("values") == ("alice@00112233", "alice@00112233")

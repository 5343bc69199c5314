"""The window on a real server, with somebody else on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.desktop.app import Stage
from coterie.desktop.forms.approval import ApprovalForm
from coterie.desktop.forms.form import FormState
from coterie.desktop.forms.log_in import LogInForm
from coterie.desktop.forms.sign_up import SignUpForm
from coterie.desktop.forms.unlock import UnlockForm
from coterie.desktop.main_window import MainWindow
from tests.desktop.desk import Desk
from tests.desktop.on_a_server import PASSWORD, Start, leave, sign_up
from tests.real.programs import Client, Server

pytestmark = pytest.mark.slow


def rows(desk: Desk) -> dict[str, tuple[str, int]]:
    """Title of each row of the list -> its preview and its badge."""
    view = desk.app.window.screen
    assert isinstance(view, MainWindow)
    return {
        row.title: ("".join(span.text for span in row.preview), row.unread)
        for row in view.presenter.list_rows
    }


def test_two_people_write_to_each_other_and_find_it_again(
    start: Start, server: Server, tmp_path: Path
) -> None:
    desk = start(tmp_path / "alice")
    sign_up(desk, "alice")
    bob = Client(tmp_path / "bob", "bob")
    bob.sign_up(server.invite)
    bob.send("@alice", "hi alice 🎉")
    desk.until(lambda: "hi alice" in rows(desk).get("bob", ("", 0))[0])
    view = desk.screen(MainWindow)
    view.composer_submitted("@bob hello bob")
    arrived = bob.waiting(1)
    assert [(line["from"], line["text"]) for line in arrived] == [("alice", "hello bob")]
    leave(desk)
    again = start(tmp_path / "alice")
    unlock = again.screen(UnlockForm)
    assert unlock.title.cget("text") == "Welcome back, alice"
    unlock.password.put("wrong")
    unlock.submit()
    again.until(lambda: unlock.state is FormState.EDITING)
    assert unlock.password.line == "Invalid username or password"
    unlock.password.put(PASSWORD)
    unlock.submit()
    again.until(lambda: again.app.stage is Stage.MAIN)
    again.until(lambda: "bob" in rows(again))
    assert rows(again)["bob"][0]


def test_refusals_of_a_real_server_stand_in_the_form(start: Start, server: Server, tmp_path: Path) -> None:
    Client(tmp_path / "carol", "carol").sign_up(server.invite)
    desk = start(tmp_path / "other")
    form = desk.screen(SignUpForm)
    cases = (
        (server.invite, "carol", form.name, "User already exists"),
        (server.invite, "every one", form.name, "Use 1 to 32 letters, digits, dots, - or _"),
        ("nonsense", "dora", form.server, "This is not a server address or an invitation link"),
        ("127.0.0.1:1", "dora", form.server, "The server cannot be reached"),
        (
            f"coterie://{server.listen}/#v1.{'00' * 32}",
            "dora",
            form.server,
            "STOP: this is not the server of the invitation. Nothing was sent to it",
        ),
    )
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    for address, name, field, text in cases:
        form.server.put(address)
        form.name.put(name)
        desk.root.update()
        form.submit()
        desk.until(lambda: form.state is FormState.EDITING)
        assert field.line == text
    assert form.password.value == PASSWORD


def test_a_second_machine_with_a_passphrase_alone_and_with_the_recovery_key(
    start: Start, server: Server, tmp_path: Path
) -> None:
    erin = start(tmp_path / "erin")
    form = erin.screen(SignUpForm)
    form.name.put("erin")
    form.suggest.invoke()
    form.submit()
    erin.until(lambda: erin.app.me is not None)
    assert erin.app.me is not None
    passphrase = erin.app.me.passphrase or ""
    erin.keep_recovery_key()
    leave(erin)
    frank = start(tmp_path / "frank")
    form = frank.screen(SignUpForm)
    form.name.put("frank")
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    form.submit()
    frank.until(lambda: frank.app.me is not None)
    assert frank.app.me is not None
    words = frank.app.me.recovery_key or ""
    frank.keep_recovery_key()
    leave(frank)

    desk = start(tmp_path / "erin elsewhere")
    desk.screen(SignUpForm).log_in.invoke()
    log_in = desk.screen(LogInForm)
    log_in.name.put("erin")
    log_in.password.put("not it")
    log_in.submit()
    desk.until(lambda: log_in.state is FormState.EDITING)
    assert log_in.problem_line.cget("text") == "Invalid username or password"
    log_in.password.put(passphrase)
    log_in.submit()
    desk.until(lambda: desk.app.stage is Stage.MAIN)
    leave(desk)

    desk = start(tmp_path / "frank elsewhere")
    desk.screen(SignUpForm).log_in.invoke()
    log_in = desk.screen(LogInForm)
    log_in.name.put("frank")
    log_in.password.put(PASSWORD)
    log_in.submit()
    desk.until(lambda: bool(log_in.recovery_key.winfo_ismapped()))
    assert "recovery key" in str(log_in.problem_line.cget("text"))
    log_in.recovery_key.put(words)
    log_in.submit()
    desk.until(lambda: desk.app.stage is Stage.MAIN)


def test_a_machine_joins_by_the_code_that_its_window_shows(
    start: Start, server: Server, tmp_path: Path
) -> None:
    eve = Client(tmp_path / "eve", "eve.of.windows", PASSWORD)
    eve.sign_up(server.invite)
    desk = start(tmp_path / "second")
    desk.app.show_approval()
    form = desk.screen(ApprovalForm)
    form.name.put(eve.name)
    form.password.put(PASSWORD)
    form.confirm.put(PASSWORD)
    form.submit()
    desk.until(lambda: form.asking is not None)
    assert form.asking is not None
    with eve.running("devices", "approve", "--code", form.asking.code) as approving:
        desk.until(lambda: desk.app.stage is Stage.MAIN)
        assert approving.rest()[-1]["approved_by_recovery"] is False

"""A root on the display of the tests, whose callback errors fail the test; forms, keys and pixels on it."""

from __future__ import annotations

import tkinter as tk
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import pytest
from PIL import ImageGrab

from coterie.desktop.bridge import Bridge
from coterie.desktop.forms.entrance import Entrance
from coterie.desktop.forms.field import Field
from coterie.desktop.forms.form import Form
from coterie.desktop.look import Look
from coterie.desktop.sdk_doors import SdkDoors
from coterie.screens.doors import Opened
from coterie.screens.theme import DARK
from tests.desktop.desk import Desk
from tests.desktop.house import House
from tests.desktop.on_a_server import Start, leave
from tests.real.programs import Server

F = TypeVar("F", bound=Form)

WAIT_MS: Final = 20_000
"""How long a test waits for a window to get into a state before it fails."""
KEYSYMS: Final = {" ": "space", "-": "minus", ".": "period", ":": "colon", "@": "at", "_": "underscore"}


@pytest.fixture
def failures() -> list[BaseException]:
    """What callbacks raised; a test that expects an error takes it out."""
    return []


@pytest.fixture(scope="session")
def only_root(display: str) -> Iterator[tk.Tk]:
    """One root for all tests that need no more than a clean one: making one takes longer than most tests."""
    del display
    root = tk.Tk()
    yield root
    root.destroy()


@pytest.fixture
def root(only_root: tk.Tk, failures: list[BaseException]) -> Iterator[tk.Tk]:
    """An empty root; any error in one of its callbacks fails the test."""
    root = only_root

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        del kind, trace
        failures.append(error)

    def report_script(message: str, _options: str) -> None:
        failures.append(AssertionError(f"error in a Tcl script: {message}"))

    root.report_callback_exception = report
    root.tk.createcommand("fail_the_test", report_script)
    root.tk.call("interp", "bgerror", "", "fail_the_test")
    root.geometry("910x700+0+0")
    yield root
    root.update_idletasks()
    for timer in root.tk.splitlist(root.tk.call("after", "info")):
        root.tk.call("after", "cancel", timer)
    for child in root.winfo_children():
        child.destroy()
    told = ["".join(traceback.format_exception(error)) for error in failures]
    assert not told, "errors in callbacks:\n" + "\n".join(told)


Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def wait(root: tk.Tk) -> Wait:
    """wait(condition): let the window live until the condition holds; fails after WAIT_MS."""

    def until(condition: Callable[[], bool]) -> None:
        late: list[bool] = []
        timer = root.after(WAIT_MS, late.append, True)
        ticking: list[str] = []

        def tick() -> None:
            ticking[:] = [root.after(3, tick)]

        tick()
        try:
            while not condition():
                assert not late, "the window did not get there in time"
                root.tk.dooneevent(0)
        finally:
            root.after_cancel(timer)
            root.after_cancel(ticking[0])

    return until


@pytest.fixture
def bridge(root: tk.Tk) -> Iterator[Bridge]:
    bridge = Bridge(root)
    bridge.start()
    yield bridge
    root.update()
    bridge.stop()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def look(root: tk.Tk) -> Look:
    return Look(root, DARK)


@pytest.fixture
def opened() -> list[Opened]:
    """What the forms have opened."""
    return []


@pytest.fixture
def entrance(look: Look, bridge: Bridge, house: House, opened: list[Opened]) -> Entrance:
    return Entrance(look, bridge.run, house, house.home, "chat.example.org:4433", opened.append)


@pytest.fixture
def show(root: tk.Tk, wait: Wait) -> Callable[[Callable[[tk.Misc], F]], F]:
    """show(build): put a form on the root and wait until it is on the display and has the focus."""

    def put(build: Callable[[tk.Misc], F]) -> F:
        form = build(root)
        form.place(relx=0, rely=0, relwidth=1, relheight=1)
        wait(lambda: bool(form.main.winfo_viewable()) and form.focus_lastfor() is not root)
        first = form.focus_lastfor()
        assert first is not None
        first.focus_force()
        wait(lambda: root.focus_displayof() is first)
        return form

    return put


@pytest.fixture
def press(root: tk.Tk) -> Callable[..., None]:
    """press(widget, "<Return>"): what a key does there."""

    def key(widget: tk.Misc, *sequences: str) -> None:
        for sequence in sequences:
            widget.focus_force()
            root.update()
            widget.event_generate(sequence)
            root.update()

    return key


@pytest.fixture
def type_into(root: tk.Tk) -> Callable[[Field, str], None]:
    """type_into(field, text): key by key, as a person does."""

    def keys(field: Field, text: str) -> None:
        field.entry.focus_force()
        root.update()
        for character in text:
            field.entry.event_generate("<Key>", keysym=KEYSYMS.get(character, character))
        root.update()

    return keys


@pytest.fixture
def pixel(root: tk.Tk, display: str) -> Callable[[tk.Misc, int, int], str]:
    """pixel(widget, x, y): the colour on the display at a point of a widget, "#rrggbb"."""

    def colour(widget: tk.Misc, x: int, y: int) -> str:
        root.update()
        left, top = widget.winfo_rootx() + x, widget.winfo_rooty() + y
        image = ImageGrab.grab((left, top, left + 1, top + 1), xdisplay=display or None)
        return "#" + bytes(image.convert("RGB").tobytes()).hex()

    return colour


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real one, for a module of tests."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture
def start(
    display: str, server: Server, failures: list[BaseException], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Opens windows on the server, whose callback errors fail the test."""
    monkeypatch.setenv("COTERIE_THEME", "dark")
    running: list[Desk] = []

    def begin(home: Path, invite: str | None = None) -> Desk:
        running.append(Desk(SdkDoors(), home, failures, server=invite or server.invite))
        return running[-1]

    yield begin
    for desk in running:
        leave(desk)
    assert not failures

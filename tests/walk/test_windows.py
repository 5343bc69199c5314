"""The lettered steps of docs/walk.md: from one window to another, with all that is between them."""

from __future__ import annotations

import re
import sys
import tkinter as tk
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import coterie
from coterie.base.conversations import direct_id
from coterie.client.api.me import Me
from coterie.desktop.bridge import Bridge
from coterie.desktop.main_window import MainWindow
from coterie.screens.presenter import Presenter
from coterie.screens.rows import MessageRow
from coterie.screens.theme import DARK
from tests.village.conftest import Village, acquainted
from tests.walk.test_walk import PAGE, Trace, steps

PATIENCE_MS = 30_000
LETTERED = re.compile(r"^[a-z]\. `([\w/]+)` `([\w.]+)`: ", re.MULTILINE)
SAID = "from window to window"


class Window:
    """The main window of one person."""

    def __init__(self, root: tk.Tk, bridge: Bridge, me: Me) -> None:
        self.me = me
        self.view = MainWindow(root, Presenter(me), DARK, bridge.run)
        self.view.pack(side="left", fill="both", expand=True)
        self._bridge = bridge
        bridge.run(self._listen())
        self.view.apply(self.view.presenter.begin())

    async def _listen(self) -> None:
        async for event in self.me.events():
            self._bridge.post(self._showing(event))

    def _showing(self, event: coterie.Event) -> Callable[[], None]:
        return lambda: self.view.apply(self.view.presenter.take(event))

    def talks_to(self, other: Me) -> bool:
        """Whether the conversation with somebody is open; asks for it where it is not."""
        if self.view.presenter.selected == direct_id(self.me.account, other.account):
            return True
        self.view.apply(self.view.presenter.address(other.name))
        return False

    def shows(self, text: str) -> bool:
        return any(isinstance(row, MessageRow) and row.text == text for row in self.view.timeline.view.rows)


@pytest.fixture
def root(display: str) -> Iterator[tk.Tk]:
    del display
    root = tk.Tk()
    root.geometry("1200x700+0+0")
    yield root
    root.destroy()


@pytest.fixture
def bridge(root: tk.Tk) -> Iterator[Bridge]:
    bridge = Bridge(root)
    bridge.start()
    yield bridge
    bridge.stop()


@pytest.fixture
def people(root: tk.Tk, bridge: Bridge, tmp_path: Path) -> Iterator[list[Me]]:
    """Alice and bob, who have met, with their server, all in the bridge's loop."""
    village = Village(tmp_path)
    inhabitants: list[Me] = []

    async def move_in() -> None:
        await village.start()
        inhabitants.extend([await village.person("alice"), await village.person("bob")])
        await acquainted(*inhabitants)

    finish(root, bridge, move_in())
    yield inhabitants
    finish(root, bridge, village.close())


def finish(root: tk.Tk, bridge: Bridge, work: Coroutine[Any, Any, None]) -> None:
    """Carry this out in the loop and wait for it."""
    results: list[BaseException | None] = []
    bridge.run(work, lambda _nothing: results.append(None), results.append)
    wait(root, lambda: bool(results))
    if results[0] is not None:
        raise results[0]


def wait(root: tk.Tk, condition: Callable[[], bool]) -> None:
    """Let the windows live until the condition holds."""
    late: list[bool] = []
    timer = root.after(PATIENCE_MS, late.append, True)
    while not condition():
        assert not late, "it did not happen in time"
        root.after(5, lambda: None)
        root.tk.dooneevent(0)
    root.after_cancel(timer)


async def profile_here(trace: Trace | None) -> None:
    """In the loop's thread, from the next call on."""
    sys.setprofile(trace)


@pytest.mark.slow
def test_from_window_to_window(root: tk.Tk, bridge: Bridge, people: list[Me]) -> None:
    alice, bob = (Window(root, bridge, me) for me in people)
    wait(root, lambda: alice.talks_to(bob.me))
    wait(root, lambda: bob.talks_to(alice.me))
    trace = Trace()
    finish(root, bridge, profile_here(trace))
    sys.setprofile(trace)
    try:
        alice.view.composer.insert(SAID)
        alice.view.composer.submit()
        wait(root, lambda: bob.shows(SAID))
    finally:
        sys.setprofile(None)
        finish(root, bridge, profile_here(None))
    page = PAGE.read_text(encoding="utf-8")
    before, after = (LETTERED.findall(part) for part in page.split("In bob's window", 1))
    rest = iter(trace.calls)
    for step in (*before, steps()[0], steps()[-1], *after):
        assert step in rest, f"the message did not pass {step} where the page has it"

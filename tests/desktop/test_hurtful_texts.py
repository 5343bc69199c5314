"""Texts that hurt, in the real window: whatever way they take, Tk never gets what could end the process."""

from __future__ import annotations

import re
import tkinter as tk
from collections.abc import Iterator
from typing import Any

import pytest

from coterie.base.codes import Code
from coterie.base.ids import UserName
from coterie.client.events import NotFor
from coterie.desktop.bridge import Bridge
from coterie.screens.emoji_sequences import is_emoji_part
from tests.desktop.street_window import StreetWindow, Wait
from tests.hurtful import TEXTS
from tests.screens.street import Street

HARMFUL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
WHOLE = 600
"""Of each text in the composer: a picture is made for every cluster that Tk may not draw."""


class Watched:
    """Stands between widgets and Tcl, and looks at every word that goes there."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.harmful: list[str] = []
        self.words = 0

    def call(self, *words: Any) -> Any:
        if not self._is_taken_over(words):
            self._look(words)
        return self._app.call(*words)

    def _is_taken_over(self, words: Any) -> bool:
        """A text field takes these two over and cleans what comes before Tk sees it (safe_text.py)."""
        if len(words) == 1 and isinstance(words[0], tuple):
            words = words[0]
        taken_over = len(words) > 2 and words[1] in ("insert", "replace")
        return taken_over and bool(self._app.call("info", "commands", f"{words[0]}.coterie_text"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    def _look(self, words: Any) -> None:
        if isinstance(words, str):
            self.words += 1
            if HARMFUL.search(words) or any(map(is_emoji_part, words)):
                self.harmful.append(words[:80])
        elif isinstance(words, tuple | list):
            for word in words:
                self._look(word)


@pytest.fixture
def watched(root: tk.Tk) -> Iterator[Watched]:
    """Widgets made from now on talk to Tcl through this."""
    before = root.tk
    watching = Watched(before)
    root.tk = watching  # type: ignore[assignment]  # answers as the real one
    yield watching
    root.tk = before


def _every_way(street: Street) -> None:
    """Into the list, the timeline, the notes and the draft."""
    for number, text in enumerate(TEXTS.values()):
        street.arrive("bob", street.everyone, text)
        street.arrive("carol", street.direct("carol"), text)
        left_out = NotFor(UserName("bob"), text[:60], Code.NO_PREKEY)
        street.write(street.everyone, f"own {number}", not_for=(left_out,))
    street.drafts[street.everyone] = "".join(text[:WHOLE] for text in TEXTS.values())


@pytest.mark.slow
def test_nothing_that_hurts_reaches_tk(root: tk.Tk, bridge: Bridge, wait: Wait, watched: Watched) -> None:
    street = Street()
    _every_way(street)
    view = StreetWindow(root, bridge, wait, street)
    for text in TEXTS.values():
        view.take(street.arrive("bob", street.everyone, text))
        view.settle()
        view.window.composer.insert(text[:WHOLE])
    view.select(street.direct("carol"))
    assert watched.words > 1000
    assert watched.harmful == []

"""Dark or light: who is asked, in which order, and what unreadable answers become."""

from __future__ import annotations

import sys
import tkinter as tk
from collections.abc import Callable
from pathlib import Path

import pytest

from coterie.desktop.appearance import Question, demanded
from coterie.desktop.bridge import Bridge
from coterie.desktop.daylight import Daylight, Following
from coterie.screens.theme import Appearance

Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "platform", "linux")
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(0o755)


def write(home: Path, name: str, text: str) -> None:
    path = home / ".config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("dark", Appearance.DARK),
        (" Light ", Appearance.LIGHT),
        ("", None),
        ("purple", None),
    ],
)
def test_the_variable_decides_where_it_says_something(said: str, meant: Appearance | None) -> None:
    assert demanded({"COTERIE_THEME": said}) is meant
    assert demanded({}) is None


def test_nothing_known_is_light(programs: Path, tmp_path: Path) -> None:
    assert Question({}, tmp_path).answer() is Appearance.LIGHT


@pytest.mark.parametrize(
    ("said", "meant"), [("'prefer-dark'", Appearance.DARK), ("'prefer-light'", Appearance.LIGHT)]
)
def test_gsettings(programs: Path, tmp_path: Path, said: str, meant: Appearance) -> None:
    program(programs, "gsettings", f'echo "{said}"')
    write(tmp_path, "gtk-3.0/settings.ini", "gtk-theme-name=Adwaita-dark")
    assert Question({}, tmp_path).answer() is meant


def test_gtk_theme_goes_before_gsettings(programs: Path, tmp_path: Path) -> None:
    program(programs, "gsettings", "echo \"'prefer-light'\"")
    assert Question({"GTK_THEME": "Adwaita:dark"}, tmp_path).answer() is Appearance.DARK


def test_a_program_that_hangs_is_given_up(programs: Path, tmp_path: Path) -> None:
    program(programs, "gsettings", "exec /bin/sleep 60")
    assert Question({}, tmp_path).answer() is Appearance.LIGHT


def test_a_program_that_fails_or_prints_garbage(programs: Path, tmp_path: Path) -> None:
    program(programs, "gsettings", "printf '\\377\\376 garbage'; exit 3")
    assert Question({}, tmp_path).answer() is Appearance.LIGHT


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gtk-4.0/settings.ini", "[Settings]\ngtk-application-prefer-dark-theme = 1\n"),
        ("gtk-3.0/settings.ini", "[Settings]\ngtk-theme-name=Adwaita-dark\n"),
        ("kdeglobals", "[General]\nColorScheme=BreezeDark\n"),
    ],
)
def test_settings_files(programs: Path, tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, name, text)
    assert Question({}, tmp_path).answer() is Appearance.DARK


def test_settings_files_of_bytes_are_no_error(programs: Path, tmp_path: Path) -> None:
    path = tmp_path / ".config" / "kdeglobals"
    path.parent.mkdir()
    path.write_bytes(bytes(range(256)))
    assert Question({}, tmp_path).answer() is Appearance.LIGHT


def test_macos(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    program(programs, "defaults", "echo Dark")
    assert Question({}, tmp_path).answer() is Appearance.DARK
    program(programs, "defaults", "exit 1")
    assert Question({}, tmp_path).answer() is Appearance.LIGHT


def test_the_system_is_followed_until_the_person_decides(
    root: tk.Tk, bridge: Bridge, wait: Wait, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COTERIE_THEME", raising=False)
    monkeypatch.setattr("coterie.desktop.daylight.ASK_AGAIN_MS", 1)
    program(programs, "gsettings", "echo \"'prefer-light'\"")
    daylight = Daylight()
    assert daylight.settle() is Appearance.LIGHT
    changes: list[Appearance] = []
    daylight.watch(root, bridge.run, changes.append)
    program(programs, "gsettings", "echo \"'prefer-dark'\"")

    def come_to_the_front() -> bool:
        root.event_generate("<FocusIn>")
        return bool(changes)

    wait(come_to_the_front)
    assert changes == [Appearance.DARK]
    assert daylight.toggle() is Appearance.LIGHT
    assert daylight.following is Following.PERSON
    root.event_generate("<FocusIn>")
    root.update()
    assert changes == [Appearance.DARK]


def test_the_variable_is_not_overruled_by_the_system(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COTERIE_THEME", "dark")
    program(programs, "gsettings", "echo \"'prefer-light'\"")
    daylight = Daylight()
    assert daylight.settle() is Appearance.DARK
    assert daylight.following is Following.PERSON

"""Whether the system is set to dark or to light, where that can be known.

COTERIE_THEME (dark or light) decides where it is set. Else: Windows' registry, macOS' defaults, GTK_THEME,
GNOME's setting through gsettings, and the settings files of GTK and KDE. The programs asked run beside the
start of the window and are given up after a short while.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from coterie.screens.theme import Appearance

VARIABLE: Final = "COTERIE_THEME"
ANSWER_SECONDS: Final = 0.15
UNKNOWN: Final = Appearance.LIGHT
"""What is used where nothing says anything: a system that was never switched to dark."""

_GSETTINGS: Final = ("gsettings", "get", "org.gnome.desktop.interface", "color-scheme")
_MACOS: Final = ("defaults", "read", "-g", "AppleInterfaceStyle")


def demanded(environment: Mapping[str, str]) -> Appearance | None:
    """What COTERIE_THEME says, if it says something."""
    said = environment.get(VARIABLE, "").strip().lower()
    return Appearance(said) if said in ("dark", "light") else None


class Question:
    """The system is being asked; answer() waits for what is missing."""

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        self._environment = environment
        self._home = home
        self._process = _start(_program())

    def answer(self) -> Appearance:
        """dark or light. Waits for ANSWER_SECONDS at most."""
        said = _told(self._process)
        if sys.platform == "win32":
            return _registry() or UNKNOWN
        if sys.platform == "darwin":
            return Appearance.DARK if "dark" in said.lower() else Appearance.LIGHT
        return (
            _by_theme_name(self._environment.get("GTK_THEME", ""))
            or _by_scheme(said)
            or _by_files(self._home)
            or UNKNOWN
        )


def _program() -> tuple[str, ...]:
    if sys.platform == "win32":
        return ()
    return _MACOS if sys.platform == "darwin" else _GSETTINGS


def _start(command: tuple[str, ...]) -> subprocess.Popen[str] | None:
    program = shutil.which(command[0]) if command else None
    if program is None:
        return None
    try:
        return subprocess.Popen(  # noqa: S603 - one of two fixed commands
            (program, *command[1:]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
        )
    except OSError:
        return None


def _told(process: subprocess.Popen[str] | None) -> str:
    """What the program printed in time, else nothing."""
    if process is None:
        return ""
    try:
        said, _ = process.communicate(timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return ""
    return said


def _by_scheme(said: str) -> Appearance | None:
    if "prefer-dark" in said:
        return Appearance.DARK
    return Appearance.LIGHT if "prefer-light" in said else None


def _by_theme_name(name: str) -> Appearance | None:
    if not name:
        return None
    return Appearance.DARK if name.lower().endswith("dark") else Appearance.LIGHT


def _by_files(home: Path) -> Appearance | None:
    """GTK's and KDE's own settings; only a clear "dark" counts."""
    config = home / ".config"
    for name in ("gtk-4.0/settings.ini", "gtk-3.0/settings.ini", "kdeglobals"):
        for line in _lines(config / name):
            key, _, value = (part.strip().lower() for part in line.partition("="))
            if key == "gtk-application-prefer-dark-theme" and value in ("1", "true"):
                return Appearance.DARK
            if key in ("gtk-theme-name", "colorscheme") and value.endswith("dark"):
                return Appearance.DARK
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _registry() -> Appearance | None:
    if sys.platform == "win32":
        import winreg

        key = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                light, _ = winreg.QueryValueEx(opened, "AppsUseLightTheme")
        except OSError:
            return None
        return Appearance.LIGHT if light else Appearance.DARK
    return None

"""`coterie` without a command: opens the app."""

from __future__ import annotations

import os
import sys

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.cli.arguments import Arguments
from coterie.cli.output import Output
from coterie.cli.parser import UsageError

NO_TERMINAL_APP = "the terminal app is not there yet; there are the window, and commands: coterie --help"
NO_DISPLAY = f"there is no display for the window, and {NO_TERMINAL_APP}"
NO_TK = (
    "the window needs Tk, which this Python lacks (Debian, Ubuntu: apt-get install python3-tk; Fedora: "
    "dnf install python3-tkinter; macOS: brew install python-tk)"
)


def run(given: Arguments, output: Output) -> int:  # noqa: ARG001 - the app prints nothing
    if given.terminal:
        raise UsageError("", NO_TERMINAL_APP)
    if not given.desktop and not has_display():
        raise Unavailable(Code.MISSING_PART, NO_DISPLAY)
    try:
        from coterie.desktop import app
    except ModuleNotFoundError as error:
        if error.name not in {"tkinter", "_tkinter"}:
            raise
        raise Unavailable(Code.MISSING_PART, NO_TK) from None
    from coterie.client.store.profiles import default_home

    return app.run(given.home or default_home(), given.app_server or None, given.profile)


def has_display() -> bool:
    """Whether a window can be opened here: on macOS and Windows always, else where X answers to a name."""
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY"))

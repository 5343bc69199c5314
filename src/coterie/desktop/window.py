"""The one window: its title, its size, the screen it shows, and what goes wrong in its callbacks."""

from __future__ import annotations

import logging
import tkinter as tk
import traceback
from collections.abc import Callable
from pathlib import PurePath
from tkinter import ttk
from types import TracebackType
from typing import Final, TypeVar

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Unavailable
from coterie.desktop.forms.plain import plain
from coterie.desktop.forms.shapes import initial
from coterie.desktop.look import Look
from coterie.screens.form_texts import FormText
from coterie.screens.theme import Theme

log = logging.getLogger("coterie.desktop")

SIZE_PX: Final = (1080, 760)
LEAST_SIZE_PX: Final = (480, 520)
TITLE_CHARACTERS: Final = 80
ICON_PX: Final = 64
NOTICE_MS: Final = 12_000
ACCOUNT_WIPED: Final = "<<AccountWiped>>"
"""Generated on the root: nothing of the account that was shown is on this machine any more."""

W = TypeVar("W", bound=tk.Widget)


def open_root() -> tk.Tk:
    """A hidden Tk root. Unavailable where there is no display."""
    try:
        root = tk.Tk(className="coterie")
    except tk.TclError as error:
        raise Unavailable(Code.MISSING_PART, "no display to open a window on") from error
    root.withdraw()
    return root


class Window:
    """Shows one screen at a time. on_close is asked when the person closes the window."""

    def __init__(self, root: tk.Tk, theme: Theme, on_close: Callable[[], None]) -> None:
        self.root = root
        self.look = Look(root, theme)
        self.screen: tk.Widget | None = None
        self.icon: tk.PhotoImage | None = None
        self._notice: ttk.Label | None = None
        root.report_callback_exception = self.failed
        root.protocol("WM_DELETE_WINDOW", on_close)
        root.minsize(*LEAST_SIZE_PX)
        width, height = (
            min(SIZE_PX[0], root.winfo_screenwidth()),
            min(SIZE_PX[1], root.winfo_screenheight()),
        )
        root.geometry(f"{width}x{height}")
        root.configure(background=theme.colours.window)
        self.title()

    def title(self, about: str = "") -> None:
        """What the window manager shows: our name, and plain text about whom or what."""
        shown = plain(about)[:TITLE_CHARACTERS].strip()
        name = FormText.APPLICATION.value
        self.root.title(f"{shown} - {name}" if shown else name)

    def show(self, build: Callable[[tk.Misc], W]) -> W:
        """Put the screen that build(parent) makes in place of the one before; show the window."""
        screen = build(self.root)
        before, self.screen = self.screen, screen
        screen.place(relx=0, rely=0, relwidth=1, relheight=1)
        if before is not None:
            before.destroy()
        if self.root.state() == "withdrawn":
            self.root.deiconify()
        return screen

    def change(self, theme: Theme) -> None:
        """Use another theme from now on; ttk widgets and forms follow by themselves."""
        self.root.configure(background=theme.colours.window)
        self.look.change(theme)

    def set_icon(self) -> None:
        """The disc with our initial. Done after the first painting: it costs some milliseconds."""
        colours = self.look.theme.colours
        self.icon = initial(self.root, ICON_PX, colours.avatars[0], colours.on_accent)
        self.root.iconphoto(True, self.icon)

    def destroy(self) -> None:
        """Let the window go, with every timer that still runs."""
        for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.tk.call("after", "cancel", timer)
        self.root.destroy()

    def failed(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """An error that no screen took: into the log without what a person typed, and a line at the foot."""
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        what = f"{kind.__name__} {error.code.value}" if isinstance(error, CoterieError) else kind.__name__
        frames = traceback.extract_tb(trace)
        place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside"
        lines = "".join(f"\n  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        log.error("%s was not expected%s", what, lines)
        self.notice(FormText.BROKEN.format(what=f"{what}, {place}"))

    def notice(self, text: str) -> None:
        """A line at the foot of the window for a while, over whatever is shown."""
        if self._notice is not None:
            self._notice.destroy()
        label = ttk.Label(self.root, text=plain(text), style="Error.TLabel", padding=(12, 6))
        label.place(relx=0.5, rely=1.0, y=-8, anchor="s")
        self._notice = label
        self.root.after(NOTICE_MS, label.destroy)

"""Where a person writes. Enter sends, Shift+Enter begins a new line; trouble stands above the text."""

from __future__ import annotations

import tkinter as tk
from typing import Final, Protocol

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.pictures import Icon
from coterie.desktop.line_bar import LineBar
from coterie.desktop.safe_text import CHANGED, SafeText
from coterie.screens.i18n import Text, say

LINES_MAX: Final = 8
PAUSE_MS: Final = 700
"""After so long without a key the draft is stored."""
SEND_PX: Final = 18
SIDE_PX: Final = 18
RETURNED_BETWEEN: Final = "\n"


class ComposerListener(Protocol):
    """What a composer tells."""

    def composer_submitted(self, text: str) -> None:
        """Enter was pressed, or the arrow was clicked."""
        ...

    def composer_typed(self, text: str) -> None:
        """The text is another one now."""
        ...

    def composer_paused(self) -> None:
        """Nothing was typed for a while."""
        ...

    def composer_overfull(self) -> None:
        """More was pasted than a message may hold; nothing was put in."""
        ...


class Composer(tk.Frame):
    """The text field, the arrow, and the line above."""

    def __init__(self, parent: tk.Misc, kit: Kit, listener: ComposerListener) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0)
        self._kit = kit
        self._listener = listener
        self._pause: str | None = None
        self._told = ""
        self._error = ("", "danger")
        self._edge = tk.Frame(self, height=1, borderwidth=0)
        self.line = LineBar(self, kit, FaceName.SMALL, "danger", "panel", SIDE_PX)
        self._row = tk.Frame(self, borderwidth=0)
        self.text = SafeText(self._row, kit, FaceName.BODY)
        self.text.on_too_long = listener.composer_overfull
        self._hint = tk.Label(self.text, text=say(Text.WRITE), borderwidth=0, padx=0, pady=0, cursor="xterm")
        side = SEND_PX + 2 * SIDE_PX
        self.arrow = tk.Canvas(
            self._row,
            width=side,
            height=kit.spacing.composer,
            highlightthickness=0,
            borderwidth=0,
            cursor="hand2",
        )
        self._edge.pack(side="top", fill="x")
        self.line.pack(side="top", fill="x")
        self._row.pack(side="top", fill="both", expand=True)
        self.arrow.pack(side="right", anchor="s")
        self.text.pack(side="left", fill="both", expand=True, padx=(SIDE_PX, 0), pady=self._pad())
        self.text.bind("<Return>", self._entered)
        self.text.bind("<KP_Enter>", self._entered)
        self.text.bind("<Shift-Return>", self._new_line)
        self.text.bind(CHANGED, lambda _: self._changed(), add="+")
        self.text.bind("<Configure>", lambda _: self._fit(), add="+")
        self._hint.bind("<Button-1>", lambda _: self.text.focus_set())
        self.arrow.bind("<Button-1>", lambda _: self.submit())
        self._show_hint()
        self.restyle()

    def destroy(self) -> None:
        if self._pause is not None:
            self.after_cancel(self._pause)
            self._pause = None
        self.text.unbind("<Configure>")
        super().destroy()

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        colours = self._kit.colours
        grounds: tuple[tk.Frame | tk.Text | tk.Canvas, ...] = (self, self._row, self.text, self.arrow)
        for widget in grounds:
            widget.configure(background=colours.panel)
        self._edge.configure(background=colours.divider)
        self._hint.configure(
            background=colours.panel, foreground=colours.muted, font=self._kit.faces[FaceName.BODY].font
        )
        self.text.restyle()
        self.line.restyle()
        self._icon = self._kit.pictures.icon(Icon.SEND, SEND_PX, colours.link)
        self.arrow.delete("all")
        middle = self._kit.spacing.composer // 2
        self.arrow.create_image(SIDE_PX + SEND_PX // 2, middle, image=str(self._icon), tags="send")

    def set_draft(self, text: str) -> None:
        """Another conversation, or the text was taken: show this."""
        self._told = text
        self.text.set_text(text)
        self._fit()
        self._show_hint()

    def give_back(self, text: str) -> None:
        """What was to be said returns, before what was typed since."""
        since = self.text.text()
        self.set_draft(f"{text}{RETURNED_BETWEEN}{since}" if since else text)

    def show_error(self, text: str, *, info: bool) -> None:
        """The line above the text; empty takes it away."""
        self._error = (text, "muted" if info else "danger")
        self.line.show(*self._error)

    def show_hover(self, text: str) -> None:
        """What the pointer is over, while there is no error to show."""
        if not self._error[0]:
            self.line.show(text, "muted")

    def submit(self) -> None:
        """Hand the text over; it is taken away when it is accepted (set_draft)."""
        self._stop_pause()
        self._listener.composer_submitted(self.text.text())

    def insert(self, text: str) -> None:
        """Put text where the cursor is."""
        self.text.insert("insert", text)

    def _entered(self, event: tk.Event[tk.Misc]) -> str | None:
        if int(event.state) & 0x1:
            return None
        self.submit()
        return "break"

    def _new_line(self, _event: object) -> str:
        self.text.insert("insert", "\n")
        self.text.see("insert")
        return "break"

    def _changed(self) -> None:
        self._fit()
        self._show_hint()
        text = self.text.text()
        if text == self._told:
            return
        self._told = text
        self._listener.composer_typed(text)
        self._stop_pause()
        self._pause = self.after(PAUSE_MS, self._paused)

    def _paused(self) -> None:
        self._pause = None
        self._listener.composer_paused()

    def _stop_pause(self) -> None:
        if self._pause is not None:
            self.after_cancel(self._pause)
            self._pause = None

    def _fit(self) -> None:
        """As many lines as the text has, within limits."""
        counted = self.tk.call(str(self.text), "count", "-displaylines", "1.0", "end-1c")
        wanted = min(LINES_MAX, int(str(counted or 0)) + 1)
        if int(str(self.text.cget("height"))) != wanted:
            self.text.configure(height=wanted)

    def _show_hint(self) -> None:
        if self.text.text():
            self._hint.place_forget()
        else:
            self._hint.place(x=1, y=0)

    def _pad(self) -> int:
        return max(4, (self._kit.spacing.composer - self._kit.faces[FaceName.BODY].height) // 2 - 1)

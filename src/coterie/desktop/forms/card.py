"""A rounded card in the middle of a canvas, with room for ttk widgets; scrolls where it does not fit."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from coterie.desktop.forms.shapes import corners, disc
from coterie.desktop.look import Look
from coterie.screens.form_texts import FormText

MARGIN_PX: Final = 24
"""Least distance between the card and the window's edge."""
AVATAR_PX: Final = 64


class Card(tk.Canvas):
    """The canvas behind a form. `body` holds the form's widgets."""

    def __init__(self, parent: tk.Misc, look: Look, width_px: int | None = None) -> None:
        super().__init__(parent, highlightthickness=0, borderwidth=0, yscrollincrement=1)
        self.look = look
        self._width_px = width_px or look.theme.spacing.card_width
        self._pad_px = look.theme.spacing.card_pad
        self._radius_px = look.theme.spacing.card_radius
        self.body = ttk.Frame(self)
        self._across = self.create_rectangle(0, 0, 0, 0, width=0)
        self._down = self.create_rectangle(0, 0, 0, 0, width=0)
        self._corners = [self.create_image(0, 0, anchor="nw") for _ in range(4)]
        self._content = self.create_window(
            0, 0, anchor="nw", window=self.body, width=self._width_px - 2 * self._pad_px
        )
        self._images: tuple[tk.PhotoImage, ...] = ()
        self._top_px = -1
        self.bind("<Configure>", lambda _event: self._place(keep_top=False))
        self.body.bind("<Configure>", lambda _event: self._place(keep_top=True))
        self.bind("<<ThemeChanged>>", lambda _event: self._paint())
        self._paint()

    def see(self, widget: tk.Misc) -> None:
        """Scroll so that the widget of the body is on the screen."""
        top = self._top_px + self._pad_px + widget.winfo_rooty() - self.body.winfo_rooty()
        bottom = top + widget.winfo_height()
        shown = int(self.canvasy(0))
        if top < shown:
            self._scroll_to(top - MARGIN_PX)
        elif bottom > shown + self.winfo_height():
            self._scroll_to(bottom + MARGIN_PX - self.winfo_height())

    def scroll(self, pixels: int) -> None:
        """Move the card up (positive) or down, within what is hidden."""
        self._scroll_to(int(self.canvasy(0)) + pixels)

    def _scroll_to(self, top_px: int) -> None:
        lowest = self._scroll_height_px() - self.winfo_height()
        self.yview_scroll(max(0, min(top_px, lowest)) - int(self.canvasy(0)), "units")

    def _scroll_height_px(self) -> int:
        return max(1, self.winfo_height(), self._card_height_px() + 2 * MARGIN_PX)

    def _card_height_px(self) -> int:
        return self.body.winfo_reqheight() + 2 * self._pad_px - 8

    def _paint(self) -> None:
        colours = self.look.theme.colours
        self.configure(background=colours.window)
        self.itemconfigure(self._across, fill=colours.panel)
        self.itemconfigure(self._down, fill=colours.panel)
        self._images = corners(self, self._radius_px, colours.panel, colours.window)
        for item, image in zip(self._corners, self._images, strict=True):
            self.itemconfigure(item, image=image)

    def _place(self, *, keep_top: bool) -> None:
        """Centre the card; while its content grows the top stays where it is, as long as all of it fits."""
        width, height, card = self.winfo_width(), self.winfo_height(), self._card_height_px()
        fits = self._top_px >= 0 and self._top_px + card + MARGIN_PX <= height
        if not (keep_top and fits and self.winfo_ismapped()):
            self._top_px = max(MARGIN_PX, (height - card) // 2)
        left, top, radius = (width - self._width_px) // 2, self._top_px, self._radius_px
        right, bottom = left + self._width_px, top + card
        self.coords(self._across, left, top + radius, right, bottom - radius)
        self.coords(self._down, left + radius, top, right - radius, bottom)
        for item, (x, y) in zip(
            self._corners,
            (
                (left, top),
                (right - radius, top),
                (right - radius, bottom - radius),
                (left, bottom - radius),
            ),
            strict=True,
        ):
            self.coords(item, x, y)
        self.coords(self._content, left + self._pad_px, top + self._pad_px - 4)
        self.configure(scrollregion=(0, 0, width, self._scroll_height_px()))


class Avatar(tk.Canvas):
    """The disc with coterie's initial above a form's title."""

    def __init__(self, parent: tk.Misc, look: Look) -> None:
        super().__init__(parent, width=AVATAR_PX, height=AVATAR_PX, highlightthickness=0, borderwidth=0)
        self._look = look
        self._disc = self.create_image(0, 0, anchor="nw")
        self._initial = self.create_text(
            AVATAR_PX // 2, AVATAR_PX // 2, text=FormText.INITIAL.value, font=look.fonts.large_avatar
        )
        self.bind("<<ThemeChanged>>", lambda _event: self._paint())
        self._paint()

    def _paint(self) -> None:
        colours = self._look.theme.colours
        self.configure(background=colours.panel)
        self._image = disc(self, AVATAR_PX, colours.avatars[0], colours.panel)
        self.itemconfigure(self._disc, image=self._image)
        self.itemconfigure(self._initial, fill=colours.on_accent)

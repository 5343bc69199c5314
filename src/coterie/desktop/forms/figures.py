"""What is looked at and compared: codes for cameras, emoji, numbered words."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from tkinter import ttk
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from coterie.screens.doors import Emoji

EMOJI_PX: Final = 40
EMOJI_IN_ROW: Final = 4
QR_MODULE_PX: Final = 4
QR_BORDER: Final = 4
WORD_COLUMNS: Final = 4


def qr_code(parent: tk.Misc, text: str) -> tk.Canvas:
    """Black on white in every theme: cameras want it so."""
    import segno

    rows = [bytes(row) for row in segno.make(text, micro=False).matrix]
    side = (len(rows) + 2 * QR_BORDER) * QR_MODULE_PX
    canvas = tk.Canvas(
        parent, width=side, height=side, highlightthickness=0, borderwidth=0, background="#ffffff"
    )
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                left, top = (x + QR_BORDER) * QR_MODULE_PX, (y + QR_BORDER) * QR_MODULE_PX
                canvas.create_rectangle(
                    left, top, left + QR_MODULE_PX, top + QR_MODULE_PX, width=0, fill="#000000"
                )
    return canvas


class EmojiGrid(ttk.Frame):
    """Pictures of ours with their names: no emoji reaches the toolkit as text."""

    def __init__(self, parent: tk.Misc, emoji: Sequence[Emoji], in_row: int = EMOJI_IN_ROW) -> None:
        from PIL import ImageTk

        from coterie.desktop.canvas.emoji_images import EmojiImages
        from coterie.screens.emoji_sequences import pieces

        super().__init__(parent)
        images = EmojiImages()
        self._pictures: list[Any] = []
        """Tk forgets an image that nobody holds."""
        for place, each in enumerate(emoji):
            cell = ttk.Frame(self, padding=(8, 6))
            cell.grid(row=place // in_row, column=place % in_row)
            picture = ImageTk.PhotoImage(images.image(pieces(each.sign)[0].cell, EMOJI_PX), master=self)
            self._pictures.append(picture)
            ttk.Label(cell, image=str(picture)).pack()
            ttk.Label(cell, text=each.name, style="FieldName.TLabel").pack()


def word_grid(parent: tk.Misc, words: Sequence[str]) -> ttk.Frame:
    """The words with their numbers, to be read along the rows."""
    grid = ttk.Frame(parent)
    for column in range(WORD_COLUMNS):
        grid.columnconfigure(column, weight=1, uniform="words")
    for position, word in enumerate(words):
        cell = ttk.Frame(grid, style="Field.TFrame", padding=(8, 7))
        cell.grid(row=position // WORD_COLUMNS, column=position % WORD_COLUMNS, sticky="ew", padx=2, pady=2)
        ttk.Label(cell, text=str(position + 1), style="WordNumber.TLabel", width=3).pack(side="left")
        ttk.Label(cell, text=word, style="Word.TLabel").pack(side="left")
    return grid

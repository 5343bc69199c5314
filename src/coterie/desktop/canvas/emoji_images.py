"""Pictures of emoji, cut out of the shipped sheets (assets/emoji, made by tools/make_emoji_sheets.py)."""

from __future__ import annotations

from importlib import resources
from io import BytesIO
from typing import Final

from PIL import Image

from coterie.desktop.canvas.kept import Kept

CELL_PX: Final = 40
COLUMNS: Final = 16
PER_SHEET: Final = 64
SHEETS_MAX: Final = 64
CELLS_MAX: Final = 1_000


class EmojiImages:
    """Emoji by cell and size. A sheet is read when one of its emoji is first needed (half a millisecond)."""

    def __init__(self) -> None:
        self._sheets: Kept[int, Image.Image] = Kept(SHEETS_MAX)
        self._cells: Kept[tuple[int, int], Image.Image] = Kept(CELLS_MAX)

    def image(self, cell: int, size_px: int) -> Image.Image:
        """One emoji as RGBA, size_px square."""
        return self._cells.get((cell, size_px), lambda: self._cut(cell, size_px))

    def row(self, cells: tuple[int, ...], size_px: int, gap_px: int) -> Image.Image:
        """Several emoji side by side."""
        strip = Image.new("RGBA", (len(cells) * (size_px + gap_px) - gap_px, size_px))
        for place, cell in enumerate(cells):
            strip.paste(self.image(cell, size_px), (place * (size_px + gap_px), 0))
        return strip

    def _cut(self, cell: int, size_px: int) -> Image.Image:
        number, place = divmod(cell, PER_SHEET)
        x, y = place % COLUMNS * CELL_PX, place // COLUMNS * CELL_PX
        sheet = self._sheets.get(number, lambda: _sheet(number))
        picture = sheet.crop((x, y, x + CELL_PX, y + CELL_PX)).convert("RGBA")
        return picture.resize((size_px, size_px), Image.Resampling.LANCZOS)


def _sheet(number: int) -> Image.Image:
    data = (resources.files("coterie.desktop") / "assets" / "emoji" / f"{number:02}.png").read_bytes()
    image = Image.open(BytesIO(data))
    image.load()
    return image

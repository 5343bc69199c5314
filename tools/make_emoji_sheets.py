"""Make the emoji pictures of the desktop and the list of emoji of every screen from Noto Color Emoji.

    python tools/make_emoji_sheets.py --font NotoColorEmoji.ttf

Needs Pillow with raqm, and the package `emoji` for the list of sequences. The font is Noto Color Emoji (SIL
Open Font License 1.1) with bitmaps of 136 x 128 pixels, as Debian's package fonts-noto-color-emoji 2.042
ships it; the same font, Pillow and zlib give the same bytes.

Writes src/coterie/screens/assets/emoji.txt, one sequence a line as code points in hex, in the order of the
cells, and src/coterie/desktop/assets/emoji/NN.png, sheets of 16 x 4 cells of 40 x 40 pixels with a palette of
256 colours.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from emoji import EMOJI_DATA, STATUS
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "src/coterie/screens/assets/emoji.txt"
SHEETS = ROOT / "src/coterie/desktop/assets/emoji"
BITMAP_SIZE_PX = 109
"""The one size that the font's bitmaps have."""
GLYPH_WIDTH_PX, GLYPH_HEIGHT_PX, GLYPH_MARGIN_PX = 136, 128, 4
CELL_PX = 40
COLUMNS, ROWS = 16, 4
PER_SHEET = COLUMNS * ROWS
COLOURS = 256

Cell = tuple[str, Image.Image]


def sequences() -> list[str]:
    """Every emoji recommended for interchange, fully qualified, and the parts that may stand alone."""
    wanted = (STATUS["fully_qualified"], STATUS["component"])
    return sorted(text for text, about in EMOJI_DATA.items() if about["status"] in wanted)


def drawn(font: ImageFont.FreeTypeFont, text: str) -> Image.Image | None:
    """The one glyph of a sequence, None where the font draws it as several or not at all."""
    if font.getlength(text) != font.getlength("\N{GRINNING FACE}"):
        return None
    glyph = Image.new("RGBA", (GLYPH_WIDTH_PX, GLYPH_HEIGHT_PX))
    ImageDraw.Draw(glyph).text((0, 0), text, font=font, embedded_color=True)
    if glyph.getbbox() is None:
        return None
    square = glyph.crop((GLYPH_MARGIN_PX, 0, GLYPH_WIDTH_PX - GLYPH_MARGIN_PX, GLYPH_HEIGHT_PX))
    return square.resize((CELL_PX, CELL_PX), Image.Resampling.LANCZOS)


def sheet(cells: list[Cell]) -> Image.Image:
    """Up to PER_SHEET cells, row by row, reduced to one palette."""
    height = -(-len(cells) // COLUMNS) * CELL_PX
    image = Image.new("RGBA", (COLUMNS * CELL_PX, height))
    for place, (_, picture) in enumerate(cells):
        image.paste(picture, (place % COLUMNS * CELL_PX, place // COLUMNS * CELL_PX))
    return image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the emoji sheets.")
    parser.add_argument("--font", type=Path, required=True, help="NotoColorEmoji.ttf with bitmaps")
    font = ImageFont.truetype(
        str(parser.parse_args().font), BITMAP_SIZE_PX, layout_engine=ImageFont.Layout.RAQM
    )
    cells = [(text, picture) for text in sequences() if (picture := drawn(font, text)) is not None]
    LIST.parent.mkdir(parents=True, exist_ok=True)
    SHEETS.mkdir(parents=True, exist_ok=True)
    LIST.write_text("".join("-".join(f"{ord(char):x}" for char in text) + "\n" for text, _ in cells), "ascii")
    for number, start in enumerate(range(0, len(cells), PER_SHEET)):
        sheet(cells[start : start + PER_SHEET]).save(SHEETS / f"{number:02}.png", optimize=True)
    print(f"{len(cells)} emoji, {number + 1} sheets")


if __name__ == "__main__":
    main()

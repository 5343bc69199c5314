"""Lines of text as pictures, for what Tk does not draw well or safely: complex scripts and rare signs.

Shaping is raqm's (part of Pillow); the fonts are those of the machine. A character that no font has is a
visible box. Lengths are pixels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from PIL import Image, ImageDraw, ImageFont, features

from coterie.desktop.canvas.clusters import clusters
from coterie.desktop.canvas.font_files import FontFile, FontFiles
from coterie.desktop.canvas.kept import Kept

OVERSHOOT: Final = 4
"""Above and below the line: marks of some scripts reach further than Latin letters."""
FONTS_MAX: Final = 64
WIDTHS_MAX: Final = 20_000
TEXT_MAX: Final = 400
"""Characters of one picture; a line of a bubble never has as many."""
_BOX: Final = 0.55
"""Width of the box for a missing character, by font size."""

Stretch = tuple[str, FontFile | None]


class TextImages:
    """Measures and draws. Nothing here fails on any text."""

    def __init__(self, files: FontFiles) -> None:
        self._files = files
        self._shapes = features.check("raqm")
        self._fonts: Kept[tuple[str, int], ImageFont.FreeTypeFont | None] = Kept(FONTS_MAX)
        self._widths: Kept[tuple[str, int, bool], int] = Kept(WIDTHS_MAX)

    def width(self, text: str, size: int, bold: bool) -> int:
        """How wide the picture of the text is."""
        return self._widths.get((text, size, bold), lambda: self._measured(text, size, bold))

    def image(
        self, text: str, size: int, bold: bool, right_to_left: bool, colour: str, line: int, baseline: int
    ) -> Image.Image:
        """The text as RGBA, line + 2 * OVERSHOOT high. baseline: from the top of the line."""
        text = text[:TEXT_MAX]
        mask = Image.new("L", (max(1, self._measured(text, size, bold)), line + 2 * OVERSHOOT))
        draw = ImageDraw.Draw(mask)
        stretches = list(self._stretches(text, bold))
        x = 0.0
        for stretch, file in reversed(stretches) if right_to_left else stretches:
            x += self._draw(draw, x, baseline + OVERSHOOT, stretch, file, size, right_to_left)
        image = Image.new("RGBA", mask.size, colour)
        image.putalpha(mask)
        return image

    def _measured(self, text: str, size: int, bold: bool) -> int:
        return round(
            sum(self._advance(part, file, size) for part, file in self._stretches(text[:TEXT_MAX], bold))
        )

    def _stretches(self, text: str, bold: bool) -> Iterator[Stretch]:
        """The text cut where the font changes. Marks stay with their letter."""
        stretch, of = "", None
        for cluster in clusters(text):
            file = self._files.having(cluster[0], bold) or self._files.having(cluster[0], False)
            if cluster.isspace() and stretch:
                file = of
            if stretch and file is not of:
                yield stretch, of
                stretch = ""
            stretch, of = stretch + cluster, file
        if stretch:
            yield stretch, of

    def _font(self, file: FontFile | None, size: int) -> ImageFont.FreeTypeFont | None:
        return (
            None if file is None else self._fonts.get((str(file.path), size), lambda: self._open(file, size))
        )

    def _open(self, file: FontFile, size: int) -> ImageFont.FreeTypeFont | None:
        engine = ImageFont.Layout.RAQM if self._shapes else ImageFont.Layout.BASIC
        try:
            return ImageFont.truetype(str(file.path), size, layout_engine=engine)
        except OSError:
            return None

    def _advance(self, text: str, file: FontFile | None, size: int) -> float:
        font = self._font(file, size)
        if font is None:
            return len(clusters(text)) * self._box(size)
        return _length(font, text)

    def _box(self, size: int) -> int:
        return max(4, round(size * _BOX) + 2)

    def _draw(
        self,
        draw: ImageDraw.ImageDraw,
        x: float,
        baseline: int,
        text: str,
        file: FontFile | None,
        size: int,
        right_to_left: bool,
    ) -> float:
        """Draw one stretch and return how far it goes."""
        font = self._font(file, size)
        if font is None:
            for place in range(len(clusters(text))):
                left = round(x) + place * self._box(size)
                draw.rectangle(
                    (left + 1, baseline - round(size * 0.72), left + self._box(size) - 2, baseline),
                    outline=255,
                )
            return len(clusters(text)) * self._box(size)
        direction = "rtl" if right_to_left else "ltr"
        try:
            if self._shapes:
                draw.text((x, baseline), text, fill=255, font=font, anchor="ls", direction=direction)
            else:
                shown = "".join(reversed(clusters(_mirrored(text)))) if right_to_left else text
                draw.text((x, baseline), shown, fill=255, font=font, anchor="ls")
        except (RuntimeError, OSError, ValueError):
            draw.rectangle((round(x) + 1, baseline - size // 2, round(x) + size, baseline), outline=255)
        return _length(font, text)


def _length(font: ImageFont.FreeTypeFont, text: str) -> float:
    """How wide a font draws the text; a guess where it cannot lay it out (a broken font, a control)."""
    try:
        return float(font.getlength(text))
    except (RuntimeError, OSError, ValueError):
        return float(len(text) * font.size)


_PAIRS: Final = {
    ord(a): b for pair in ("()", "[]", "{}", "<>", "«»") for a, b in ((pair[0], pair[1]), (pair[1], pair[0]))
}


def _mirrored(text: str) -> str:
    return text.translate(_PAIRS) if any(unicodedata.mirrored(char) for char in text) else text

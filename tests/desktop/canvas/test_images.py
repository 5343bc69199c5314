from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.desktop.canvas.emoji_images import PER_SHEET, EmojiImages
from coterie.desktop.canvas.font_files import FontFiles
from coterie.desktop.canvas.text_images import OVERSHOOT, TextImages
from coterie.screens.emoji_sequences import emoji_list, pieces
from tests.examples import examples

WITH_FONTS = TextImages(FontFiles())
WITHOUT_FONTS = TextImages(FontFiles(()))


def test_every_emoji_of_the_list_has_its_picture() -> None:
    images = EmojiImages()
    cells = len(emoji_list().cells)
    blank = [cell for cell in range(cells) if images.image(cell, 20).getbbox() is None]
    assert blank == []
    with pytest.raises(FileNotFoundError):
        images.image((cells // PER_SHEET + 1) * PER_SHEET, 20)


def test_the_pictures_stand_in_the_order_of_the_list() -> None:
    images = EmojiImages()
    (heart,), (tree,) = pieces("\N{BLUE HEART}"), pieces("\N{EVERGREEN TREE}")
    red, green, blue, _ = _mean(images, heart.cell)
    assert blue > red
    assert blue > green
    red, green, blue, _ = _mean(images, tree.cell)
    assert green > red
    assert green > blue


def _mean(images: EmojiImages, cell: int) -> tuple[int, int, int, int]:
    pixel = images.image(cell, 1).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return int(pixel[0]), int(pixel[1]), int(pixel[2]), int(pixel[3])


def test_a_row_of_emoji_is_one_picture() -> None:
    assert EmojiImages().row((0, 1, 2), 20, 1).size == (62, 20)


def test_a_character_that_no_font_has_is_a_visible_box() -> None:
    image = WITHOUT_FONTS.image("אב", 14, False, True, "#ffffff", 20, 15)
    assert image.getchannel("A").getbbox() is not None
    assert image.width == WITHOUT_FONTS.width("אב", 14, False)


@settings(max_examples=examples(100))
@given(st.text(min_size=1, max_size=40), st.booleans(), st.booleans())
def test_any_text_can_be_drawn(text: str, right_to_left: bool, bold: bool) -> None:
    for images in (WITH_FONTS, WITHOUT_FONTS):
        image = images.image(text, 14, bold, right_to_left, "#123456", 20, 15)
        assert image.height == 20 + 2 * OVERSHOOT
        assert image.width == max(1, images.width(text, 14, bold))

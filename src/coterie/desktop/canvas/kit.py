"""Everything that the canvases of one window draw with. It belongs to the window and lives as long."""

from __future__ import annotations

import tkinter as tk
from typing import Final

from coterie.desktop.canvas.emoji_images import EmojiImages
from coterie.desktop.canvas.faces import Face, Faces
from coterie.desktop.canvas.font_files import FontFiles
from coterie.desktop.canvas.kept import Kept
from coterie.desktop.canvas.pictures import Photo, Pictures
from coterie.desktop.canvas.text_images import TextImages
from coterie.desktop.fonts import Fonts
from coterie.screens.theme import Colours, Spacing, Theme

PHOTOS_MAX: Final = 600
EMOJI_GAP_PX: Final = 1


class Kit:
    """The theme in use, fonts, and kept pictures of text, emoji and shapes."""

    def __init__(self, root: tk.Misc, theme: Theme, fonts: Fonts) -> None:
        self.theme = theme
        self.faces = Faces(fonts)
        self.files = FontFiles()
        self.texts = TextImages(self.files)
        self.emoji = EmojiImages()
        self.pictures = Pictures(root)
        self._text_photos: Kept[tuple[str, str, bool, str], Photo] = Kept(PHOTOS_MAX)
        self._emoji_photos: Kept[tuple[tuple[int, ...], int], Photo] = Kept(PHOTOS_MAX)

    @property
    def colours(self) -> Colours:
        return self.theme.colours

    @property
    def spacing(self) -> Spacing:
        return self.theme.spacing

    def text_photo(self, text: str, face: Face, right_to_left: bool, colour: str) -> Photo:
        """A line of text as an image, text_images.OVERSHOOT higher than the line on both sides."""
        return self._text_photos.get(
            (text, face.name, right_to_left, colour),
            lambda: self.pictures.photo(
                self.texts.image(text, face.size, face.bold, right_to_left, colour, face.line, face.baseline)
            ),
        )

    def emoji_photo(self, cells: tuple[int, ...], size_px: int) -> Photo:
        """Emoji side by side, EMOJI_GAP_PX between."""
        return self._emoji_photos.get(
            (cells, size_px), lambda: self.pictures.photo(self.emoji.row(cells, size_px, EMOJI_GAP_PX))
        )

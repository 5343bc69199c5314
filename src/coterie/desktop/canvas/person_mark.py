"""The small mark behind a name: verified, or another identity than before."""

from __future__ import annotations

from typing import Final

from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Laid, Picture
from coterie.desktop.canvas.pictures import Icon
from coterie.screens.rows import Mark

MARK_PX: Final = 14
MARK_GAP: Final = 5


def mark_room(mark: Mark) -> int:
    """How much width it takes, the gap before it included."""
    return 0 if mark is Mark.NONE else MARK_GAP + MARK_PX


def put_mark(kit: Kit, laid: Laid, mark: Mark, x: int, y: int, face: FaceName, colour: str = "") -> None:
    """Behind a line of this face that ends at x and whose top is y. colour: "" for the mark's own."""
    if mark is Mark.NONE:
        return
    colours = kit.colours
    icon, own = (
        (Icon.VERIFIED, colours.verified) if mark is Mark.VERIFIED else (Icon.CHANGED, colours.changed)
    )
    left, top = x + MARK_GAP, y + (kit.faces[face].line - MARK_PX) // 2
    photo = kit.pictures.icon(icon, MARK_PX, colour or own)
    laid.items.append(Picture(left, top, top + MARK_PX, photo))

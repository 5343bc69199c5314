"""What a search found: messages, each with its conversation, its time, and the words that were looked for."""

from __future__ import annotations

from coterie.desktop.canvas.bubble import put_avatar
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Ink, Laid, put_line
from coterie.desktop.canvas.lines import Line, one_line
from coterie.desktop.conversation_list import PREVIEW_Y, TITLE_Y, ground_of
from coterie.desktop.row_canvas import ChoosingCanvas
from coterie.screens.richtext import Span, Style, preview
from coterie.screens.rows import FoundRow


class FoundList(ChoosingCanvas[FoundRow]):
    """Shows what was found, newest first."""

    kind = FoundRow

    def lay_row(self, row: FoundRow, hovered: bool) -> Laid:
        return lay_found(self._kit, row, hovered, self.winfo_width())


def lay_found(kit: Kit, row: FoundRow, hovered: bool, width: int) -> Laid:
    """One found message at this width of the list."""
    spacing, colours = kit.spacing, kit.colours
    laid = Laid(spacing.list_row)
    laid.ground.append(Box(0, 0, width, spacing.list_row, ground_of(kit, row.selected, hovered)))
    text = colours.selected_text if row.selected else colours.text
    muted = colours.selected_muted if row.selected else colours.muted
    size, margin = spacing.list_avatar, spacing.list_margin
    top = (spacing.list_row - size) // 2
    put_avatar(kit, laid, row.initials, row.colour, margin, top, size, FaceName.AVATAR)
    left, right = 2 * margin + size, width - margin
    tiny = kit.faces[FaceName.TINY]
    time = tiny.width(row.time)
    title = one_line(kit, preview(row.title), FaceName.BOLD, max(1, right - left - time - spacing.gap))
    put_line(kit, laid, title, left, TITLE_Y, FaceName.BOLD, Ink(text, text, text))
    stamp = one_line(kit, (Span(row.time),), FaceName.TINY, time + 1)
    put_line(kit, laid, stamp, right - time, TITLE_Y + 1, FaceName.TINY, Ink(muted, muted, muted))
    line = one_line(kit, row.line, FaceName.BODY, max(1, right - left))
    _put_marks(kit, laid, line, left, PREVIEW_Y)
    put_line(kit, laid, line, left, PREVIEW_Y, FaceName.BODY, Ink(muted, muted, muted, colours.hit_text))
    laid.spots.clear()
    return laid


def _put_marks(kit: Kit, laid: Laid, line: Line, x: int, y: int) -> None:
    """The grounds behind the hits."""
    face = kit.faces[FaceName.BODY]
    top = y + (face.line - face.height) // 2
    for piece in line.pieces:
        if piece.style is Style.HIT:
            left = x + piece.x
            box = Box(left, top, left + piece.width, top + face.height, kit.colours.hit)
            laid.ground.append(box)

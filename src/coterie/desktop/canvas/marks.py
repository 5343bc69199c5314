"""Lays out what stands between messages: days, notices, the unread line. Lengths are pixels."""

from __future__ import annotations

from typing import Final, assert_never

from coterie.desktop.canvas.bubble import Bubble
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.laid import Box, Ink, Laid, put_line, put_rounded
from coterie.desktop.canvas.lines import one_line
from coterie.screens.richtext import Span
from coterie.screens.rows import DayRow, MessageRow, NoticeRow, Row, UnreadRow

PILL_PX: Final = 24
PILL_PAD: Final = 13
DAY_ABOVE, DAY_BELOW = 10, 10
NOTICE_ABOVE, NOTICE_BELOW = 4, 2
UNREAD_ABOVE, UNREAD_BELOW, UNREAD_PX = 8, 0, 28
SIDE: Final = 20


def lay(kit: Kit, row: Row, width: int) -> Laid:
    """Any row of the timeline at this width."""
    match row:
        case MessageRow():
            return Bubble(kit, width).lay(row)
        case DayRow(text=text):
            return _pill(kit, text, width, DAY_ABOVE, DAY_BELOW)
        case NoticeRow(text=text):
            return _pill(kit, text, width, NOTICE_ABOVE, NOTICE_BELOW)
        case UnreadRow(text=text):
            return _band(kit, text, width)
        case _:
            assert_never(row)


def _pill(kit: Kit, text: str, width: int, above: int, below: int) -> Laid:
    laid = Laid(above + PILL_PX + below)
    colours = kit.colours
    line = one_line(kit, (Span(text),), FaceName.SMALL, max(SIDE, width - 2 * SIDE - 2 * PILL_PAD))
    left = (width - line.width) // 2
    box = Box(left - PILL_PAD, above, left + line.width + PILL_PAD, above + PILL_PX, colours.pill)
    put_rounded(kit, laid, box, PILL_PX // 2)
    middle = above + (PILL_PX - kit.faces[FaceName.SMALL].line) // 2
    ink = Ink(colours.on_accent, colours.on_accent, colours.on_accent)
    put_line(kit, laid, line, left, middle, FaceName.SMALL, ink)
    return laid


def _band(kit: Kit, text: str, width: int) -> Laid:
    laid = Laid(UNREAD_ABOVE + UNREAD_PX + UNREAD_BELOW)
    colours = kit.colours
    line = one_line(kit, (Span(text),), FaceName.SMALL_BOLD, max(SIDE, width - 2 * SIDE))
    laid.ground.append(Box(0, UNREAD_ABOVE, width, UNREAD_ABOVE + UNREAD_PX, colours.unread_line))
    middle = UNREAD_ABOVE + (UNREAD_PX - kit.faces[FaceName.SMALL_BOLD].line) // 2
    ink = Ink(colours.unread_text, colours.unread_text, colours.unread_text)
    put_line(kit, laid, line, (width - line.width) // 2, middle, FaceName.SMALL_BOLD, ink)
    return laid

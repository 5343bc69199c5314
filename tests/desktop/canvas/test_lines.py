from __future__ import annotations

import tkinter as tk

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.desktop.canvas.clusters import drawn
from coterie.desktop.canvas.faces import FaceName
from coterie.desktop.canvas.font_files import FontFiles
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.lines import Kind, Line, one_line, wrapped
from coterie.desktop.fonts import Fonts
from coterie.screens.richtext import Paragraph, Span, Style, preview, rich
from coterie.screens.theme import DARK
from tests.examples import examples

ROOM = 200


@pytest.fixture
def kit(root: tk.Tk) -> Kit:
    return Kit(root, DARK, Fonts(root))


def lines(kit: Kit, text: str, room: int = ROOM) -> list[Line]:
    (block,) = rich(text, lambda name: name == "bob")
    assert isinstance(block, Paragraph)
    return wrapped(kit, block.spans, FaceName.BODY, room)


def test_words_wrap_between_words(kit: Kit) -> None:
    found = lines(kit, "several words that will not fit into one line of this width at all")
    assert len(found) > 1
    assert all(0 < line.width <= ROOM for line in found)
    assert all(not piece.text.startswith(" ") for line in found for piece in line.pieces[:1])
    assert found[0].end == found[1].start


def test_a_line_of_plain_words_is_one_item(kit: Kit) -> None:
    (line,) = lines(kit, "four words of text")
    assert [piece.kind for piece in line.pieces] == [Kind.TEXT]


def test_emoji_next_to_each_other_are_one_picture(kit: Kit) -> None:
    (line,) = lines(kit, "a👍🏽🎉b")
    assert [(piece.kind, len(piece.cells)) for piece in line.pieces] == [
        (Kind.TEXT, 0),
        (Kind.EMOJI, 2),
        (Kind.TEXT, 0),
    ]


def test_right_to_left_is_drawn_in_one_and_stands_at_the_right(kit: Kit) -> None:
    (line,) = lines(kit, "שלום עולם 123 abc", 600)
    assert [piece.text for piece in line.pieces] == ["abc", " ", "123", "שלום עולם "]
    assert line.pieces[-1].kind is Kind.DRAWN
    assert line.pieces[0].x == 0 < line.pieces[1].x


def test_a_long_word_breaks_between_letters(kit: Kit) -> None:
    found = lines(kit, "x" * 500)
    assert len(found) > 5
    assert sum(len(piece.text) for line in found for piece in line.pieces) == 500


def test_signs_without_a_font_that_are_emoji_are_their_pictures(kit: Kit) -> None:
    kit.files = FontFiles(())
    (line,) = lines(kit, "✔")
    assert line.pieces[0].kind is Kind.EMOJI


def test_one_line_ends_with_dots_where_it_is_cut(kit: Kit) -> None:
    line = one_line(kit, (Span("far too long for such a little room as this one is"),), FaceName.BODY, 100)
    assert line.pieces[-1].text.endswith("…")
    assert line.width <= 100
    whole = one_line(kit, (Span("short"),), FaceName.BODY, 100)
    assert [piece.text for piece in whole.pieces] == ["short"]


@settings(
    max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(text=st.text(alphabet=st.sampled_from("ab  ש🎉م1(ह\u200d𝔘字-`@"), max_size=60) | st.text(max_size=60))
def test_any_text_becomes_lines_that_fit_and_hold_all_of_it(kit: Kit, text: str) -> None:
    for block in rich(text, lambda _: False):
        if not isinstance(block, Paragraph):
            continue
        found = wrapped(kit, block.spans, FaceName.BODY, ROOM)
        whole = "".join(span.text for span in block.spans)
        for line in found:
            assert line.width <= ROOM
            assert sum(piece.width for piece in line.pieces) == line.width
            for piece in line.pieces:
                assert whole[piece.start : piece.end] == piece.text
                assert piece.kind is not Kind.TEXT or not drawn(piece.text)
        shown = sum(len(piece.text.strip()) for line in found for piece in line.pieces)
        assert shown >= len("".join(whole.split())) - whole.count("\u3000")
    assert one_line(kit, preview(text), FaceName.BODY, 50).width <= 50 + 20


def test_every_style_has_a_face(kit: Kit) -> None:
    for style in Style:
        found = wrapped(kit, (Span("x", style, "target"),), FaceName.BODY, ROOM)
        assert found[0].pieces[0].style is style

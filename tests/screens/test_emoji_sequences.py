from __future__ import annotations

from importlib import resources

from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.emoji_sequences import Piece, emoji_list, is_emoji_part, pieces

SEQUENCES = [
    "".join(chr(int(point, 16)) for point in line.split("-"))
    for line in resources.files("coterie.screens").joinpath("assets/emoji.txt").read_text("ascii").split()
]


def test_every_sequence_of_the_list_is_one_picture() -> None:
    assert len(SEQUENCES) > 3_700
    wrong = [
        text
        for cell, text in enumerate(SEQUENCES)
        if pieces(f"a{text}b") != (Piece("a"), Piece(text, cell), Piece("b"))
    ]
    assert wrong == []


def test_a_sequence_without_its_style_selectors_is_the_same_picture() -> None:
    full, bare = "\U0001f3f3\ufe0f\u200d\U0001f308", "\U0001f3f3\u200d\U0001f308"
    assert [each.cell for each in pieces(full)] == [each.cell for each in pieces(bare)] != [-1]


def test_neighbours_are_pictures_of_their_own() -> None:
    assert [each.text for each in pieces("🇫🇷🇩🇪👍🏽👍")] == ["🇫🇷", "🇩🇪", "👍🏽", "👍"]


def test_an_unknown_sequence_falls_apart_into_what_is_known() -> None:
    found = pieces("😀\u200d🐙")
    assert [(each.text, each.cell >= 0) for each in found] == [("😀", True), ("\u200d", False), ("🐙", True)]


def test_signs_that_are_text_by_default_stay_text_until_asked() -> None:
    assert pieces("✔ © 1") == (Piece("✔ © 1"),)
    assert [each.cell >= 0 for each in pieces("✔\ufe0f")] == [True]
    assert [each.cell >= 0 for each in pieces("1\ufe0f\u20e3")] == [True]
    assert pieces("❤\ufe0e")[0].cell == -1


def test_what_a_coloured_font_may_draw_is_known_as_such() -> None:
    assert all(is_emoji_part(char) for char in "😀❤✔⌚\u200d\u20e3\ufe0f")
    assert not any(is_emoji_part(char) for char in "a1#©®™é→你")


@given(
    st.text(alphabet=st.sampled_from("a1#😀👍🏽🇫🇷\u200d\ufe0f\u20e3❤⌚\U000e0067\U000e007f🏴"), max_size=12)
    | st.text()
)
def test_the_pieces_of_any_text_make_the_text(text: str) -> None:
    found = pieces(text)
    assert "".join(each.text for each in found) == text
    assert all(each.text and -1 <= each.cell < len(emoji_list().cells) for each in found)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coterie.desktop.canvas.directions import levels, visual_order


def shown(text: str) -> str:
    return "".join(visual_order(text, levels(text)))


def test_letters_stand_as_they_are_read() -> None:
    assert shown("abc") == "abc"
    assert shown("אבג") == "גבא"
    assert shown("abc אבג def") == "abc גבא def"
    assert shown("אבג 123 abc") == "abc 123 גבא"


def test_levels_are_even_for_left_and_odd_for_right() -> None:
    assert levels("a אב") == [0, 0, 1, 1]
    assert levels("א12") == [1, 2, 2]


@given(st.text(alphabet=st.sampled_from("aא1 (\u200d\u0301م-"), max_size=30) | st.text(max_size=30))
def test_any_line_keeps_all_of_its_letters(text: str) -> None:
    assert len(levels(text)) == len(text)
    assert sorted(shown(text)) == sorted(text)

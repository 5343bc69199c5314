from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.hits import LEAD, LOOKED_AT, Hits
from coterie.screens.richtext import PREVIEW_CHARACTERS, Style


def marked(words: str, text: str) -> list[str]:
    return [span.text for span in Hits(words).snippet(text) if span.style is Style.HIT]


def shown(words: str, text: str) -> str:
    return "".join(span.text for span in Hits(words).snippet(text))


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ("hello", "say hello, Hello!", ["hello", "Hello"]),
        ("hel", "hello shell", ["hel"]),
        ("hel say", "hello say saying hel", ["say", "say", "hel"]),
        ("koln", "Grüße aus Köln", ["Köln"]),
        ("KÖL", "Grüße aus Köln", ["Köl"]),
        ("well-known", "the well-known tag, well", ["well", "known", "well"]),
        ('"AND" NOT', "this and that, nothing", ["and", "not"]),
        ("москва", "и Москва", ["Москва"]),
        ("新年", "新年快乐", ["新年"]),
        ("😀", "a 😀 b", []),
        ("", "anything", []),
        ("( * ^ :", "any (thing)", []),
        ("a_b", "a_b c", ["a", "b"]),
        ("nowhere", "anything", []),
    ],
)
def test_what_is_marked(words: str, text: str, expected: list[str]) -> None:
    assert marked(words, text) == expected


def test_the_part_around_the_first_hit_is_shown() -> None:
    text = "one two three " * 40 + "needle at last"
    part = shown("needle", text)
    assert part.startswith("\u2026 ")
    assert 0 < part.index("needle") <= LEAD + 2
    assert part.endswith("needle at last")
    assert marked("needle", text) == ["needle"]


def test_a_hit_at_the_beginning_is_shown_from_the_beginning() -> None:
    assert shown("two", "one two three\nfour") == "one two three four"
    assert len(shown("a", "a " * 500)) <= PREVIEW_CHARACTERS


def test_a_hit_far_down_is_not_looked_for() -> None:
    assert marked("needle", "x " * LOOKED_AT + "needle") == []


@given(words=st.text(max_size=50), text=st.text(max_size=300))
def test_any_words_in_any_text(words: str, text: str) -> None:
    spans = Hits(words).snippet(text)
    assert all("\n" not in span.text for span in spans)
    assert sum(len(span.text) for span in spans) <= PREVIEW_CHARACTERS + 2

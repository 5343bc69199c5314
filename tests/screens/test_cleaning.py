from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.cleaning import clean, loose

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


def test_overrides_and_isolates_are_gone_and_letters_keep_their_order() -> None:
    assert clean("invoice\u202efdp.exe") == "invoicefdp.exe"
    assert clean(OVERRIDES) == ""


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
        ("a\tb", "a    b"),
        ("\x00\x1b[31m\x7f", "\N{SYMBOL FOR NULL}\N{SYMBOL FOR ESCAPE}[31m\N{SYMBOL FOR DELETE}"),
        ("\x9b\ue000\ufdd0\ud800", "\ufffd" * 4),
        ("a\u00a0b\u200bc\ufeffd\u00ade", "a bcde"),
        ("e\u0301", "é"),
    ],
)
def test_what_cannot_be_seen_is_replaced(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_stack_of_marks_is_cut() -> None:
    assert len(clean("z" + "\u0316" * 100)) == 4


def test_joiners_stay_only_where_they_shape_letters() -> None:
    assert loose("می\u200cخواهم") == "می\u200cخواهم"
    assert loose("क्\u200dष") == "क्\u200dष"
    assert loose("pay\u200dpal\ufe0f\u20e3") == "paypal"


@given(st.text())
def test_nothing_harmful_is_left_of_any_text(text: str) -> None:
    for char in loose(clean(text)):
        assert char not in OVERRIDES
        assert (
            char in "\n\u200c\u200d"
            or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")
            or (0x1F000 <= ord(char) < 0x1FB00)
        )


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)

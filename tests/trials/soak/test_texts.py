"""Texts of any size in many scripts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coterie.base.limits import TEXT_BYTES
from coterie.trials.soak.texts import DIGEST_BYTES, PHRASES, TextWish, text_digest, text_of

SIZES = st.integers(1, TEXT_BYTES)


@given(st.integers(1, 10**6), st.integers(0, 50), SIZES)
def test_a_text_has_its_size_and_its_number(number: int, language: int, size: int) -> None:
    wish = TextWish(number, language, size)
    text = text_of(wish)
    encoded = text.encode()
    head = f"{number}. "
    assert text.startswith(head)
    assert len(encoded) <= max(size, len(head))
    assert len(encoded) >= size - 3
    assert text_of(wish) == text
    assert len(text_digest(text)) == DIGEST_BYTES


def test_every_language_is_said() -> None:
    texts = {text_of(TextWish(1, language, 300)) for language in range(len(PHRASES))}
    assert len(texts) == len(PHRASES)
    assert len({text_digest(text) for text in texts}) == len(PHRASES)

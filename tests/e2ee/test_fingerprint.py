from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId
from coterie.e2ee.fingerprint import SafetyCode, as_number, safety_number
from tests.examples import examples

accounts = st.binary(min_size=32, max_size=32).map(AccountId)
ONE, OTHER = AccountId(bytes(range(32))), AccountId(bytes(range(32, 64)))


def test_a_known_answer() -> None:
    """docs/protocol.md 5.7; pinned, for both sides must read the same in every version."""
    assert safety_number(ONE, OTHER) == (
        "69253 36410 87604 29838 30372 44932 42755 27582 30428 15378 78357 41454"
    )


@settings(max_examples=examples(100))
@given(accounts, accounts, accounts)
def test_both_sides_read_the_same_and_nobody_else_does(
    one: AccountId, two: AccountId, three: AccountId
) -> None:
    number = safety_number(one, two)
    assert number == safety_number(two, one)
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", number)
    if len({one, two, three}) == 3:
        assert len({number, safety_number(one, three), safety_number(two, three)}) == 3


@given(accounts, accounts)
def test_a_number_is_read_however_it_is_spaced(one: AccountId, two: AccountId) -> None:
    number = safety_number(one, two)
    assert as_number(number) == as_number(number.replace(" ", "")) == as_number(f"\n{number} ") == number


@pytest.mark.parametrize("text", ["", "1" * 59, "1" * 61, "x" * 60, "²" * 60, "٣" * 60])
def test_what_is_no_number_is_none(text: str) -> None:
    assert as_number(text) is None


@given(accounts, accounts)
def test_a_code_comes_back_in_any_case_and_spacing(shower: AccountId, scanner: AccountId) -> None:
    code = SafetyCode(shower, scanner)
    for text in (code.text, code.text.lower(), f" {code.text[:40]}\n{code.text[40:]}"):
        assert SafetyCode.from_text(text) == code
    assert re.fullmatch(r"[0-9A-Z:]{139}", code.text)


def test_a_code_says_who_shows_it() -> None:
    assert SafetyCode(ONE, OTHER).text != SafetyCode(OTHER, ONE).text


@given(st.text() | st.text("COTERIE:0123456789ABCDEF", max_size=160))
def test_garbage_is_no_code(text: str) -> None:
    with pytest.raises(SealBroken):
        SafetyCode.from_text(text)


def test_a_newer_version_says_so() -> None:
    text = SafetyCode(ONE, OTHER).text.replace(":1:", ":2:")
    with pytest.raises(SealBroken) as caught:
        SafetyCode.from_text(text)
    assert caught.value.code is Code.VERSION

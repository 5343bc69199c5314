from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.ids import AccountId
from coterie.e2ee.fingerprint import safety_number

accounts = st.binary(min_size=32, max_size=32).map(AccountId)


def test_a_known_answer() -> None:
    one, other = AccountId((7).to_bytes(32, "big")), AccountId((12345 * 10**25).to_bytes(32, "big"))
    zeros = " ".join(["00000"] * 5)
    assert safety_number(one, other) == f"{zeros} 00007 12345 {zeros}"


@settings(max_examples=100)
@given(accounts, accounts, accounts)
def test_both_sides_read_the_same_and_nobody_else_does(
    one: AccountId, two: AccountId, three: AccountId
) -> None:
    number = safety_number(one, two)
    assert number == safety_number(two, one)
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", number)
    if len({one, two, three}) == 3:
        assert len({number, safety_number(one, three), safety_number(two, three)}) == 3

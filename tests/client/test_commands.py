"""Typed text finds its conversation once, for every screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import UserName
from coterie.client.commands import Addressed, parse

KNOWN = {"bob": UserName("bob"), "Bob": UserName("bob"), "mary.ann": UserName("mary.ann")}


def test_plain_text_is_for_the_open_conversation() -> None:
    assert parse("hello @bob", KNOWN.get) == Addressed(None, False, "hello @bob")
    assert parse("@ bob", KNOWN.get) == Addressed(None, False, "@ bob")


@pytest.mark.parametrize(
    ("typed", "name", "text"),
    [
        ("@bob hi", "bob", "hi"),
        ("@Bob   hi\nthere", "bob", "hi\nthere"),
        ("@bob, hi", "bob", "hi"),
        ("@bob: hi", "bob", "hi"),
        ("@mary.ann hi", "mary.ann", "hi"),
        ("@bob", "bob", ""),
    ],
)
def test_a_leading_name_addresses(typed: str, name: str, text: str) -> None:
    assert parse(typed, KNOWN.get) == Addressed(UserName(name), False, text)


def test_everyone_can_be_addressed() -> None:
    assert parse("@everyone hi", KNOWN.get) == Addressed(None, True, "hi")


def test_a_name_that_nobody_has_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        parse("@bbo secret", KNOWN.get)
    assert refused.value.code is Code.UNKNOWN_PERSON
    assert "secret" not in str(refused.value)
    assert "bbo" not in str(refused.value)


@given(st.text(max_size=50))
def test_an_at_word_never_becomes_plain_text(rest: str) -> None:
    try:
        addressed = parse("@" + rest, lambda _: None)
    except Refused:
        return
    assert addressed.to_everyone or rest == "" or rest[0].isspace()

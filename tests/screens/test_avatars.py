from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.avatars import colour_index, initials


def test_initials_come_from_the_parts_of_a_name() -> None:
    assert initials("alice") == "A"
    assert initials("alice.moreau") == "AM"
    assert initials("Notes to yourself") == "NT"
    assert initials("---") == "?"


@given(st.text())
def test_any_name_has_initials_and_a_colour_of_its_own(name: str) -> None:
    assert 1 <= len(initials(name)) <= 2
    assert 0 <= colour_index(name, 6) == colour_index(name, 6) < 6


def test_colours_differ_between_people() -> None:
    assert len({colour_index(name, 6) for name in "abcdefghijklmnopqrstuvwxyz"}) == 6

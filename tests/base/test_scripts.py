"""The table of scripts against the Unicode that Python brings."""

from __future__ import annotations

import unicodedata

import pytest
from precis_i18n import get_profile

from coterie.base.scripts import _RANGES, _table, scripts_of

NAMED = {"L", "Mn", "Mc", "Nd"}


def test_ranges_are_in_order_and_apart() -> None:
    starts, ends, scripts = _table()
    assert starts == sorted(starts)
    assert all(start <= end for start, end in zip(starts, ends, strict=True))
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    assert all(scripts)


def test_every_code_point_is_a_letter_a_mark_or_a_digit() -> None:
    """In every Python: what Unicode 14 had, later versions keep."""
    starts, ends, _ = _table()
    for start, end in zip(starts, ends, strict=True):
        for code_point in range(start, end + 1):
            category = unicodedata.category(chr(code_point))
            assert category in NAMED or category[0] in NAMED, hex(code_point)


@pytest.mark.parametrize(
    ("character", "scripts"),
    [
        ("A", {"Latn"}),
        ("a", {"Latn"}),
        ("ß", {"Latn"}),
        ("а", {"Cyrl"}),
        ("α", {"Grek"}),
        ("क", {"Deva"}),
        ("١", {"Arab"}),
        ("李", {"Hani"}),
        ("々", {"Hani"}),
        ("さ", {"Hira"}),
        ("ー", {"Hira", "Kana"}),
        ("김", {"Hang"}),
        ("\U0001e922", {"Adlm"}),
        ("0", set()),
        (".", set()),
        ("\u0301", set()),
        ("😀", set()),
        ("\U0010ffff", set()),
        ("\x00", set()),
    ],
)
def test_known_characters(character: str, scripts: set[str]) -> None:
    assert scripts_of(character) == scripts


def test_what_came_after_unicode_14_is_unknown() -> None:
    """One of each later version: 15.0, 15.1, 16.0 and 17.0."""
    for code_point in (0x0CF3, 0x11F02, 0x2EBF0, 0x10D50, 0xA7CE):
        assert not scripts_of(chr(code_point))


def test_names_of_scripts_are_codes() -> None:
    for codes in _RANGES:
        assert all(len(code) == 4 and code.istitle() for code in codes.split())


def test_the_table_is_whole() -> None:
    """Nothing is missing in the blocks of the most used scripts, and the total stays what it was."""
    identifier = get_profile("IdentifierClass")
    missing = set()
    for first, last in ((0x61, 0x24F), (0x370, 0x5FF), (0x900, 0xDFF), (0x3041, 0x30FF)):
        for code_point in range(first, last + 1):
            character = chr(code_point)
            category = unicodedata.category(character)
            if category not in ("Ll", "Lo", "Lu", "Nd", "Mc") or scripts_of(character):
                continue
            try:
                identifier.enforce(character)
            except UnicodeEncodeError:
                continue
            missing.add(code_point)
    assert missing <= {0x0C5C, 0x0CDC, 0x0CF3}, "other than what came after Unicode 14"
    starts, ends, _ = _table()
    assert sum(end - start + 1 for start, end in zip(starts, ends, strict=True)) == 130_155

"""What a name may be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.names import RESERVED, canonical, could_be_name
from coterie.base.scripts import scripts_of
from tests.examples import examples


def refuses(name: str) -> None:
    with pytest.raises(Refused) as caught:
        canonical(name)
    assert caught.value.code is Code.BAD_NAME
    if len(name) > 3:
        assert name not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("alice", "alice"),
        ("Bob", "bob"),
        ("BOB.Smith_2-x", "bob.smith_2-x"),
        ("007", "007"),
        ("x", "x"),
        ("x" * 32, "x" * 32),
        ("zoe\u0308", "zo\u00eb"),
        ("e\u0301" * 32, "\u00e9" * 32),
        ("Ｂｏｂ", "bob"),
        ("Straße", "straße"),
        ("Σίσυφος", "σίσυφος"),
        ("ВЛАДИМИР", "владимир"),
        ("სანდრო", "სანდრო"),
        ("מרים", "מרים"),
        ("علي", "علي"),
        ("मोहन", "मोहन"),
        ("ज़ों२", "ज़ों२"),
        ("กี่", "กี่"),
        ("李小龍", "李小龍"),
        ("田中さくら", "田中さくら"),
        ("サーバー", "サーバー"),
        ("김李", "김李"),
        ("李ㄅ", "李ㄅ"),
        ("𐐨", "𐐨"),
    ],
)
def test_names_of_many_scripts_have_one_form(typed: str, kept: str) -> None:
    assert canonical(typed) == kept
    assert canonical(kept) == kept


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 33,
        "e" * 129,
        "e\u0301" * 33,
        " bob",
        "bob ",
        "bob smith",
        "bob@home",
        "@bob",
        "bob/x",
        "bob\\x",
        "bob:x",
        "bob\x00",
        "bob\n",
        ".bob",
        "_bob",
        "-bob",
        "..",
        "bob!",
        "bob😀",
        "bo\u00b7b",
        "x\u0301",
        "\u0301bob",
        "bob\u200d",
        "bob\u200b",
        "bob\u202e",
        "\ufeffbob",
        "bo\u00adb",
        "\u3164",
        "\ud800",
        "ﬁ",
        "𝐛𝐨𝐛",
        "²",
        "İ",
        "\U0001d165",
        "\U0001dfff",
    ],
)
def test_what_is_no_name(name: str) -> None:
    refuses(name)


@pytest.mark.parametrize(
    "name",
    [
        "аlice",
        "alicе",
        "pаypal",
        "bοb",
        "bob二",
        "アliсe",
        "김さ",
        "ㄅさ",
        "ㄅ김",
        "aー",
        "김ー",
        "a१",
        "मа",
        "कு",
    ],
)
def test_scripts_are_not_mixed(name: str) -> None:
    refuses(name)


def test_marks_stand_on_letters_and_are_few() -> None:
    assert canonical("1म\u094b") == "1म\u094b"
    assert canonical("ก" + "\u0e48" * 4) == "ก" + "\u0e48" * 4
    for name in ("1\u094b", "म.\u094b", "म1\u094b", "\u094bम", "ก" + "\u0e48" * 5):
        refuses(name)


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_reserved_words_are_refused_however_they_are_written(word: str) -> None:
    fullwidth = "".join(chr(ord(letter) + 0xFEE0) for letter in word)
    for name in (word, word.upper(), word.capitalize(), fullwidth, fullwidth.upper()):
        refuses(name)
    assert canonical(word + "1") == word + "1"


def test_the_reserved_words() -> None:
    assert {"everyone", "all", "here", "me", "admin", "server", "coterie"} == RESERVED


LETTERS = st.characters(categories=["L", "M", "N", "P"])


@given(name=st.text(LETTERS, max_size=40) | st.text(max_size=200) | st.text("aBz09._-éЖक", max_size=40))
@settings(max_examples=examples(300))
def test_any_text_is_refused_or_has_one_form(name: str) -> None:
    try:
        kept = canonical(name)
    except Refused as refused:
        assert refused.code is Code.BAD_NAME
        return
    assert canonical(kept) == kept
    assert canonical(name.upper() if name.isascii() else name) == kept
    assert 1 <= len(kept) <= limits.NAME_CHARACTERS
    assert kept not in RESERVED
    assert kept == unicodedata.normalize("NFC", kept)
    assert kept[0].isalnum()
    for character in kept:
        assert character in "0123456789._-" or scripts_of(character)


@given(name=st.text(st.characters(categories=["Cs", "Cn", "Co", "Cc", "Cf"]), min_size=1, max_size=5))
@settings(max_examples=examples(100))
def test_surrogates_controls_and_unassigned_are_refused(name: str) -> None:
    refuses(name)


@given(st.text(max_size=40))
@settings(max_examples=examples(300))
def test_every_name_could_be_a_name(typed: str) -> None:
    try:
        name = canonical(typed)
    except Refused:
        return
    assert could_be_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 33,
        "-bob",
        "Bob",
        "bob ",
        "bo\u00a0b",
        "\x1b[2j",
        "bo\x00b",
        "bo\nb",
        "bob\u202e",
        "bo\u200bb",
        "bo\ufeffb",
        "b\ue000b",
        "bob\U0001f600",
        "b@b",
        "bob\u2028",
    ],
)
def test_what_no_name_can_hold_is_known_without_the_tables_of_scripts(name: str) -> None:
    assert not could_be_name(name)

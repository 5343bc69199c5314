"""Recovery keys in words, and passphrases."""

from __future__ import annotations

import hashlib
import math
import sys

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import LocalError, SealBroken, Unavailable
from coterie.e2ee.recovery import (
    PASSPHRASE_WORDS,
    RecoveryKey,
    is_passphrase,
    new_passphrase,
    passphrase_words,
)


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (bytes(32), "abandon " * 23 + "art"),
        (b"\x7f" * 32, "legal winner thank year wave sausage worth useful " * 2
         + "legal winner thank year wave sausage worth title"),
        (b"\x80" * 32, "letter advice cage absurd amount doctor acoustic avoid " * 2
         + "letter advice cage absurd amount doctor acoustic bless"),
        (b"\xff" * 32, "zoo " * 23 + "vote"),
    ],
)  # fmt: skip
def test_the_published_vectors_of_bip_39(secret: bytes, words: str) -> None:
    assert RecoveryKey(secret).words() == words
    again = RecoveryKey.from_words(words)
    assert again.words() == words
    assert again.wrap_key == RecoveryKey(secret).wrap_key


def test_words_may_be_typed_in_any_case_and_with_any_white_space() -> None:
    key = RecoveryKey.generate()
    words = key.words().split()
    typed = "  " + "\n".join(word.upper() for word in words[:12]) + "\t " + "  ".join(words[12:]) + "\n"
    assert RecoveryKey.from_words(typed).auth_key == key.auth_key


def test_a_wrong_missing_or_swapped_word_is_refused() -> None:
    words = "letter advice cage absurd amount doctor acoustic avoid " * 2
    words += "letter advice cage absurd amount doctor acoustic bless"
    listed = words.split()
    for wrong in (
        listed[:-1],
        [*listed, "zoo"],
        [*listed[:-1], "zoo"],
        [listed[1], listed[0], *listed[2:]],
        [*listed[:-1], "blesss"],
        [*["abandon"] * 11, "about"],
        [],
        ["ä"] * 24,
        ["\ud800"] * 24,
    ):
        with pytest.raises(SealBroken):
            RecoveryKey.from_words(" ".join(wrong))


def test_the_three_keys_are_what_the_protocol_says() -> None:
    key = RecoveryKey(bytes(range(32)))
    for purpose, derived in (("wrap", key.wrap_key), ("auth", key.auth_key), ("store", key.store_key)):
        info = hashlib.sha256(f"coterie recovery {purpose}".encode() + b"\x00\x01").digest()
        assert derived == HKDF(SHA256(), 32, None, info).derive(bytes(range(32)))


def test_a_key_does_not_show_itself_and_has_its_size() -> None:
    assert repr(RecoveryKey.generate()) == "<RecoveryKey>"
    assert RecoveryKey.generate().words() != RecoveryKey.generate().words()
    with pytest.raises(LocalError):
        RecoveryKey(bytes(31))


def test_only_our_own_passphrases_pass_as_such() -> None:
    for _ in range(200):
        assert is_passphrase(new_passphrase())
    six = "yo-yo-drop-down-t-shirt-felt-tip-abacus-zoom"
    assert is_passphrase(six)
    for other in ("", "abacus", six + "-", "-" + six, six + "-zoom", six.removesuffix("-zoom"), six.upper()):
        assert not is_passphrase(other)


@given(st.text())
def test_no_text_is_a_passphrase_by_chance(text: str) -> None:
    assert not is_passphrase(text)


def test_passphrases_have_77_bits_and_read_one_way_only() -> None:
    words = passphrase_words()
    assert len(words) == len(set(words)) == 7776
    assert PASSPHRASE_WORDS * math.log2(len(words)) >= 77
    known = set(words)
    hyphened = [word.split("-") for word in words if "-" in word]
    assert not any(known.issuperset(parts) for parts in hyphened)
    phrases = {new_passphrase() for _ in range(50)}
    assert len(phrases) == 50
    for phrase in phrases:
        parts = phrase
        for word in ("drop-down", "felt-tip", "t-shirt", "yo-yo"):
            parts = parts.replace(word, "abacus")
        assert len(parts.split("-")) == PASSPHRASE_WORDS
        assert known.issuperset(parts.split("-"))


def test_another_or_a_missing_word_list_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    passphrase_words.cache_clear()
    with monkeypatch.context() as changed:
        changed.setattr("coterie.e2ee.recovery.WORD_LIST_SHA256", "0" * 64)
        with pytest.raises(Unavailable, match="another one"):
            new_passphrase()
    with monkeypatch.context() as changed:
        changed.setitem(sys.modules, "xkcdpass", None)
        with pytest.raises(Unavailable, match="missing"):
            new_passphrase()
    assert new_passphrase()


@settings(max_examples=50)
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(st.sampled_from(["abandon", "art", "zoo", "x"]), max_size=30).map(" ".join),
    )
)
def test_garbage_is_refused(typed: str) -> None:
    try:
        assert len(RecoveryKey.from_words(typed).words().split()) == 24
    except SealBroken:
        return

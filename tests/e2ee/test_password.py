"""One stretching of the password; what it depends on, and what it refuses."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, Refused, SealBroken
from coterie.base.ids import AccountId, UserName
from coterie.e2ee.password import Argon2Parameters, PasswordKeys, password_bytes, stretch
from tests.examples import examples

SERVER = AccountId(bytes(range(32)))
BOB = UserName("bob")
RANDOM = bytes(range(16))


@pytest.fixture(scope="module")
def keys() -> PasswordKeys:
    return stretch("correct horse", SERVER, BOB, RANDOM)


def _length(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def test_the_three_keys_are_what_the_protocol_says(keys: PasswordKeys) -> None:
    """Computed again from the words of docs/protocol.md, with nothing of ours."""
    salt = hashlib.sha256(
        b"coterie salt\x00\x01" + _length(SERVER) + _length(b"bob") + _length(RANDOM)
    ).digest()
    stretched = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65_536).derive(
        b"correct horse"
    )
    for name, key in (("auth", keys.auth), ("wrap", keys.wrap), ("store", keys.store)):
        info = hashlib.sha256(f"coterie {name} key".encode() + b"\x00\x01").digest()
        assert key == HKDF(SHA256(), 32, None, info).derive(stretched)


def test_password_and_salt_count_for_all_three_keys(keys: PasswordKeys) -> None:
    others = (stretch("correct horsf", SERVER, BOB, RANDOM), stretch("correct horse", SERVER, BOB, bytes(16)))
    everything = {key for each in (keys, *others) for key in (each.auth, each.wrap, each.store)}
    assert len(everything) == 9


@pytest.mark.parametrize(
    "parameters",
    [
        Argon2Parameters(memory_kib=limits.ARGON2_MEMORY_KIB - 1),
        Argon2Parameters(passes=limits.ARGON2_PASSES - 1),
        Argon2Parameters(lanes=limits.ARGON2_LANES - 1),
        Argon2Parameters(memory_kib=0, passes=0, lanes=0),
        Argon2Parameters(passes=-3),
        Argon2Parameters(memory_kib=1 << 40),
        Argon2Parameters(passes=1 << 20),
        Argon2Parameters(lanes=1 << 20),
    ],
)
def test_a_server_can_neither_weaken_the_stretching_nor_stop_the_machine_with_it(
    parameters: Argon2Parameters,
) -> None:
    with pytest.raises(SealBroken):
        stretch("correct horse", SERVER, BOB, RANDOM, parameters)


def test_a_salt_has_its_size() -> None:
    with pytest.raises(LocalError):
        stretch("correct horse", SERVER, BOB, RANDOM[:15])


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", Code.EMPTY), ("x" * 1025, Code.TOO_LARGE), ("é" * 513, Code.TOO_LARGE), ("a\ud800", Code.USAGE)],
)
def test_passwords_that_nobody_has_are_refused(typed: str, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        stretch(typed, SERVER, BOB, RANDOM)
    assert refused.value.code is code
    assert not typed or typed not in str(refused.value)


def test_the_same_password_typed_on_another_system_is_the_same() -> None:
    assert password_bytes("café") == password_bytes("cafe\u0301") == "café".encode()
    assert password_bytes("a\u00a0b\u3000c") == b"a b c"
    assert password_bytes("Ａb") != password_bytes("Ab")
    assert password_bytes("Ab") != password_bytes("ab")
    assert password_bytes(" a ") == b" a "


@settings(max_examples=examples(100))
@given(st.text(min_size=1, max_size=60))
def test_every_text_is_a_password(typed: str) -> None:
    once = password_bytes(typed)
    assert password_bytes(once.decode()) == once


def test_keys_do_not_show(keys: PasswordKeys) -> None:
    assert repr(keys) == "<PasswordKeys>"

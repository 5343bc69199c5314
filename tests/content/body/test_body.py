"""Bodies: every text comes back, what is newer is kept, what is wrong is refused."""

from __future__ import annotations

import msgspec
import pytest
import rich.pretty
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Refused, RemoteError
from coterie.base.limits import TEXT_BYTES
from coterie.content.body import BodyKind, Text, Unknown, pack, unpack
from tests.examples import examples

valid = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@settings(max_examples=examples(200))
@given(valid)
def test_every_text_comes_back(text: str) -> None:
    assert unpack(pack(Text(text))) == Text(text)


def test_texts_of_one_byte_and_of_64_kib_and_of_all_of_unicode() -> None:
    everything = "".join(chr(point) for point in range(0x11_0000) if not 0xD800 <= point < 0xE000)
    start = 0
    while start < len(everything):
        piece = everything[start : start + TEXT_BYTES // 4]
        assert unpack(pack(Text(piece))) == Text(piece)
        start += len(piece)
    for text in ("x", "\x00", "x" * TEXT_BYTES, "é" * (TEXT_BYTES // 2)):
        assert unpack(pack(Text(text))) == Text(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", Code.EMPTY),
        ("x" * (TEXT_BYTES + 1), Code.TOO_LARGE),
        ("é" * (TEXT_BYTES // 2 + 1), Code.TOO_LARGE),
        ("half \ud83d", Code.USAGE),
    ],
)
def test_texts_that_cannot_be_sent_are_refused(text: str, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        pack(Text(text))
    assert refused.value.code is code


def test_the_same_texts_are_refused_from_others() -> None:
    for text in ("", "x" * (TEXT_BYTES + 1)):
        with pytest.raises(RemoteError):
            unpack(msgspec.msgpack.encode([1, [text]]))
    for not_utf_8 in (b"\xed\xa0\x80", b"\xff", b"\xc0\x80"):
        with pytest.raises(RemoteError):
            unpack(b"\x92\x01\x91" + bytes((0xA0 | len(not_utf_8),)) + not_utf_8)


def test_what_a_later_version_adds_to_a_text_does_not_hide_it() -> None:
    assert unpack(msgspec.msgpack.encode([1, ["hi", {"reply": 1}, 2]])) == Text("hi")


@settings(max_examples=examples(100))
@given(
    kind=st.integers(2, 9) | st.integers(15, 65_535),
    fields=st.recursive(
        st.one_of(st.none(), st.integers(-5, 5), st.binary(max_size=9), st.text(max_size=9)),
        lambda inner: st.lists(inner, max_size=4),
        max_leaves=12,
    ),
)
def test_kinds_of_a_newer_version_are_kept_as_they_came(kind: int, fields: object) -> None:
    packed = msgspec.msgpack.encode([kind, fields])
    body = unpack(packed)
    assert body == Unknown(kind, msgspec.msgpack.encode(fields))
    assert pack(body) == packed


def test_only_what_was_unpacked_as_unknown_can_be_packed_as_unknown() -> None:
    for made_up in (
        Unknown(BodyKind.TEXT, b"\x91\xa2hi"),
        Unknown(9, b""),
        Unknown(9, b"\x01\x02"),
        Unknown(9, b"\xc1"),
        Unknown(-1, b"\x01"),
        Unknown(65_536, b"\x01"),
    ):
        with pytest.raises(LocalError):
            pack(made_up)


@settings(max_examples=examples(300))
@given(st.one_of(st.binary(max_size=60), st.binary(max_size=30).map(lambda rest: b"\x92\x01\x91" + rest)))
def test_garbage_is_a_body_or_is_refused(garbage: bytes) -> None:
    try:
        body = unpack(garbage)
    except RemoteError as refused:
        assert refused.code is Code.BAD_FRAME
        return
    assert isinstance(body, Text | Unknown)


def test_deep_and_boastful_garbage_is_refused() -> None:
    for garbage in (
        b"\x91" * 100_000,
        b"\x92\x02" + b"\x91" * 100_000,
        b"\x92\x02\xc6\xff\xff\xff\xff",
        b"\x92\x01\xdd\xff\xff\xff\xff",
        b"\x93\x02\x01\x01",
        b"\x92\x01\x90",
        b"",
    ):
        with pytest.raises(RemoteError):
            unpack(garbage)


def test_nothing_said_shows() -> None:
    for body in (Text("secret words"), Unknown(77, b"secret words")):
        assert repr(body) == f"<{type(body).__name__}>"
        assert "secret" not in rich.pretty.pretty_repr(body)


def test_the_bytes_of_a_body_stay_as_they_are() -> None:
    assert pack(Text("hi")).hex() == "920191a26869"
    assert {kind.name: int(kind) for kind in BodyKind} == {
        "TEXT": 1,
        "EDIT": 2,
        "DELETION": 3,
        "REACTION": 4,
        "RECEIPT": 5,
        "FILE": 6,
        "TYPING": 7,
        "GROUP_CHANGE": 8,
        "ACCEPTANCE": 9,
        "VERIFY_START": 10,
        "VERIFY_KEY": 11,
        "VERIFY_REVEAL": 12,
        "VERIFY_CONFIRM": 13,
        "VERIFY_CANCEL": 14,
    }

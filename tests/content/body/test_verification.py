"""Bodies of a comparison of emoji: their bytes, what is refused, and that nobody is shown one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import LocalError, RemoteError
from coterie.content.body import Body, BodyKind, Text, Unknown, is_shown, pack, unpack
from coterie.content.body.verification import (
    KINDS,
    VerifyCancel,
    VerifyConfirm,
    VerifyKey,
    VerifyReveal,
    VerifyStart,
)
from tests.examples import examples

EXCHANGE, KEY = b"e" * 16, b"k" * 32
BODIES: list[Body] = [
    VerifyStart(EXCHANGE, KEY),
    VerifyKey(EXCHANGE, KEY),
    VerifyReveal(EXCHANGE, KEY),
    VerifyConfirm(EXCHANGE, KEY),
    VerifyCancel(EXCHANGE, 2),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_body_comes_back_and_is_not_shown(body: Body) -> None:
    assert unpack(pack(body)) == body
    assert not is_shown(body)
    assert repr(body) == f"<{type(body).__name__}>"


def test_what_people_see_is_shown() -> None:
    assert is_shown(Text("hi"))
    assert is_shown(Unknown(77, b"\x90"))


def test_the_bytes_stay_as_they_are() -> None:
    exchange, key = "c410" + EXCHANGE.hex(), "c420" + KEY.hex()
    assert [pack(body).hex() for body in BODIES] == [
        f"920a92{exchange}{key}",
        f"920b92{exchange}{key}",
        f"920c92{exchange}{key}",
        f"920d92{exchange}{key}",
        f"920e92{exchange}02",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_later_version_adds_hides_nothing(kind: int) -> None:
    packed = pack(BODIES[kind - BodyKind.VERIFY_START])
    fields = msgspec.msgpack.decode(packed)[1]
    assert unpack(msgspec.msgpack.encode([kind, [*fields, {"more": 1}]])) == unpack(packed)


@pytest.mark.parametrize(
    "body", [VerifyStart(b"short", KEY), VerifyKey(EXCHANGE, KEY + b"x"), VerifyCancel(EXCHANGE, 0)]
)
def test_fields_that_break_their_rules_leave_no_device(body: Body) -> None:
    with pytest.raises(LocalError):
        pack(body)


@settings(max_examples=examples(300))
@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=60))
def test_garbage_is_a_body_or_is_refused(kind: int, fields: bytes) -> None:
    try:
        body = unpack(b"\x92" + bytes((kind,)) + fields)
    except RemoteError:
        return
    assert isinstance(body, KINDS[kind])

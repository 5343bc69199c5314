"""Codec: what goes in comes out, and nothing but bad-frame comes out of garbage."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire import codec
from coterie.wire.frames import Frame
from coterie.wire.frames.accounts import LoginStart, Salt, SignUp
from coterie.wire.frames.connection import Hello, Ping, Pong
from tests.examples import examples
from tests.wire.frame_strategies import CLIENT_FRAMES, SERVER_FRAMES, client_frames, frames_of, server_frames

Decode = Callable[[bytes], tuple[Frame, ...]]
BOTH: tuple[Decode, ...] = (codec.decode_client, codec.decode_server)


def framed(*packed: bytes) -> bytes:
    return b"".join(len(each).to_bytes(4, "big") + each for each in packed)


def refuses(decode: Decode, data: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        decode(data)
    assert caught.value.code is Code.BAD_FRAME


@pytest.mark.parametrize("kind", CLIENT_FRAMES, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=15)
def test_every_client_frame_comes_back(kind: type[Frame], data: st.DataObject) -> None:
    frame = data.draw(frames_of(kind))
    assert codec.decode_client(codec.encode(frame)) == (frame,)
    refuses(codec.decode_server, codec.encode(frame))


@pytest.mark.parametrize("kind", SERVER_FRAMES, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=15)
def test_every_server_frame_comes_back(kind: type[Frame], data: st.DataObject) -> None:
    frame = data.draw(frames_of(kind))
    assert codec.decode_server(codec.encode(frame)) == (frame,)
    refuses(codec.decode_client, codec.encode(frame))


@given(st.lists(client_frames(), min_size=1, max_size=8))
@settings(max_examples=30)
def test_frames_of_one_message_keep_their_order(frames: list[Frame]) -> None:
    assert codec.decode_client(codec.encode(*frames)) == tuple(frames)


@given(st.binary(max_size=300))
def test_garbage_is_a_bad_frame(data: bytes) -> None:
    for decode in BOTH:
        refuses(decode, data)
        refuses(decode, framed(data))


@given(frame=st.one_of(client_frames(), server_frames()), data=st.data())
@settings(max_examples=examples(100))
def test_a_damaged_message_is_a_frame_or_a_bad_frame(frame: Frame, data: st.DataObject) -> None:
    whole = codec.encode(frame)
    at = data.draw(st.integers(0, len(whole)))
    until = data.draw(st.integers(at, min(len(whole), at + 8)))
    damaged = whole[:at] + data.draw(st.binary(max_size=8)) + whole[until:]
    for decode in BOTH:
        try:
            frames = decode(damaged)
        except RemoteError as error:
            assert error.code is Code.BAD_FRAME
        else:
            assert decode(codec.encode(*frames)) == frames


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(tag=st.integers(0, 50), fields=st.lists(_JSON, max_size=10))
@settings(max_examples=examples(60))
def test_well_formed_msgpack_of_the_wrong_shape_is_a_bad_frame(tag: int, fields: list[object]) -> None:
    message = framed(msgspec.msgpack.encode([tag, *fields]))
    for decode in BOTH:
        try:
            frames = decode(message)
        except RemoteError as error:
            assert error.code is Code.BAD_FRAME
        else:
            assert decode(codec.encode(*frames)) == frames


WELCOME_WITH_MORE_LIMITS = b"".join(
    (b"\x98\x22\x01\xc4\x10", bytes(16), b"\xc4\x00\x90\xc4\x00\xc4\x20", bytes(32), b"\x94\x01\x01\x01")
)
"""A limit that this version does not know follows: it is skipped, however deep it is."""


def test_limits_of_later_versions_are_skipped() -> None:
    assert codec.decode_server(framed(WELCOME_WITH_MORE_LIMITS + b"\x91\x01"))


@pytest.mark.parametrize("decode", BOTH)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x00\x00\x00\x00",
        b"\x00\x00\x00\x01",
        b"\xff\xff\xff\xff\x00",
        framed(b""),
        b"\x00\x00\x00\xff" + msgspec.msgpack.encode([1, [1]]),
        framed(msgspec.msgpack.encode([1, [1]])) + b"\x00",
        framed(msgspec.msgpack.encode([1, [1]]) + b"\x00"),
        framed(msgspec.msgpack.encode([1, [1], 7])),
        framed(msgspec.msgpack.encode([99, 1])),
        framed(msgspec.msgpack.encode({"t": 1, "versions": [1]})),
        framed(msgspec.msgpack.encode([4, 1 << 63])),
        framed(msgspec.msgpack.encode([4, -1])),
        framed(msgspec.msgpack.encode([4, True])),
        framed(b"\x91" * 200_000),
        framed(b"\x92\x04" + b"\x91" * 200_000),
        framed(WELCOME_WITH_MORE_LIMITS + b"\x91" * 900_000),
        framed(b"\x93\x06\x01\xa1\xff"),
        framed(b"\x93\x06\x01\xa3\xed\xa0\x80"),
        framed(b"\xdd\xff\xff\xff\xff"),
        framed(b"\x92\x01\xdd\xff\xff\xff\xff"),
        framed(b"\x92\x03\xdd\xff\xff\xff\xff\x93"),
    ],
)
def test_known_traps_are_bad_frames(decode: Decode, data: bytes) -> None:
    refuses(decode, data)


@pytest.mark.parametrize(
    ("text", "fits"), [("a" * 32, True), ("a" * 33, False), ("", False), ("\U0001f600" * 32, True)]
)
def test_the_limits_of_fields_hold(text: str, fits: bool) -> None:
    message = codec.encode(LoginStart(request=1, name=text))
    if fits:
        assert codec.decode_client(message) == (LoginStart(request=1, name=text),)
    else:
        refuses(codec.decode_client, message)


def test_a_message_has_at_most_so_many_frames() -> None:
    ping = Ping(nonce=1)
    most = limits.FRAMES_PER_MESSAGE
    message = codec.encode(*[ping] * most)
    assert len(codec.decode_client(message)) == most
    refuses(codec.decode_client, message + codec.encode(ping))
    for count in (0, most + 1):
        with pytest.raises(LocalError):
            codec.encode(*[ping] * count)


def test_a_message_has_at_most_so_many_bytes() -> None:
    frame = SignUp(
        request=1,
        name="alice",
        manifest=b"m",
        vault=bytes(limits.FRAME_BYTES),
        auth_key=bytes(32),
        recovery_auth_key=bytes(32),
        prekeys=(),
    )
    with pytest.raises(LocalError):
        codec.encode(frame)
    with pytest.raises(LocalError):
        codec.encode_all([frame])
    refuses(codec.decode_client, framed(msgspec.msgpack.encode(frame)))


@pytest.mark.parametrize("frame", [LoginStart(request=1, name="\ud800"), Pong(nonce=1 << 70, ledger_size=0)])
def test_what_cannot_be_encoded_is_our_own_mistake(frame: Frame) -> None:
    for frames in ((frame,), (Ping(1), frame)):
        with pytest.raises(LocalError) as caught:
            codec.encode(*frames)
        assert caught.value.code is Code.BAD_FRAME
        with pytest.raises(LocalError):
            codec.encode_all(frames)


def test_frames_that_are_too_large_together_are_sent_apart() -> None:
    large = SignUp(1, "a", bytes(limits.FRAME_BYTES // 2), b"", bytes(32), bytes(32), ())
    with pytest.raises(LocalError) as caught:
        codec.encode(large, large)
    assert caught.value.code is Code.TOO_LARGE
    assert len(codec.encode_all([large, large])) == 2


def test_a_hello_is_read_whatever_versions_it_names() -> None:
    assert codec.decode_client(codec.encode(Hello(versions=(9, 1)))) == (Hello(versions=(9, 1)),)


@given(st.lists(server_frames(), max_size=20))
@settings(max_examples=20)
def test_many_messages_carry_what_one_cannot(frames: list[Frame]) -> None:
    messages = codec.encode_all(frames)
    assert [frame for message in messages for frame in codec.decode_server(message)] == frames
    assert len(messages) <= 1


def test_many_messages_are_as_few_as_the_limits_allow() -> None:
    small = [Pong(nonce=n, ledger_size=0) for n in range(limits.FRAMES_PER_MESSAGE + 1)]
    assert [len(codec.decode_server(each)) for each in codec.encode_all(small)] == [
        limits.FRAMES_PER_MESSAGE,
        1,
    ]
    wide = [
        SignUp(1, "bob", b"m", bytes(limits.FRAME_BYTES // 2 - 200), bytes(32), bytes(32), ())
        for _ in range(3)
    ]
    messages = codec.encode_all(wide)
    assert len(messages) == 2
    assert all(len(message) <= limits.FRAME_BYTES for message in messages)


def test_a_message_is_filled_up_to_a_size_and_a_large_frame_stands_alone() -> None:
    frames = [Salt(number, bytes(16), 65536, 3, 4) for number in range(1, 8)]
    size = len(codec.encode(frames[0]))
    messages = codec.encode_all(frames, fill_bytes=3 * size)
    assert [len(codec.decode_server(each)) for each in messages] == [3, 3, 1]
    assert [len(codec.decode_server(each)) for each in codec.encode_all(frames, fill_bytes=1)] == [1] * 7
    assert [frame for each in messages for frame in codec.decode_server(each)] == frames

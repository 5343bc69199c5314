"""The second channel without sockets: which frame when, pinned bytes, and garbage.

After a wanted change: python -m tests.wire.test_blob_session writes the pinned bytes anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import LocalError, RemoteError
from coterie.wire import codec
from coterie.wire.blob_session import BlobSession, ChannelState
from coterie.wire.frames import Frame
from coterie.wire.frames.blobs import (
    BlobChunk,
    BlobClientFrame,
    BlobRead,
    BlobServerFrame,
    BlobWanted,
    DropBlob,
    GetBlob,
    ProveBlobs,
    PutBlob,
)
from coterie.wire.frames.connection import Hello, Welcome
from coterie.wire.frames.shared import Accepted, Refusal
from coterie.wire.readable_blobs import BLOB_FIELDS
from coterie.wire.session import Role
from tests.wire.frame_strategies import CLIENT_FRAMES, SERVER_FRAMES, frames_of
from tests.wire.test_golden import sample
from tests.wire.test_readable import structs

GOLDEN = Path(__file__).parents[1] / "golden" / "blob-frames-v1.txt"
UP: tuple[Any, ...] = get_args(BlobClientFrame)
DOWN: tuple[Any, ...] = get_args(BlobServerFrame)
KINDS = (*UP, *(kind for kind in DOWN if kind not in UP))
PROOF = ProveBlobs(1, bytes(32), bytes(16), 1, bytes(16), bytes(64))
WELCOME = sample(Welcome)


def pair() -> tuple[BlobSession[Any, Any], BlobSession[Any, Any]]:
    return BlobSession(Role.CLIENT), BlobSession(Role.SERVER)


def over(speaker: BlobSession[Any, Any], hearer: BlobSession[Any, Any], *frames: Any) -> None:
    for frame in frames:
        assert hearer.receive(speaker.send(frame)) == (frame,)
        assert hearer.state is speaker.state or frame.request == 0


def welcome(version: int = 1) -> Welcome:
    assert isinstance(WELCOME, Welcome)
    return Welcome(version, *[getattr(WELCOME, name) for name in Welcome.__struct_fields__[1:]])


def opened() -> tuple[BlobSession[Any, Any], BlobSession[Any, Any]]:
    client, server = pair()
    over(client, server, Hello((1,)))
    over(server, client, welcome())
    over(client, server, PROOF)
    over(server, client, Accepted(1, 0))
    assert client.state is ChannelState.OPEN
    return client, server


def pinned() -> dict[str, bytes]:
    lines = [line.split() for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    return {name: bytes.fromhex(data) for name, data in lines}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_bytes_of_a_frame_stay_as_they_are(kind: Any) -> None:
    data = pinned()[kind.__name__]
    assert codec.encode_one(sample(kind)) == data
    for decode, kinds in ((codec.decode_blob_client, UP), (codec.decode_blob_server, DOWN)):
        if kind in kinds:
            assert decode(data) == (sample(kind),)
        else:
            with pytest.raises(RemoteError):
                decode(data)


def test_nothing_else_is_pinned_and_no_number_means_two_things() -> None:
    assert list(pinned()) == [kind.__name__ for kind in KINDS]
    every: set[type[Frame]] = {*KINDS, *CLIENT_FRAMES, *SERVER_FRAMES}
    assert len({kind.__struct_config__.tag for kind in every}) == len(every)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=10)
def test_every_frame_comes_back(kind: Any, data: st.DataObject) -> None:
    frame = data.draw(frames_of(kind))
    decode = codec.decode_blob_client if kind in UP else codec.decode_blob_server
    assert decode(codec.encode_one(frame)) == (frame,)


@given(st.one_of(st.binary(max_size=300), st.sampled_from(KINDS).flatmap(frames_of).map(codec.encode_one)))
def test_garbage_breaks_a_session_with_a_clear_error(data: bytes) -> None:
    for session in (*pair(), *opened()):
        try:
            session.receive(data)
        except RemoteError as error:
            assert error.code in {Code.BAD_FRAME, Code.UNEXPECTED_FRAME, Code.VERSION}
            assert session.state is ChannelState.BROKEN


@given(st.data())
@settings(max_examples=30)
def test_a_frame_with_a_flipped_bit_breaks_nothing_else(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(sorted(pinned().values()))))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for decode in (codec.decode_blob_client, codec.decode_blob_server):
        try:
            decode(bytes(whole))
        except RemoteError as error:
            assert error.code is Code.BAD_FRAME


def test_requests_and_answers_once_a_device_has_proven_itself() -> None:
    client, server = opened()
    put, chunk = PutBlob(2, bytes(16), 5, bytes(32)), BlobChunk(2, 0, b"bytes")
    over(client, server, put)
    over(server, client, BlobWanted(2, 0))
    over(client, server, chunk, GetBlob(3, bytes(16), 0, 5), DropBlob(4, bytes(16)))
    over(server, client, Accepted(2, 0), BlobChunk(3, 0, b"bytes"), BlobRead(3, 5), Refusal(4, "busy"))
    over(server, client, Refusal(0, "revoked"))
    assert client.state is ChannelState.CLOSED
    assert client.receive(b"what was still under way") == ()
    with pytest.raises(LocalError):
        server.send(Refusal(0, "busy"))


@pytest.mark.parametrize("frame", [PROOF, PutBlob(1, bytes(16), 5, bytes(32)), GetBlob(1, bytes(16), 0, 1)])
def test_nothing_but_hello_goes_out_before_welcome(frame: Any) -> None:
    client, server = pair()
    with pytest.raises(LocalError):
        client.send(frame)
    with pytest.raises(RemoteError) as caught:
        server.receive(codec.encode_one(frame))
    assert caught.value.code is Code.UNEXPECTED_FRAME
    assert server.send(Refusal(0, "unexpected-frame")), "a server may still say why"


def test_files_wait_for_the_proof() -> None:
    client, server = pair()
    over(client, server, Hello((1,)))
    over(server, client, welcome())
    with pytest.raises(RemoteError):
        server.receive(codec.encode_one(PutBlob(1, bytes(16), 5, bytes(32))))
    client, server = pair()
    over(client, server, Hello((1,)))
    over(server, client, welcome())
    over(client, server, PROOF)
    over(server, client, Refusal(1, "wrong-credentials"))
    assert client.state is ChannelState.WELCOMED


def test_request_zero_is_the_servers() -> None:
    _, server = opened()
    with pytest.raises(RemoteError) as caught:
        server.receive(codec.encode_one(DropBlob(0, bytes(16))))
    assert caught.value.code is Code.UNEXPECTED_FRAME


def test_versions() -> None:
    client, server = pair()
    with pytest.raises(RemoteError) as caught:
        server.receive(codec.encode_one(Hello((99,))))
    assert caught.value.code is Code.VERSION
    client.send(Hello((1,)))
    with pytest.raises(RemoteError) as caught:
        client.receive(codec.encode_one(welcome(99)))
    assert caught.value.code is Code.VERSION


def test_a_message_of_a_client_holds_a_chunk_and_not_much_more() -> None:
    _, server = opened()
    chunk = codec.encode_one(BlobChunk(2, 0, bytes(limits.BLOB_CHUNK_BYTES)))
    assert len(server.receive(chunk)) == 1
    with pytest.raises(RemoteError) as caught:
        server.receive(chunk + chunk)
    assert caught.value.code is Code.BAD_FRAME


def test_every_field_of_everything_a_client_says_is_named() -> None:
    """A new one needs its line in wire/readable_blobs.py: somebody has to say why the server gets it."""
    said = {each for frame in UP for each in structs(inspect.type_info(frame))}
    assert set(BLOB_FIELDS) == said
    for struct in said:
        assert tuple(BLOB_FIELDS[struct]) == struct.__struct_fields__, struct
        assert all(field.why for field in BLOB_FIELDS[struct].values())


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{kind.__name__} {codec.encode_one(sample(kind)).hex()}\n" for kind in KINDS))

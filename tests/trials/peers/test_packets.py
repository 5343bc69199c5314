"""MQTT as a broker says it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.errors import RemoteError
from coterie.trials.peers import packets
from coterie.trials.peers.packets import Kind, Packets


@given(
    st.lists(st.tuples(st.integers(1, 65535), st.binary(max_size=400)), max_size=5),
    st.lists(st.integers(0, 2000), max_size=8),
)
def test_what_is_said_comes_out_wherever_it_is_cut(said: list[tuple[int, bytes]], places: list[int]) -> None:
    whole = b"".join(packets.publish(number, "direct/1", body) for number, body in said)
    cuts = [0, *sorted(place for place in places if place < len(whole)), len(whole)]
    cut = Packets()
    came = [one for start, end in itertools.pairwise(cuts) for one in cut.feed(whole[start:end])]
    assert [kind for kind, _, _ in came] == [Kind.PUBLISH] * len(said)
    assert [packets.published(flags, content) for _, flags, content in came] == [
        (number.to_bytes(2, "big"), body) for number, body in said
    ]


@given(st.lists(st.binary(max_size=60)))
def test_garbage_is_cut_or_refused(parts: list[bytes]) -> None:
    cut = Packets()
    try:
        for part in parts:
            for _, flags, content in cut.feed(part):
                packets.published(flags, content)
    except RemoteError:
        pass


@pytest.mark.parametrize("came", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_a_length_without_end_is_refused(came: bytes) -> None:
    with pytest.raises(RemoteError):
        Packets().feed(came)


@pytest.mark.parametrize("size", [0, 127, 128, 600, 20_000])
def test_a_length_is_read_as_it_was_written(size: int) -> None:
    said = packets.packet(Kind.PUBACK, 0, bytes(size))
    assert Packets().feed(said) == [(Kind.PUBACK, 0, bytes(size))]
    assert Packets().feed(said[:-1]) == []


def test_packets_are_as_the_standard_has_them() -> None:
    assert packets.connect("c", "u", "p") == bytes.fromhex(
        "1013 0004 4d515454 04 c0 0000 0001 63 0001 75 0001 70"
    )
    assert packets.subscribe(1, "a") == bytes.fromhex("8206 0001 0001 61 01")
    assert packets.publish(7, "a", b"hi") == bytes.fromhex("3207 0001 61 0007 6869")
    assert packets.puback(b"\0\7") == bytes.fromhex("4002 0007")
    assert packets.packet(Kind.PUBLISH, 0, bytes(200))[:3] == b"\x30\xc8\x01"

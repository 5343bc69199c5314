"""HTTP and /sync as a Matrix server says them."""

from __future__ import annotations

import contextlib
import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.errors import RemoteError
from coterie.trials.peers import http, matrix
from coterie.trials.peers.http import Responses

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


@given(st.lists(st.integers(0, 300), max_size=10))
def test_responses_come_out_wherever_they_are_cut(places: list[int]) -> None:
    whole = PLAIN + CHUNKED + EMPTY + PLAIN
    cuts = [0, *sorted(place for place in places if place < len(whole)), len(whole)]
    cut = Responses()
    came = [one for start, end in itertools.pairwise(cuts) for one in cut.feed(whole[start:end])]
    assert came == [(200, b"hello"), (404, b"abcde"), (204, b""), (200, b"hello")]


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([PLAIN, CHUNKED, b"HTTP/1.1 200 OK\r\n"]))))
def test_garbage_is_cut_or_refused(parts: list[bytes]) -> None:
    cut = Responses()
    try:
        for part in parts:
            cut.feed(part)
    except RemoteError:
        pass


@pytest.mark.parametrize(
    "came",
    [
        b"<stream:stream>\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"x" * (http.LONGEST_HEAD + 1),
    ],
)
def test_what_is_no_response_is_refused(came: bytes) -> None:
    with pytest.raises(RemoteError):
        Responses().feed(came)


def test_news_are_where_to_go_on_and_how_many_messages() -> None:
    events = [{"type": "m.room.message"}, {"type": "m.room.member"}, {"type": "m.room.message"}]
    rooms = {"join": {"!a:localhost": {"timeline": {"events": events}}, "!b:localhost": {}}}
    assert matrix.news(json.dumps({"next_batch": "s1", "rooms": rooms}).encode()) == ("s1", 2)
    assert matrix.news(b'{"next_batch": "s2"}') == ("s2", 0)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["next_batch", "rooms", "join", "timeline", "events", "type"]), inner, max_size=3
        ),
    ),
)


@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode())))
def test_garbage_is_no_news(content: bytes) -> None:
    with contextlib.suppress(RemoteError):
        matrix.news(content)

"""What XMPP servers say, cut as the network pleases."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.errors import RemoteError
from coterie.trials.peers import stanzas
from coterie.trials.peers.stanzas import Stanzas
from coterie.trials.peers.xmpp import XmppLine

HEAD = b"<?xml version='1.0'?><stream:stream from='localhost' id='1' xmlns='jabber:client'>"
FEATURES = b"<stream:features><mechanisms><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
MESSAGE = (
    b"<message type=\"chat\" from='a@localhost/x>y'><stanza-id by='b' id='1'/>"
    b"<body>hello \xc3\xa4</body></message>"
)
PRESENCE = b"<presence from='a@localhost'/>"
STANZAS = [FEATURES, MESSAGE, PRESENCE, MESSAGE]


def fed(parts: list[bytes]) -> list[bytes]:
    cut = Stanzas()
    return [stanza for part in parts for stanza in cut.feed(part)]


@given(st.lists(st.integers(0, 500), max_size=12))
def test_it_does_not_matter_where_the_network_cuts(places: list[int]) -> None:
    whole = HEAD + b"\n ".join(STANZAS) + b" </stream:stream>"
    cuts = [0, *sorted(place for place in places if place < len(whole)), len(whole)]
    assert fed([whole[start:end] for start, end in itertools.pairwise(cuts)]) == STANZAS


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([*STANZAS, HEAD, b"<a ", b"</a>", b"'"]))))
def test_garbage_is_cut_or_refused(parts: list[bytes]) -> None:
    cut = Stanzas()
    try:
        for part in parts:
            cut.feed(part)
    except RemoteError:
        pass


@pytest.mark.parametrize(
    "came",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        HEAD + b"</stream:stream></stream:stream>",
        HEAD + b"words <presence/>",
        HEAD + b"<message <body>",
        HEAD + b"<!-- no comments -->",
        b"<html>",
        HEAD + b"<message>" + b"x" * (stanzas.LONGEST + 1),
    ],
)
def test_what_is_no_stream_is_refused(came: bytes) -> None:
    with pytest.raises(RemoteError):
        fed([came, b"<presence/>"])


@pytest.mark.parametrize(
    ("stanza", "error"),
    [
        (b"<iq type='error' id='bind'><error/></iq>", True),
        (b'<message from="a" type="error"><body>x</body></message>', True),
        (b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>", True),
        (b"<iq type='result' id='bind'/>", False),
        (b"<message type='chat'><body>type='error'</body></message>", False),
    ],
)
def test_an_error_is_one_by_its_first_tag(stanza: bytes, error: bool) -> None:
    assert stanzas.is_error(stanza) is error


def test_a_live_line_counts_messages_and_whose_they_were() -> None:
    line, speaker = XmppLine(), XmppLine()
    line.speaker, line.own = speaker, stanzas.said_by("plaza@rooms.localhost/me")
    heard: list[int] = []
    own: list[int] = []
    answered: list[int] = []
    line.heard, line.answered, speaker.answered = heard.append, own.append, answered.append
    line.go_live()
    line.came(HEAD + MESSAGE + PRESENCE)
    mine = b"<message from='plaza@rooms.localhost/me' type='groupchat'><body>x</body></message>"
    line.came(mine + mine.replace(b"/me", b"/me2"))
    line.came(b"<message type='chat'><composing/></message>")
    assert (heard, own, answered) == ([1, 2], [1], [1, 2])
    line.came(b"<message type='error' from='b'><body>x</body></message>")
    assert line.refused
    assert heard == [1, 2]


def test_a_message_carries_600_letters() -> None:
    said = stanzas.message("chat", "b@localhost", 1, "x" * 600)
    assert fed([HEAD, said]) == [said]

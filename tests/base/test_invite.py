"""Invite links: every one that is written can be read, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import AccountId
from coterie.base.invite import Invite, parse_invite
from tests.examples import examples

FINGERPRINT = AccountId(bytes(range(32)))
LINK = f"coterie://example.org:4433/#v1.{FINGERPRINT.hex()}"

HOSTS = st.one_of(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,8}){0,3}", fullmatch=True),
    st.ip_addresses().map(str),
)


@given(HOSTS, st.integers(1, 65535), st.binary(min_size=32, max_size=32), st.binary(max_size=32))
@settings(max_examples=examples(200))
def test_every_invite_comes_back(host: str, port: int, fingerprint: bytes, token: bytes) -> None:
    invite = Invite(host, port, AccountId(fingerprint), token)
    assert parse_invite(invite.link) == invite
    bare = Invite(host, port)
    assert parse_invite(bare.link) == bare == parse_invite(f"  {bare.place}\n")


def test_a_link_looks_as_it_is_written_down() -> None:
    invite = Invite("example.org", 4433, FINGERPRINT)
    assert invite.link == LINK
    assert Invite("::1", 1, FINGERPRINT, b"\x01\x02").link.startswith("coterie://[::1]:1/#v1.")
    assert (
        parse_invite(LINK.upper().replace("COTERIE://", "coterie://").replace("V1", "v1")).fingerprint
        == FINGERPRINT
    )


def test_no_repr_shows_a_token() -> None:
    invite = Invite("example.org", 4433, FINGERPRINT, b"secret token")
    assert b"secret token".hex() not in f"{invite!r} {invite}"
    assert b"secret token".hex() in invite.link


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org",
        "example.org:",
        "example.org:0",
        "example.org:65536",
        "example.org:99999999",
        ":4433",
        "-x:1",
        "a b:1",
        "::1:4433",
        "[::1]",
        "http://example.org:4433/",
        "coterie://example.org:4433",
        "coterie://example.org:4433/",
        LINK[:-1],
        LINK + "0",
        LINK + ".",
        LINK + ".0",
        LINK + "." + "00" * 33,
        LINK.replace("v1", "v2"),
        LINK.replace("/#", "/path#"),
        LINK + " " * 2000,
        "example.org:٤٤",
    ],
)
def test_anything_else_is_no_invite(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_invite(text)
    assert caught.value.code is Code.USAGE


@given(st.one_of(st.text(), st.text("coterie://[]:#v1.0123456789abcdef/%-_ ", max_size=120)))
@settings(max_examples=examples(200))
def test_garbage_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        invite = parse_invite(text)
    except Refused as error:
        assert error.code is Code.USAGE
    else:
        assert parse_invite(invite.link) == invite

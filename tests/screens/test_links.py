from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.screens.links import link


@pytest.mark.parametrize(
    ("text", "shown", "host", "says_host"),
    [
        ("https://example.org/notes.", "https://example.org/notes", "example.org", False),
        ("https://example.org/a_(b))", "https://example.org/a_(b)", "example.org", False),
        ("HTTPS://Example.ORG", "HTTPS://Example.ORG", "example.org", False),
        ("https://bank.example@evil.example/", "https://bank.example@evil.example/", "evil.example", True),
        ("https://bаnk.example/", "https://bаnk.example/", "xn--bnk-6cd.example", True),
        ("http://[::1]:8080/x", "http://[::1]:8080/x", "::1", False),
        ("https://example.org\\@evil.example/", "https://example.org\\@evil.example/", "evil.example", True),
    ],
)
def test_a_link_says_where_it_leads(text: str, shown: str, host: str, says_host: bool) -> None:
    found = link(text)
    assert found is not None
    assert (found.text, found.host, found.says_host) == (shown, host, says_host)


def test_what_opens_is_ascii_without_user_name_and_with_the_port() -> None:
    found = link("https://me:secret@ex.example:8443/päth?q=ü#x")
    assert found is not None
    assert found.address == "https://ex.example:8443/p%C3%A4th?q=%C3%BC#x"


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "https://.",
        "https://[",
        "https://\x00",
        "https://a\x7fb",
        "https://(",
        "https://a:99999/",
        "https://" + "a" * 64 + ".org",
        "https://a/" + "b" * 3_000,
    ],
)
def test_what_is_no_link(text: str) -> None:
    assert link(text) is None


@given(st.text(max_size=60).map(lambda rest: "https://" + rest))
def test_any_text_is_a_link_to_a_host_or_none(text: str) -> None:
    found = link(text)
    if found is not None:
        assert text.startswith(found.text)
        assert found.address.isascii()
        assert re.fullmatch("[a-z0-9._:-]+", found.host)
        assert found.address.startswith(("https://" + found.host, f"https://[{found.host}]"))

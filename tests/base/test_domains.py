"""Domains: what was made for one purpose cannot pass for another."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import SUITE, Domain, digest, prefix, unwrap, wrap
from coterie.base.errors import RemoteError
from tests.examples import examples

domains = st.sampled_from(Domain)


@given(domain=domains, content=st.binary())
@settings(max_examples=examples(80))
def test_what_is_wrapped_comes_back(domain: Domain, content: bytes) -> None:
    assert unwrap(domain, wrap(domain, content)) == content
    assert wrap(domain, content) == domain.value.encode() + bytes((0, SUITE)) + content


@given(domain=domains, suite=st.integers(0, 255).filter(lambda suite: suite != SUITE), content=st.binary())
@settings(max_examples=examples(80))
def test_another_suite_is_refused(domain: Domain, suite: int, content: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        unwrap(domain, prefix(domain)[:-1] + bytes((suite,)) + content)
    assert caught.value.code is Code.BAD_SUITE


@given(one=domains, other=domains, content=st.binary())
@settings(max_examples=examples(80))
def test_another_domain_is_refused(one: Domain, other: Domain, content: bytes) -> None:
    if one is other:
        return
    with pytest.raises(RemoteError) as caught:
        unwrap(one, wrap(other, content))
    assert caught.value.code is Code.BAD_FRAME


@given(domain=domains, data=st.binary(max_size=60))
@settings(max_examples=examples(100))
def test_garbage_is_refused(domain: Domain, data: bytes) -> None:
    with pytest.raises(RemoteError):
        unwrap(domain, data)


def test_no_prefix_begins_another() -> None:
    for one in Domain:
        for other in Domain:
            assert one is other or not prefix(one).startswith(prefix(other))


def test_a_digest_separates_its_parts() -> None:
    assert digest(Domain.LEAF, b"ab", b"c") != digest(Domain.LEAF, b"a", b"bc")
    assert digest(Domain.LEAF, b"") != digest(Domain.LEAF)
    assert digest(Domain.LEAF, b"a") != digest(Domain.HEAD, b"a")
    expected = hashlib.sha256(prefix(Domain.LEAF) + b"\x00\x00\x00\x01a\x00\x00\x00\x02bc").digest()
    assert digest(Domain.LEAF, b"a", b"bc") == expected

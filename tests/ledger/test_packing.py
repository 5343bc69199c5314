"""One encoding for each content, and RemoteError for everything else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import SUITE, Domain, prefix
from coterie.base.errors import RemoteError
from coterie.base.ids import AccountId
from coterie.ledger.heads import BriefHead, Head, LightHead, SignedHead
from coterie.ledger.leaves import Leaf, LeafKind
from coterie.ledger.manifest import Manifest, Prekey, SignedManifest, SignedPrekey
from coterie.ledger.packing import pack, unpack
from coterie.ledger.statements import IdentityStatement, ServerStatement, SignedStatement
from tests.examples import examples

LEAF = Leaf(LeafKind.MANIFEST, b"n" * 32, AccountId(b"a" * 32), 3, b"h" * 32, 7)
DECODER = msgspec.msgpack.Decoder(Leaf)

ITEMS = st.integers(-(1 << 63), (1 << 64) - 1) | st.binary() | st.text() | st.none() | st.booleans()

PARSERS: list[tuple[Callable[[bytes], object], Domain | None]] = [
    (Leaf.unpack, Domain.LEAF),
    (Head.unpack, Domain.HEAD),
    (Manifest.unpack, Domain.MANIFEST),
    (Prekey.unpack, Domain.PREKEY),
    (IdentityStatement.unpack, Domain.IDENTITY_STATEMENT),
    (ServerStatement.unpack, Domain.SERVER_STATEMENT),
    (SignedManifest.unpack, None),
    (SignedPrekey.unpack, None),
    (SignedStatement.unpack, None),
    (SignedHead.unpack, None),
    (LightHead.unpack, None),
    (BriefHead.unpack, None),
]


def test_what_goes_in_comes_out() -> None:
    packed = pack(Domain.LEAF, LEAF)
    assert packed.startswith(prefix(Domain.LEAF))
    assert unpack(DECODER, Domain.LEAF, packed) == LEAF


def test_another_suite_is_refused_and_not_read_with_weaker_rules() -> None:
    packed = bytearray(pack(Domain.LEAF, LEAF))
    packed[len(prefix(Domain.LEAF)) - 1] = SUITE + 1
    with pytest.raises(RemoteError) as caught:
        unpack(DECODER, Domain.LEAF, bytes(packed))
    assert caught.value.code is Code.BAD_SUITE


def test_another_domain_is_refused() -> None:
    with pytest.raises(RemoteError) as caught:
        unpack(DECODER, Domain.LEAF, pack(Domain.HEAD, LEAF))
    assert caught.value.code is Code.BAD_FRAME


def test_a_second_encoding_of_the_same_content_is_refused() -> None:
    packed = pack(Domain.LEAF, LEAF)
    start = len(prefix(Domain.LEAF))
    long_array = packed[:start] + b"\xdc\x00\x06" + packed[start + 1 :]
    assert packed[start] == 0x96
    assert DECODER.decode(long_array[start:]) == LEAF
    long_number = packed[:-1] + b"\xcd\x00\x07"
    assert DECODER.decode(long_number[start:]) == LEAF
    for second in (long_array, long_number):
        with pytest.raises(RemoteError):
            unpack(DECODER, Domain.LEAF, second)


def test_extra_items_trailing_bytes_and_deep_nesting_are_refused() -> None:
    packed = pack(Domain.LEAF, LEAF)
    start = len(prefix(Domain.LEAF))
    for wrong in (
        packed + b"\x00",
        packed[:start] + b"\x97" + packed[start + 1 :] + b"\xc0",
        packed[:start] + b"\x91" * 100_000,
        packed[:start] + b"\x81" * 100_000,
        packed[:start],
        b"",
    ):
        with pytest.raises(RemoteError):
            unpack(DECODER, Domain.LEAF, wrong)


@pytest.mark.parametrize(("parse", "domain"), PARSERS)
@given(data=st.binary(max_size=300), items=st.lists(ITEMS))
@settings(max_examples=examples(80))
def test_garbage_is_refused_as_malformed(
    parse: Callable[[bytes], object], domain: Domain | None, data: bytes, items: list[object]
) -> None:
    start = b"" if domain is None else prefix(domain)
    for candidate in (data, start + data, start + msgspec.msgpack.encode(items)):
        with pytest.raises(RemoteError):
            parse(candidate)

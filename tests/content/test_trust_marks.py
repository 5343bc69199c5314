"""Trust marks: all come back, and nothing else is taken for one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, wrap
from coterie.base.errors import RemoteError
from coterie.content.trust_marks import MARKS_MOST, TrustMark, TrustMarks, Word
from tests.examples import examples

ids = st.binary(min_size=16, max_size=16)
accounts = st.binary(min_size=32, max_size=32)
times = st.integers(1, 1 << 62)
people = st.builds(
    TrustMark, accounts, st.just(b""), st.sampled_from((Word.TAKEN_BACK, Word.VERIFIED)), times, ids
)
devices = st.builds(TrustMark, accounts, ids, st.just(Word.CONFIRMED), times, ids)
good = TrustMark(bytes(32), b"", Word.VERIFIED, 1, bytes(16))


@settings(max_examples=examples(100))
@given(st.lists(people | devices, min_size=1, max_size=MARKS_MOST))
def test_all_marks_come_back(said: list[TrustMark]) -> None:
    assert TrustMarks.unpack(TrustMarks(tuple(said)).pack()) == TrustMarks(tuple(said))


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_is_marks(data: bytes) -> None:
    for tried in (data, wrap(Domain.TRUST_MARKS, data)):
        try:
            said = TrustMarks.unpack(tried)
        except RemoteError:
            continue
        assert TrustMarks.unpack(said.pack()) == said


@pytest.mark.parametrize(
    "said",
    [
        (),
        (good,) * (MARKS_MOST + 1),
        (msgspec.structs.replace(good, account=bytes(31)),),
        (msgspec.structs.replace(good, device=bytes(16)),),
        (msgspec.structs.replace(good, word=Word.CONFIRMED),),
        (msgspec.structs.replace(good, word=Word.CONFIRMED, device=bytes(15)),),
        (msgspec.structs.replace(good, time_ms=0),),
        (msgspec.structs.replace(good, time_ms=(1 << 62) + 1),),
        (msgspec.structs.replace(good, by=bytes(15)),),
    ],
)
def test_what_breaks_the_rules_is_refused(said: tuple[TrustMark, ...]) -> None:
    with pytest.raises(RemoteError) as refused:
        TrustMarks.unpack(TrustMarks(said).pack())
    assert refused.value.code is Code.BAD_FRAME


def test_a_word_of_a_newer_version_is_refused() -> None:
    raw = [[[bytes(32), b"", 9, 1, bytes(16)]]]
    with pytest.raises(RemoteError):
        TrustMarks.unpack(wrap(Domain.TRUST_MARKS, msgspec.msgpack.encode(raw)))


def test_another_suite_is_refused() -> None:
    with pytest.raises(RemoteError) as refused:
        TrustMarks.unpack(prefix(Domain.TRUST_MARKS)[:-1] + b"\x02")
    assert refused.value.code is Code.BAD_SUITE

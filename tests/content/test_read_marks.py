"""Read marks: all come back, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, wrap
from coterie.base.errors import RemoteError
from coterie.content.read_marks import MARKS_MOST, ReadMark, ReadMarks
from tests.examples import examples

marks = st.lists(
    st.builds(ReadMark, st.binary(min_size=16, max_size=16), st.integers(1, 1 << 62)),
    min_size=1,
    max_size=MARKS_MOST,
)


@settings(max_examples=examples(100))
@given(marks)
def test_all_marks_come_back(said: list[ReadMark]) -> None:
    assert ReadMarks.unpack(ReadMarks(tuple(said)).pack()) == ReadMarks(tuple(said))


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_is_marks(data: bytes) -> None:
    for tried in (data, wrap(Domain.READ_MARKS, data)):
        try:
            said = ReadMarks.unpack(tried)
        except RemoteError:
            continue
        assert ReadMarks.unpack(said.pack()) == said


@pytest.mark.parametrize(
    "said",
    [
        (),
        (ReadMark(bytes(15), 1),),
        (ReadMark(bytes(16), 0),),
        (ReadMark(bytes(16), (1 << 62) + 1),),
        (ReadMark(bytes(16), 1),) * (MARKS_MOST + 1),
    ],
)
def test_what_breaks_the_rules_is_refused(said: tuple[ReadMark, ...]) -> None:
    with pytest.raises(RemoteError) as refused:
        ReadMarks.unpack(ReadMarks(said).pack())
    assert refused.value.code is Code.BAD_FRAME


def test_another_suite_is_refused() -> None:
    with pytest.raises(RemoteError) as refused:
        ReadMarks.unpack(prefix(Domain.READ_MARKS)[:-1] + b"\x02")
    assert refused.value.code is Code.BAD_SUITE

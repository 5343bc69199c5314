"""Receipts: all come back, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, wrap
from coterie.base.errors import RemoteError
from coterie.content.receipts import RECEIPTS_MOST, Receipt, Receipts
from tests.examples import examples

SESSION = bytes(32)

receipts = st.lists(
    st.builds(
        Receipt,
        st.binary(min_size=16, max_size=16),
        st.binary(min_size=32, max_size=32),
        st.integers(0, (1 << 32) - 1),
    ),
    min_size=1,
    max_size=RECEIPTS_MOST,
)


@settings(max_examples=examples(100))
@given(receipts)
def test_all_receipts_come_back(said: list[Receipt]) -> None:
    assert Receipts.unpack(Receipts(tuple(said)).pack()) == Receipts(tuple(said))


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_is_receipts(data: bytes) -> None:
    for tried in (data, wrap(Domain.RECEIPTS, data)):
        try:
            said = Receipts.unpack(tried)
        except RemoteError:
            continue
        assert Receipts.unpack(said.pack()) == said


@pytest.mark.parametrize(
    "said",
    [
        (),
        (Receipt(bytes(15), SESSION, 1),),
        (Receipt(bytes(16), bytes(31), 1),),
        (Receipt(bytes(16), SESSION, -1),),
        (Receipt(bytes(16), SESSION, 1 << 32),),
        (Receipt(bytes(16), SESSION, 1),) * (RECEIPTS_MOST + 1),
    ],
)
def test_what_breaks_the_rules_is_refused(said: tuple[Receipt, ...]) -> None:
    with pytest.raises(RemoteError) as refused:
        Receipts.unpack(Receipts(said).pack())
    assert refused.value.code is Code.BAD_FRAME


def test_another_suite_is_refused() -> None:
    with pytest.raises(RemoteError) as refused:
        Receipts.unpack(prefix(Domain.RECEIPTS)[:-1] + b"\x02")
    assert refused.value.code is Code.BAD_SUITE

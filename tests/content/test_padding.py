from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.content.padding import padded_size
from tests.examples import examples


@pytest.mark.parametrize(
    ("size", "padded"),
    [
        (0, 256),
        (1, 256),
        (256, 256),
        (257, 512),
        (512, 512),
        (513, 1024),
        (65_536, 65_536),
        (65_537, 131_072),
    ],
)
def test_known_sizes(size: int, padded: int) -> None:
    assert padded_size(size) == padded


@settings(max_examples=examples(200))
@given(st.integers(0, 1 << 24))
def test_it_is_the_next_power_of_two_and_at_least_256(size: int) -> None:
    padded = padded_size(size)
    assert padded >= max(size, 256)
    assert padded.bit_count() == 1
    assert padded == 256 or padded < 2 * size

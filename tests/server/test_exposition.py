"""The text format, held to its grammar, whatever stands in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.server.exposition import Figure, Histogram, Kind, written
from tests.server.prometheus import Scrape

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.one_of(st.integers(0, 1 << 63), st.floats(allow_nan=False, allow_infinity=False))


@given(TEXTS, st.dictionaries(TEXTS, NUMBERS, max_size=5))
def test_whatever_stands_in_it_is_read_as_it_was_meant(help_text: str, values: dict[str, float]) -> None:
    page = Scrape(written([Figure("coterie_some", Kind.GAUGE, help_text, values, "label")]))
    assert page.kinds == {"coterie_some": "gauge"}
    escaped = {
        value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"): figure
        for value, figure in values.items()
    }
    assert page.samples == {
        ("coterie_some", f'label="{value}"'): float(figure) for value, figure in escaped.items()
    }


@given(st.lists(st.floats(0, 100), max_size=30))
def test_a_histogram_counts_what_is_at_most_each_bound(values: list[float]) -> None:
    bounds = (0.5, 1.0, 50.0)
    histogram = Histogram("coterie_seconds", "How long.", bounds)
    for value in values:
        histogram.observe(value)
    page = Scrape(written([histogram]))
    for bound in bounds:
        below = sum(value <= bound for value in values)
        assert page.of("coterie_seconds_bucket", f'le="{bound}"') == below
    assert page["coterie_seconds_count"] == histogram.count == len(values)
    assert page["coterie_seconds_sum"] == pytest.approx(sum(values))


def test_a_figure_without_a_label_stands_alone() -> None:
    page = written([Figure("coterie_some_total", Kind.COUNTER, "Some.", {"": 3})])
    assert (
        page == "# HELP coterie_some_total Some.\n# TYPE coterie_some_total counter\ncoterie_some_total 3\n"
    )

"""`make quick` tries few examples, everything else as many as each test says."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.examples import examples


@pytest.mark.parametrize(("profile", "tries"), [("coterie", [5, 200]), ("quick", [5, 20])])
def test_only_the_quick_profile_tries_fewer(profile: str, tries: list[int]) -> None:
    before = settings.get_current_profile_name()
    try:
        settings.load_profile(profile)
        assert [examples(5), examples(200)] == tries
    finally:
        settings.load_profile(before)

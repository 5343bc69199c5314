from __future__ import annotations

import pytest

from tests.e2ee.pair import Person, person


@pytest.fixture
def alice() -> Person:
    return person("a")


@pytest.fixture
def bob() -> Person:
    return person("b")


@pytest.fixture
def mallory() -> Person:
    return person("x")

"""Identities are made once: RSA takes its time."""

from __future__ import annotations

import pytest

from coterie.base.signing import IdentityKeys, LedgerKeys
from tests.ledger.accounts import Owner


@pytest.fixture(scope="session")
def identity() -> IdentityKeys:
    return IdentityKeys.generate()


@pytest.fixture(scope="session")
def other_identity() -> IdentityKeys:
    return IdentityKeys.generate()


@pytest.fixture(scope="session")
def ledger_keys() -> LedgerKeys:
    return LedgerKeys.generate()


@pytest.fixture
def alice(identity: IdentityKeys) -> Owner:
    return Owner(identity)

"""Ids of direct conversations and of everyone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.conversations import direct_id, everyone_id, membership_hash
from coterie.base.domains import Domain, digest
from coterie.base.ids import AccountId, LedgerId
from tests.examples import examples

accounts = st.binary(min_size=32, max_size=32).map(AccountId)


@given(one=accounts, other=accounts)
@settings(max_examples=examples(60))
def test_a_direct_id_is_the_same_from_both_sides(one: AccountId, other: AccountId) -> None:
    assert direct_id(one, other) == direct_id(other, one)
    assert len(direct_id(one, other)) == 16
    assert (direct_id(one, one) == direct_id(one, other)) == (one == other)


def test_everyone_belongs_to_one_ledger() -> None:
    one, other = everyone_id(LedgerId(b"a" * 16)), everyone_id(LedgerId(b"b" * 16))
    assert one != other
    assert len(one) == 16


def test_a_membership_hash_is_fixed_by_the_conversation() -> None:
    conversation = direct_id(AccountId(b"a" * 32), AccountId(b"b" * 32))
    assert membership_hash(conversation) == digest(Domain.MEMBERSHIP, conversation)
    assert len(membership_hash(conversation)) == 32

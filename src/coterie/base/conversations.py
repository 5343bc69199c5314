"""Ids of the conversations that need no membership chain, and their membership hash (encryption rule 17)."""

from __future__ import annotations

from functools import lru_cache

from coterie.base.domains import Domain, digest
from coterie.base.ids import AccountId, ConversationId, LedgerId


def direct_id(one: AccountId, other: AccountId) -> ConversationId:
    """The conversation of two accounts; of an account with itself: its notes."""
    first, second = sorted((one, other))
    return ConversationId(digest(Domain.DIRECT, first, second)[:16])


def everyone_id(founding_ledger: LedgerId) -> ConversationId:
    """The conversation of the whole server."""
    return ConversationId(digest(Domain.EVERYONE, founding_ledger)[:16])


@lru_cache(maxsize=1024)
def membership_hash(conversation: ConversationId) -> bytes:
    """Of a direct conversation or everyone: fixed by the id, 32 bytes."""
    return digest(Domain.MEMBERSHIP, conversation)

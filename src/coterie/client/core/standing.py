"""What this device's person knows of others: whom they have verified (encryption rule 22)."""

from __future__ import annotations

import msgspec

from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId
from coterie.client.core.news import News
from coterie.client.core.people import People
from coterie.client.events import Verified
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import Standing


class Standings:
    """Changes what stands with an account."""

    def __init__(self, people: People, news: News) -> None:
        self._people = people
        self._news = news

    def verified(self, account: AccountId) -> Outcome:
        """The person has compared numbers, codes or emoji with that account's person, and they match."""
        return self._put(account, Standing.VERIFIED, Verified)

    def _put(self, account: AccountId, standing: Standing, event: type[Verified]) -> Outcome:
        known = self._people.rows.get(account)
        if known is None:
            return NOTHING
        row = msgspec.structs.replace(known, standing=standing)
        self._people.saved(row)
        self._news.of(direct_id(self._people.me, account))
        return Outcome(save=(row,), show=(event(self._people.person(account)),))

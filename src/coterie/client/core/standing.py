"""What this device's person knows of others: whom they have verified (encryption rule 22)."""

from __future__ import annotations

import msgspec

from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.held import Held
from coterie.client.core.news import News
from coterie.client.core.people import People
from coterie.client.events import Verified
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import Standing


class Standings:
    """Changes what stands with an account."""

    def __init__(self, people: People, news: News, held: Held) -> None:
        self._people = people
        self._news = news
        self._held = held

    def verified(self, account: AccountId, by: DeviceId | None = None) -> Outcome:
        """The person has compared numbers, codes or emoji with that account's person, and they match. by: the
        device on which the other saw the emoji, which is so known to be theirs."""
        outcome = self._put(account, Standing.VERIFIED, Verified)
        confirmed = self._held.confirmed(account, by) if by is not None else ()
        return Outcome(save=(*outcome.save, *confirmed), show=outcome.show)

    def asked(self, account: AccountId) -> Outcome:
        """What there is to ask about the devices of somebody who is verified now."""
        return Outcome(show=self._held.questions(account))

    def _put(self, account: AccountId, standing: Standing, event: type[Verified]) -> Outcome:
        known = self._people.rows.get(account)
        if known is None:
            return NOTHING
        row = msgspec.structs.replace(known, standing=standing)
        self._people.saved(row)
        self._news.of(direct_id(self._people.me, account))
        return Outcome(save=(row,), show=(event(self._people.person(account)),))

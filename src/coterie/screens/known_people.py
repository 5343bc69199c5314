"""Who there is on this server, as far as a screen has heard."""

from __future__ import annotations

from collections.abc import Mapping

from coterie.base.ids import AccountId
from coterie.client.events import Person


class KnownPeople:
    """By account, and by name whatever its case."""

    def __init__(self) -> None:
        self._people: dict[AccountId, Person] = {}
        self._named: dict[str, Person] = {}
        self.online = 0
        """How many of them are connected."""

    @property
    def names(self) -> Mapping[bytes, str]:
        """Of account ids."""
        return {person.account: person.name for person in self._people.values()}

    def of(self, account: AccountId) -> Person | None:
        return self._people.get(account)

    def named(self, name: str) -> Person | None:
        return self._named.get(name.casefold())

    def is_name(self, word: str) -> bool:
        return word.casefold() in self._named

    def meet(self, person: Person) -> None:
        """Somebody new, or something new of somebody."""
        before = self._people.get(person.account)
        if before is not None and before.name != person.name:
            self._named.pop(before.name.casefold(), None)
        self.online += person.online - (before is not None and before.online)
        self._people[person.account] = person
        self._named[person.name.casefold()] = person

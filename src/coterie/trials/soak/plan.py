"""What happens in a soak, drawn from a seed: the same seed gives the same plan, deed by deed.

How far a run comes in its plan, and what overtakes what, depends on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random  # noqa: TID251 - a plan has to be drawn again from its seed; nothing secret is

import msgspec

from coterie.trials.soak.texts import PHRASES, TextWish

SAYINGS_PER_SECOND = 12.0
JOINS_PART = 0.5
"""How many clients more come in while it runs, as a part of those there at first."""
DEVICES_MAX = 3
AWAY_PART = 0.3
AWAY_DAYS_MAX = 14
"""Well below the 30 days that a server keeps entries for who is away."""
DAYS_IN_ALL = 45
"""Beyond the 30 days of dormancy and the 35 after which a prekey is refused."""
SECONDS_PER_STEP = 12.0
EXHAUSTIONS = 3
NAMES = ("anna", "bert", "чайка", "дом", "νίκη", "गगन", "海明", "dora", "emil", "frieda")


class SignsUp(msgspec.Struct, frozen=True):
    """A new account, and its first device."""

    client: int
    name: str


class LogsIn(msgspec.Struct, frozen=True):
    """A further device of the account that `of` began."""

    client: int
    of: int


class Says(msgspec.Struct, frozen=True):
    """One or more texts to one conversation. to: the client that began the other account; None: everyone."""

    client: int
    to: int | None
    texts: tuple[TextWish, ...]


class Leaves(msgspec.Struct, frozen=True):
    client: int


class Returns(msgspec.Struct, frozen=True):
    client: int


class Reads(msgspec.Struct, frozen=True):
    """Everything that is there counts as read."""

    client: int


class DaysPass(msgspec.Struct, frozen=True):
    """returning: who has been away for so long that they come back before."""

    days: int
    returning: tuple[int, ...]


class KeysRunOut(msgspec.Struct, frozen=True):
    """Somebody claims one-time keys of every device until none is left."""


Deed = SignsUp | LogsIn | Says | Leaves | Returns | Reads | DaysPass | KeysRunOut


class Timed(msgspec.Struct, frozen=True):
    """due_seconds: after the traffic began."""

    due_seconds: float
    deed: Deed


class Plan:
    """arrivals() once, then deeds()."""

    def __init__(self, seed: int, clients: int, seconds: float) -> None:
        self._dice = Random(seed)  # noqa: S311 - see above
        self._seconds = seconds
        self._first = clients
        self._account_of: dict[int, int] = {}
        """client -> the client that began its account."""
        self._away: dict[int, int] = {}
        """client -> days passed when it left."""
        self._days = 0
        self._said = 0

    def arrivals(self) -> tuple[Deed, ...]:
        """Who is there when the traffic begins: at least two accounts."""
        return tuple(
            self._sign_up() if number < 2 or self._dice.random() < 0.75 else self._join()
            for number in range(self._first)
        )

    def deeds(self) -> Iterator[Timed]:
        """In the order of their times, up to the end."""
        events = sorted((*self._steps(), *self._exhaustions(), *self._joins()), key=lambda each: each[0])
        now = 0.0
        while True:
            now += self._dice.expovariate(SAYINGS_PER_SECOND)
            while events and events[0][0] <= now:
                at, kind = events.pop(0)
                yield Timed(at, self._event(kind))
            if now >= self._seconds:
                return
            yield Timed(now, self._everyday())

    def _steps(self) -> list[tuple[float, str]]:
        count = max(1, int(self._seconds / SECONDS_PER_STEP))
        self._days_a_step = max(1, min(5, round(DAYS_IN_ALL / count)))
        return [((number + 0.5) * self._seconds / count, "days") for number in range(count)]

    def _exhaustions(self) -> list[tuple[float, str]]:
        """A little before some join, so that newcomers meet devices whose keys have run out."""
        return [((number + 0.4) * self._seconds / EXHAUSTIONS, "keys") for number in range(EXHAUSTIONS)]

    def _joins(self) -> list[tuple[float, str]]:
        count = max(2, round(self._first * JOINS_PART))
        return [((number + 0.6) * self._seconds / count, "join") for number in range(count)]

    def _event(self, kind: str) -> Deed:
        if kind == "keys":
            return KeysRunOut()
        if kind == "join":
            return self._sign_up() if self._dice.random() < 0.5 else self._join()
        days = self._dice.randint(max(1, self._days_a_step - 1), self._days_a_step + 1)
        after = self._days + days
        late = tuple(client for client, since in self._away.items() if after - since > AWAY_DAYS_MAX)
        for client in late:
            del self._away[client]
        self._days = after
        return DaysPass(days, late)

    def _sign_up(self) -> Deed:
        client = len(self._account_of)
        self._account_of[client] = client
        return SignsUp(client, f"{self._dice.choice(NAMES)}{client}")

    def _join(self) -> Deed:
        """A further device of an account that has not many; a new account where all have."""
        counts: dict[int, int] = {}
        for account in self._account_of.values():
            counts[account] = counts.get(account, 0) + 1
        room = [account for account, count in counts.items() if count < DEVICES_MAX]
        if not room:
            return self._sign_up()
        client = len(self._account_of)
        account = self._dice.choice(room)
        self._account_of[client] = account
        return LogsIn(client, account)

    def _everyday(self) -> Deed:
        drawn = self._dice.random()
        if drawn < 0.02 and len(self._away) < AWAY_PART * len(self._account_of):
            client = self._present()
            self._away[client] = self._days
            return Leaves(client)
        if drawn < 0.04 and self._away:
            client = self._dice.choice(sorted(self._away))
            del self._away[client]
            return Returns(client)
        if drawn < 0.07:
            return Reads(self._present())
        return self._says()

    def _present(self) -> int:
        return self._dice.choice([client for client in self._account_of if client not in self._away])

    def _says(self) -> Deed:
        client = self._present()
        count = self._burst()
        to: int | None
        if self._dice.random() < 0.25:
            to = None
            count = min(count, 60)
        else:
            to = self._dice.choice(sorted(set(self._account_of.values())))
        return Says(client, to, tuple(self._wish(count) for _ in range(count)))

    def _burst(self) -> int:
        """Mostly one; now and then more than a sending session lasts."""
        drawn = self._dice.random()
        if drawn < 0.8:
            return 1
        return self._dice.randint(2, 8) if drawn < 0.985 else self._dice.randint(26, 80)

    def _wish(self, burst: int) -> TextWish:
        self._said += 1
        drawn = self._dice.random()
        if drawn < 0.75 or burst > 8:
            size = self._dice.randint(1, 200)
        elif drawn < 0.95:
            size = self._dice.randint(200, 2000)
        elif drawn < 0.995:
            size = self._dice.randint(2000, 16_000)
        else:
            size = self._dice.randint(40_000, 65_000)
        return TextWish(self._said, self._dice.randrange(len(PHRASES)), size)

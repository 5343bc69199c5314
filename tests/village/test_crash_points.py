"""A client may die anywhere: what was typed arrives once and in order all the same, and nobody gets stuck.

Each scenario is played once for each of its crash points (deaths.py), all of them: in the first run somebody
dies at the first point that is met, in the next at the second, until a run meets no more. After each, people
go on where they were, and everything has to be as if nobody had died.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.ledger.accounts import NOW_MS
from tests.village.all_well import Talk
from tests.village.deaths import Points
from tests.village.hamlet import Hamlet, Person, copied, hamlet_in
from tests.village.quick_loop import run_quickly

Play = Callable[[Talk], Awaitable[None]]
Said = Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Prepared:
    """A village as it stands before a scenario. people: (machine, account); said: who said what to whom."""

    folder: Path
    people: tuple[tuple[str, str], ...]
    said: Said
    later_ms: int = 0


async def known_to_each_other(hamlet: Hamlet) -> None:
    people = list(hamlet.people.values())
    names = {each.account for each in people}
    await hamlet.until(
        lambda: [f"{me.name} knows not all" for me in people if not names <= _names(me)]
    )


def _names(person: Person) -> set[str]:
    return {str(each.name) for each in person.me.people()} | {person.account}


def prepared(folder: Path, play: Play) -> Prepared:
    """What a scenario begins with; nobody dies."""

    async def made() -> Prepared:
        async with hamlet_in(folder, Points()) as hamlet:
            talk = Talk(hamlet)
            await play(talk)
            assert talk.wrong() == []
            people = tuple((each.name, each.account) for each in hamlet.people.values())
            return Prepared(folder, people, tuple((t.by.name, t.target, t.text) for t in talk.typed))

    return run_quickly(made())


async def once(begin: Prepared, folder: Path, play: Play, points: Points) -> None:
    """One run of a scenario, and then everybody speaks once more."""
    async with hamlet_in(copied(begin.folder, folder), points, began_ms=NOW_MS + begin.later_ms) as hamlet:
        for name, account in begin.people:
            hamlet.person(name, account)
        talk = Talk(hamlet, begin.said)
        await play(talk)
        await talk.heard()
        points.closed = True
        await talk.all_speak()
        await talk.heard()
        assert talk.wrong() == []


def at_all_points(begin: Prepared, folder: Path, play: Play) -> int:
    """How many points there are; somebody died at each of them."""
    for number in count(1):
        points = Points(chosen=(number,))
        here = folder / str(number)
        try:
            run_quickly(once(begin, here, play, points))
        except BaseException as error:
            raise AssertionError(f"point {number}, {points.died_at}: {_first(error)!r}") from error
        shutil.rmtree(here)
        if not points.over:
            print(points.kinds)
            return number - 1
    raise AssertionError


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@pytest.fixture(scope="module")
def acquainted(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Alice and bob know each other; nobody has said anything."""

    async def play(talk: Talk) -> None:
        await talk.hamlet.signs_up("alice")
        await talk.hamlet.signs_up("bob")
        await known_to_each_other(talk.hamlet)

    return prepared(tmp_path_factory.mktemp("acquainted") / "v", play)


def test_a_first_message(acquainted: Prepared, tmp_path: Path) -> None:
    async def play(talk: Talk) -> None:
        alice = talk.hamlet.people["alice"]
        await talk.says(alice, "@bob", "the first one")

    assert at_all_points(acquainted, tmp_path, play) > 40

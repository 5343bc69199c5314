"""Playing a scenario once for each moment in which somebody may die in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from coterie.base import limits
from tests.ledger.accounts import NOW_MS
from tests.village.all_well import Talk
from tests.village.deaths import Points
from tests.village.hamlet import Hamlet, Person, copied, hamlet_in
from tests.village.quick_loop import run_quickly

MEMORY = Path("/dev/shm")
"""Disks of memory, where the system has them: nobody's power goes, so waiting for a disk shows nothing."""

Play = Callable[[Talk], Awaitable[None]]
Said = Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Prepared:
    """A village as it stands before a scenario. people: (machine, account); said: who said what to whom."""

    folder: Path
    people: tuple[tuple[str, str], ...]
    said: Said


async def known_to_each_other(hamlet: Hamlet) -> None:
    people = list(hamlet.people.values())
    names = {each.account for each in people}
    await hamlet.until(lambda: [f"{me.name} knows not all" for me in people if not names <= _names(me)])


def _names(person: Person) -> set[str]:
    return {str(each.name) for each in person.me.people()} | {person.account}


def prepared(folder: Path, play: Play, before: Prepared | None = None) -> Prepared:
    """What a scenario begins with; nobody dies. before: what this begins with."""

    async def made() -> Prepared:
        async with hamlet_in(folder, Points()) as hamlet:
            for name, account in before.people if before is not None else ():
                hamlet.person(name, account)
            talk = Talk(hamlet, before.said if before is not None else ())
            await play(talk)
            assert talk.wrong() == []
            people = tuple((each.name, each.account) for each in hamlet.people.values())
            return Prepared(folder, people, tuple((t.by.name, t.target, t.text) for t in talk.typed))

    if before is not None:
        copied(before.folder, folder)
    return run_quickly(made())


@dataclass(frozen=True)
class Scenario:
    """What happens in a village that was prepared. later_days: how long nobody was there before it. awake:
    everybody is there, connected and in possession of everything before somebody may die."""

    begin: Prepared
    play: Play
    later_days: float = 0
    awake: bool = True


async def once(scenario: Scenario, folder: Path, points: Points) -> None:
    """One run of a scenario, and then everybody speaks once more."""
    began_ms = NOW_MS + limits.HOUR_MS + round(scenario.later_days * limits.DAY_MS)
    async with hamlet_in(copied(scenario.begin.folder, folder), points, began_ms=began_ms) as hamlet:
        for name, account in scenario.begin.people:
            hamlet.person(name, account)
        talk = Talk(hamlet, scenario.begin.said)
        if scenario.awake:
            points.closed = True
            await talk.heard()
            points.closed = False
        await scenario.play(talk)
        await talk.heard()
        points.closed = True
        await talk.all_speak()
        await talk.heard()
        if wrong := talk.wrong():
            raise AssertionError("; ".join(wrong))


def at_all_points(scenario: Scenario, folder: Path) -> int:
    """How many moments there are; somebody died in each of them."""
    for number in count(1):
        points = dying(scenario, folder, number)
        if not points.over:
            print(f"{number - 1} moments of {sum(points.kinds.values())} points: {points.kinds}")
            return number - 1
    raise AssertionError


def dying(scenario: Scenario, folder: Path, *chosen: int) -> Points:
    """One run in which somebody dies at these moments."""
    points = Points(chosen)
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else folder) as here:
        try:
            run_quickly(once(scenario, Path(here), points))
        except BaseException as error:
            raise AssertionError(f"moment {chosen}, {points.died_at}: {_first(error)!r}") from error
    return points


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def dying_again(scenario: Scenario, folder: Path, first: int) -> int:
    """How many runs it took until nobody died a second time; 0 where nobody dies the first time."""
    for runs, second in enumerate(count(1 + first % 5, 5), 1):
        points = dying(scenario, folder, first, second)
        if not points.over:
            return runs if points.died_at else 0
    raise AssertionError

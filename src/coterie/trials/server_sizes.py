"""Does a message cost the server the same where many are connected, and where much is stored?

A server for each size, all of them side by side in the same rounds, under the same load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import msgspec

from coterie.trials.cpu import Meter
from coterie.trials.figures import Figure
from coterie.trials.server_direct import talks_of
from coterie.trials.sheets import Costs, flat
from coterie.trials.sites import all_running, coterie_sites
from coterie.trials.stored_entries import fill
from coterie.trials.subject import End, Pair, Subject
from coterie.trials.talk import close_all, some_at_once, talk_all
from coterie.trials.trial import Trial


async def run_connections(trial: Trial) -> list[Figure]:
    """As many talk at each size as there are connections at the smallest."""
    sizes = trial.scale.connections
    async with AsyncExitStack() as stack:
        talking: dict[int, _Talking] = {}
        for size in sizes:
            subjects = await stack.enter_async_context(all_running(_part(trial, size), floor=False))
            talking[size] = await _talking(subjects, sizes[0] // 2)
            for subject in subjects.values():
                await subject.settle(size)
                idle = await _connected(subject, range(sizes[0] // 2 * 2, size))
                stack.push_async_callback(close_all, idle)
        return await _measured(trial, "connections", "connections", talking)


async def run_entries(trial: Trial) -> list[Figure]:
    """The stores are filled before their servers start, and before anybody connects: who fills one answers no
    server's ping meanwhile."""
    async with AsyncExitStack() as stack:
        filled: dict[int, dict[str, Subject]] = {}
        for size in trial.scale.entries:
            subjects = filled[size] = {}
            for site in await stack.enter_async_context(coterie_sites(_part(trial, size))):
                async with site.running() as subject:
                    await subject.settle(2 * trial.scale.pairs)
                await fill(site, size)
                subjects[site.name] = await stack.enter_async_context(site.running())
        talking = {size: await _talking(subjects, trial.scale.pairs) for size, subjects in filled.items()}
        return await _measured(trial, "entries", "stored entries", talking)


class _Talking(msgspec.Struct, frozen=True):
    """Servers of one size, and who talks there; by name of the site."""

    subjects: Mapping[str, Subject]
    pairs: Mapping[str, Sequence[Pair]]


async def _talking(subjects: Mapping[str, Subject], pairs: int) -> _Talking:
    talking = {}
    for name, subject in subjects.items():
        await subject.settle(2 * pairs)
        talking[name] = [await subject.pair(2 * number, 2 * number + 1) for number in range(pairs)]
    return _Talking(subjects, talking)


async def _connected(subject: Subject, people: Sequence[int]) -> list[End]:
    return await some_at_once([subject.connect(person) for person in people])


async def _measured(trial: Trial, name: str, what: str, talking: Mapping[int, _Talking]) -> list[Figure]:
    costs = {size: Costs(f"{name}.{size}", f"per message with {size} {what}") for size in talking}
    count = trial.scale.pair_messages
    for number in range(trial.scale.rounds):
        for size in trial.in_turn(number, talking):
            for site, subject in talking[size].subjects.items():
                talks = talks_of(talking[size].pairs[site], count, 1)
                meter = Meter(subject)
                await talk_all(talks)
                costs[size].add(site, meter.spent(len(talks) * count))
    figures = [figure for each in costs.values() for figure in each.figures()]
    return [*figures, *flat(name, f"per message, by {what}", costs)]


def _part(trial: Trial, size: int) -> Trial:
    return msgspec.structs.replace(trial, folder=trial.folder / str(size))

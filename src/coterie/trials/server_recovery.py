"""A server is killed under many connections and started again: when does everybody's message arrive again?

All come back at that very moment, without the pauses of real clients, and no TLS session is resumed.
"""

from __future__ import annotations

from collections.abc import Sequence

from coterie.trials.figures import Figure, Target
from coterie.trials.server_direct import talks_of
from coterie.trials.sheets import Sheet
from coterie.trials.sites import SERVER, sites
from coterie.trials.subject import Pair, Site, Subject
from coterie.trials.talk import close_all, some_at_once, talk_all
from coterie.trials.trial import Trial

TARGETS = {SERVER: (Target(10.0),)}
ROUNDS_MAX = 3


async def run(trial: Trial) -> list[Figure]:
    """The accounts are made once, and each pair has its keys."""
    count = trial.scale.recovering // 2 * 2
    what = f"from kill -9 of a server until {count} clients are back and each pair has talked"
    sheet = Sheet("recovery", what, "s", TARGETS)
    async with sites(trial, floor=False) as found:
        for site in found:
            async with site.running() as subject:
                await subject.settle(count)
                await close_pairs(await connected(subject, count // 2))
        for number in range(min(trial.scale.rounds, ROUNDS_MAX)):
            for site in trial.in_turn(number, found):
                sheet.add(site.name, await _round(trial, site, count // 2))
    return sheet.figures()


async def _round(trial: Trial, site: Site, pairs: int) -> float:
    async with site.running() as subject:
        before = await connected(subject, pairs)
        began = trial.clock.monotonic_seconds()
        await subject.kill()
        async with site.running() as again:
            lines = await connected(again, pairs)
            await talk_all(talks_of(lines, 1, 1))
            taken = trial.clock.monotonic_seconds() - began
            await close_pairs(lines)
        await close_pairs(before)
    return taken


async def connected(subject: Subject, pairs: int, first: int = 0) -> list[Pair]:
    """So many pairs signed in, as many at once as the system takes."""
    numbers = range(first, first + pairs)
    return await some_at_once([subject.pair(2 * number, 2 * number + 1) for number in numbers])


async def close_pairs(pairs: Sequence[Pair]) -> None:
    await close_all([end for pair in pairs for end in (pair.speaker, pair.listener)])

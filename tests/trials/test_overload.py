"""More than a server takes: a short run with a small lane, and real people on such a server."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest

import coterie
from coterie.base.clock import SystemClock
from coterie.client.api.me import Me
from coterie.client.events import SendingStuck
from coterie.trials.overload import Overload, OverloadSettings
from coterie.trials.overload_result import LEAST_BUSY_MS, OverloadResult
from coterie.trials.people import meet
from coterie.trials.processes import coterie_server
from coterie.trials.talkers import Hearer
from tests.server.prometheus import Scrape
from tests.trials.small_lane import LANE_FRAMES

SMALL = "tests.trials.small_lane"
MESSAGES = 3 * LANE_FRAMES
RUN_SECONDS = 110

small_server = partial(coterie_server, program=SMALL)


@pytest.mark.slow
@pytest.mark.asyncio
async def test_who_is_told_busy_comes_again_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """How quick it is says nothing where other tests run; all else is as in a long run."""
    settings = OverloadSettings(seconds=1.0, clients=6, rate=1500.0)
    result = await Overload(settings, SystemClock(), print, small_server).run(tmp_path / "server")
    assert result.busy > 0
    assert result.offered >= 1000
    wrong = [each for each in result.missed() if "p99" not in each]
    assert wrong == []
    assert result.memory_curve_mib


class Limited(Overload):
    """An account comes to its own rate, as the last one that waits may well do while all is drained."""

    while_draining = False

    def _limit(self) -> None:
        self._speakers[0].busy_ms.append(LEAST_BUSY_MS - 1)

    async def _flood(self, per_second: float) -> None:
        await super()._flood(per_second)
        if not self.while_draining:
            self._limit()

    async def _drain(self) -> float:
        if self.while_draining:
            self._limit()
        return await super()._drain()


@pytest.mark.slow
@pytest.mark.asyncio
@pytest.mark.parametrize("while_draining", [True, False])
async def test_an_accounts_own_rate_may_limit_only_what_is_drained(
    tmp_path: Path, *, while_draining: bool
) -> None:
    trial = Limited(OverloadSettings(seconds=0.5, clients=3, rate=300.0), SystemClock(), print, small_server)
    trial.while_draining = while_draining
    result = await trial.run(tmp_path / "server")
    assert result.by_quota == (0 if while_draining else 1)
    assert any("rate of an account" in each for each in result.missed()) is not while_draining


@pytest.mark.slow
@pytest.mark.asyncio
async def test_real_people_on_a_server_that_is_full_lose_nothing_and_see_what_waits(tmp_path: Path) -> None:
    """All are said at once, which is more than the lane takes: what was refused stays in the outbox, is shown
    as waiting, and goes out by itself."""
    async with small_server(tmp_path / "server") as server:
        alice, bob = await meet(server.invite, tmp_path / "homes")
        texts = [f"number {number}" for number in range(MESSAGES)]
        stuck: list[SendingStuck] = []
        async with asyncio.timeout(RUN_SECONDS), asyncio.TaskGroup() as tasks:
            seen = tasks.create_task(sent(alice, stuck))
            got = tasks.create_task(arrived(bob))
            posts = [tasks.create_task(alice.post("@bob", text)) for text in texts]
        assert {post.result().state for post in posts} == {coterie.MessageState.QUEUED}
        assert stuck == []
        assert seen.result() == got.result() == texts
        assert await asyncio.to_thread(lane_full, server.metrics) > 0
        await alice.close()
        await bob.close()


async def sent(me: Me, stuck: list[SendingStuck]) -> list[str]:
    """What the server has, as it is told."""
    texts: list[str] = []
    async for event in me.events():
        if isinstance(event, SendingStuck):
            stuck.append(event)
        elif isinstance(event, coterie.MessageSent):
            texts.append(event.message.text)
            if len(texts) == MESSAGES:
                break
    return texts


def lane_full(metrics: str) -> float:
    """Requests that found it so, as the server counts them."""
    with urlopen(f"http://{metrics}/metrics", timeout=30) as answer:
        return Scrape(answer.read().decode()).samples["coterie_lane_full_total", ""]


async def arrived(me: Me) -> list[str]:
    texts: list[str] = []
    async for event in me.events():
        if isinstance(event, coterie.MessageArrived):
            texts.append(event.message.text)
            if len(texts) == MESSAGES:
                break
    return texts


@pytest.mark.slow
def test_the_command_says_what_came_of_it() -> None:
    """As one JSON object; its exit code is that of what it says."""
    command = [sys.executable, "-m", "coterie.cli", "--json", "overload", "--seconds", "1", "--clients", "60"]
    ended = subprocess.run(command, capture_output=True, timeout=RUN_SECONDS, check=False)
    (line,) = [json.loads(each) for each in ended.stdout.splitlines()]
    assert line["lost"] == line["doubled"] == line["undrained"] == 0
    assert line["sustained_rate"] > 0
    assert bool(ended.returncode) == bool(line["missed"])


def of(**changes: object) -> OverloadResult:
    """One that is as it must be, but for this."""
    zeros: dict[str, Any] = {field.name: 0 for field in msgspec.structs.fields(OverloadResult)}
    return OverloadResult(**{**zeros, "busy": 1, **changes})


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"lost": 1}, "lost"),
        ({"doubled": 1}, "twice"),
        ({"refused": 1}, "mend"),
        ({"undrained": 1}, "waited"),
        ({"busy": 0}, "told"),
        ({"by_quota": 1}, "rate"),
        ({"p99_seconds": 1.01}, "p99"),
        ({"memory_most_mib": 257}, "grew"),
    ],
)
def test_each_thing_that_is_not_as_it_must_be_is_said(changes: dict[str, object], word: str) -> None:
    assert of().missed() == []
    (said,) = of(**changes).missed()
    assert word in said


def test_a_hearer_sees_what_is_missing_what_is_there_twice_and_what_comes_again() -> None:
    def message(number: int) -> bytes:
        return b"speaker " + number.to_bytes(8, "big")

    hearer = Hearer(b"speaker ")
    for number in (0, 1, 0, 1, 2):
        hearer.heard(number + 1, message(number))
    assert (hearer.count, hearer.lost, hearer.doubled) == (3, 0, 0)
    hearer.heard(5, message(3))
    assert (hearer.lost, hearer.doubled) == (0, 1)
    hearer.heard(6, message(5))
    assert (hearer.count, hearer.lost, hearer.doubled) == (6, 2, 1)
    hearer.heard(7, b"another " + message(6)[8:])
    assert hearer.doubled == 2

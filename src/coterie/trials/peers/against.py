"""`coterie bench --against`: every peer that was asked for and is installed, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import msgspec

from coterie.trials.figures import Figure
from coterie.trials.peers import ejabberd, mosquitto, prosody, synapse
from coterie.trials.peers.contest import Contest, Peer, PeerFailed, Side, blamed
from coterie.trials.peers.ours import Ours
from coterie.trials.processes import coterie_server
from coterie.trials.trial import Trial

Running = Callable[[], AbstractAsyncContextManager[tuple[Side, str]]]
PEERS: dict[str, tuple[tuple[Peer, Running], ...]] = {
    "mosquitto": ((mosquitto.PEER, mosquitto.running),),
    "ejabberd": ((ejabberd.ARCHIVING, ejabberd.archiving), (ejabberd.BARE, ejabberd.bare)),
    "prosody": ((prosody.PEER, prosody.running),),
    "synapse": ((synapse.PEER, synapse.running),),
}
"""In the order in which they are measured."""


class Absent(msgspec.Struct, frozen=True, kw_only=True):
    """A peer that was asked for and did not run."""

    peer: str
    why: str


async def run(trial: Trial, names: Sequence[str]) -> AsyncIterator[Figure | Absent]:
    """names: of PEERS. Raises where coterie itself does not do what it should."""
    for name in names:
        for peer, running in PEERS[name]:
            folder = trial.folder / peer.name
            folder.mkdir()
            try:
                figures = await _contest(msgspec.structs.replace(trial, folder=folder), peer, running)
            except PeerFailed as error:
                yield Absent(peer=peer.name, why=str(error))
                continue
            for figure in figures:
                yield figure


async def _contest(trial: Trial, peer: Peer, running: Running) -> list[Figure]:
    """Servers of coterie begin with the peer, so that no connection of theirs waits for long."""
    async with AsyncExitStack() as stack:
        with blamed():
            there, version = await stack.enter_async_context(running())
        pairs, room = [
            Ours(await stack.enter_async_context(coterie_server(trial.folder / place)), trial)
            for place in ("pairs", "room")
        ]
        contest = Contest(trial, peer, version)
        return [*await contest.direct(pairs, there), *await contest.room(room, there)]

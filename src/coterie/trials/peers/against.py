"""`coterie bench --against`: every peer that was asked for and is installed, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import msgspec

from coterie.base.errors import CoterieError
from coterie.trials.figures import Figure
from coterie.trials.peers import ejabberd, mosquitto, prosody, synapse
from coterie.trials.peers.contest import Contest, Peer, Side
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
    """names: of PEERS."""
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(coterie_server(trial.folder / place))
            for place in ("pairs", "room")
        ]
        ours = Ours(servers[0], trial), Ours(servers[1], trial)
        pairs = await ours[0].pairs(trial.scale.pairs)
        hall = await ours[1].hall(trial.scale.small_room)
        for name in names:
            for peer, running in PEERS[name]:
                try:
                    async with running() as (side, version):
                        figures = await Contest(trial, peer, version, side, ours).run(pairs, hall)
                except (CoterieError, TimeoutError) as error:
                    yield Absent(peer=peer.name, why=getattr(error, "note", "") or "it stood still")
                    continue
                for figure in figures:
                    yield figure

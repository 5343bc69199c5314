"""coterie's side of a contest: the same people and lines as in `server.direct` and `server.room`."""

from __future__ import annotations

from functools import partial

from coterie.base.conversations import everyone_id
from coterie.base.ids import log_of
from coterie.trials.citizens import Citizen, settle
from coterie.trials.lines import Line, open_line
from coterie.trials.peers.contest import SPEAKERS, Hall, Pair, Say
from coterie.trials.processes import Measured
from coterie.trials.talk import give_keys
from coterie.trials.trial import Trial


class Ours:
    """A real server with everything on."""

    def __init__(self, server: Measured, trial: Trial) -> None:
        self._server = server
        self._trial = trial

    def cpu_seconds(self) -> float:
        return self._server.cpu_seconds()

    async def pairs(self, count: int) -> list[Pair]:
        citizens = await settle(self._server.invite, 2 * count, self._trial.clock)
        return [
            await self._pair(speaker, listener)
            for speaker, listener in zip(citizens[::2], citizens[1::2], strict=True)
        ]

    async def hall(self, size: int) -> Hall:
        """Everybody on this server: it is asked once."""
        citizens = await settle(self._server.invite, size, self._trial.clock)
        lines = [await self._live(citizen) for citizen in citizens]
        conversation = everyone_id(lines[0].statement.founding_ledger)
        says: list[Say] = []
        for line in lines:
            line.log = log_of(conversation)
        for line, citizen in zip(lines[:SPEAKERS], citizens, strict=False):
            others = [other for other in citizens if other is not citizen]
            await give_keys(line, citizen, conversation, b"", others)
            says.append(partial(citizen.messages, conversation, b""))
        return Hall(lines, says)

    async def _pair(self, speaker: Citizen, listener: Citizen) -> Pair:
        lines = await self._live(speaker), await self._live(listener)
        conversation = speaker.direct_with(listener)
        lines[0].log = log_of(conversation)
        await give_keys(lines[0], speaker, conversation, listener.account, (listener,))
        return Pair(*lines, lambda count: speaker.messages(conversation, listener.account, count))

    async def _live(self, citizen: Citizen) -> Line:
        line = await open_line(self._server.invite)
        await line.go_live(citizen.prove(line))
        return line

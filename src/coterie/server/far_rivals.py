"""A device that signs in here while it is connected to another server of the same data (encryption rule 28).

As rivals.py does it within one server: the older connection is pinged, and where it answers the newer one is
a copy. Question and answer stand in the database; wake-ups only make it quicker than once a second.
"""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.ids import DeviceId
from coterie.server.caller import Rival
from coterie.server.connection import Connection
from coterie.server.rivals import Rivals, Visit
from coterie.server.roster import Roster
from coterie.server.store.shared import Shared
from coterie.wire.frames import ProveDevice


class _Asked(msgspec.Struct, frozen=True):
    visit: Visit
    device: DeviceId
    question: int
    until_seconds: float


class FarRivals:
    """Only the gateway's turn calls it."""

    def __init__(self, shared: Shared, roster: Roster, rivals: Rivals) -> None:
        self._shared = shared
        self._roster = roster
        self._rivals = rivals
        self._asked: list[_Asked] = []
        self._questions: dict[Connection, int] = {}
        """Pinged here for others, by connection: up to which question."""

    async def of(self, visit: Visit) -> bool:
        """Whether the device that wants to sign in is connected to another server."""
        if not isinstance(visit.frame, ProveDevice):
            return False
        device = DeviceId(visit.frame.device)
        return bool(await self._shared.elsewhere([device]))

    async def ask(self, visit: Visit, now_seconds: float) -> Visit | None:
        """Have it pinged there. A visit that need not wait for that comes back at once."""
        assert isinstance(visit.frame, ProveDevice), "nobody else has a rival"
        device = DeviceId(visit.frame.device)
        question = await self._shared.ask(device)
        if not question:
            return _with(visit, Rival.SILENT)
        until = now_seconds + limits.COPIED_PROFILE_PING_SECONDS
        self._asked.append(_Asked(visit, device, question, until))
        return None

    async def ping(self) -> None:
        """Ping whoever another server has asked for."""
        for device, question in (await self._shared.asked()).items():
            connection = self._roster.connection_of(device)
            if connection is not None:
                self._questions[connection] = question
                self._rivals.ping(connection)

    @property
    def has_answers(self) -> bool:
        return bool(self._rivals.answered)

    async def answer(self) -> None:
        """Write down who has answered since the last time."""
        while self._rivals.answered:
            connection = self._rivals.answered.pop()
            who, question = connection.caller.signed_in, self._questions.pop(connection, 0)
            if who is not None and question:
                await self._shared.answer(who.device, question)

    async def heard(self, now_seconds: float) -> list[Visit]:
        """Visits that need not wait any more: the older connection has answered, is gone, or is silent."""
        if not self._asked:
            return []
        answers = await self._shared.answers([asked.device for asked in self._asked])
        waiting, self._asked = self._asked, []
        ready: list[Visit] = []
        for asked in waiting:
            answer = answers[asked.device]
            if not asked.visit.connection.is_open:
                continue
            if answer is not None and answer >= asked.question:
                ready.append(_with(asked.visit, Rival.ANSWERED))
            elif answer is None or asked.until_seconds <= now_seconds:
                ready.append(_with(asked.visit, Rival.SILENT))
            else:
                self._asked.append(asked)
        return ready

    def gone(self, connection: Connection) -> None:
        self._questions.pop(connection, None)


def _with(visit: Visit, rival: Rival) -> Visit:
    return msgspec.structs.replace(visit, rival=rival)

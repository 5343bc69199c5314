"""Implements Shared, on a connection of its own that never waits for a writer's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from coterie.base.ids import (
    AccountId,
    DeviceId,
    StreamId,
    UserName,
    conversation_of,
    is_mailbox,
    log_of,
    mailbox_of,
)
from coterie.server.caller import SignedIn
from coterie.server.store.lives import RESTORED
from coterie.server.store.postgres.approval_board import PgBoard
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.faults import FAULTS, database_fault
from coterie.server.store.postgres.line import THERE, Line
from coterie.server.store.postgres.logs import EntriesOf, standing
from coterie.server.store.postgres.tries import PgTries
from coterie.server.store.protocol import Place
from coterie.server.store.shared import Pulse, Standing

T = TypeVar("T")

ANSWER_SECONDS = 30.0
_PULSE = (
    "SELECT (SELECT coalesce(max(idx) + 1, 0) FROM leaves), coalesce(h.size, 0), coalesce(h.time_ms, 0),"  # noqa: S608 - constants
    f" coalesce((SELECT value <> '' FROM facts WHERE name = '{RESTORED}'), false), ARRAY({THERE})"
    " FROM (SELECT 1) one LEFT JOIN (SELECT size, time_ms FROM heads ORDER BY size DESC LIMIT 1) h ON true"
)
_ENTER = (
    "INSERT INTO visits (device, account, name, server, visit)"
    " SELECT device, account, name, $4, nextval('visit_numbers')"
    " FROM unnest($1::bytea[], $2::bytea[], $3::text[]) AS n (device, account, name) ORDER BY device"
    " ON CONFLICT (device) DO UPDATE SET account = excluded.account, name = excluded.name,"
    " server = excluded.server, visit = excluded.visit, asked = 0, pinged = 0, alive = 0"
    " WHERE visits.visit < excluded.visit"
)
"""Two servers that a device comes to at once: the one whose number was drawn later has it."""
_ELSEWHERE = (
    f"SELECT device FROM visits WHERE device = ANY($1::bytea[]) AND server <> $2 AND server IN ({THERE})"  # noqa: S608 - constants
)
_ASK = (
    "UPDATE visits SET asked = asked + 1 WHERE device = $1 AND server <> $2"  # noqa: S608 - constants
    f" AND server IN ({THERE}) RETURNING asked"
)
_ASKED = "UPDATE visits SET pinged = asked WHERE server = $1 AND asked > pinged RETURNING device, asked"
_ANSWERS = (
    "SELECT device, alive FROM visits WHERE device = ANY($1::bytea[]) AND server <> $2"  # noqa: S608 - constants
    f" AND server IN ({THERE})"
)
_ENDED = (
    "SELECT device FROM devices WHERE device = ANY($1::bytea[])"
    " AND (revoked <> 0 OR account_no IN (SELECT old_no FROM successions))"
)
_LOGS = (
    "SELECT d.device, count(*) FROM devices d JOIN entitled e ON e.device_no = d.no"
    " WHERE d.device = ANY($1::bytea[]) GROUP BY d.device"
)
_PEOPLE = f"SELECT DISTINCT account, name FROM visits WHERE server <> $1 AND server IN ({THERE})"  # noqa: S608 - constants


class PgShared:
    """Of one life of a store: number is that of its line."""

    def __init__(self, url: str, writing: Line, entries_of: EntriesOf) -> None:
        self._line = Line(url)
        self._writing = writing
        self._entries_of = entries_of
        self._busy = asyncio.Lock()
        self.approvals = PgBoard(self._said, lambda: self.number)
        self.tries = PgTries(self._said)

    @property
    def number(self) -> int:
        return self._writing.number

    async def pulse(self) -> Pulse:
        row = await self._said(lambda line: line.fetchrow(_PULSE))
        assert row is not None, "it is one row"
        return Pulse(row[0], row[1], row[2], row[3], frozenset(row[4]))

    async def ends(self, streams: Collection[StreamId]) -> dict[StreamId, int]:
        mailboxes = [stream[1:] for stream in streams if is_mailbox(stream)]
        logs = [conversation_of(stream) for stream in streams if not is_mailbox(stream)]
        ends: dict[StreamId, int] = {}
        if logs:
            sql = "SELECT conversation, log_end FROM conversations WHERE conversation = ANY($1::bytea[])"
            ends |= {log_of(row[0]): row[1] for row in await self._said(lambda line: line.fetch(sql, logs))}
        if mailboxes:
            mail = "SELECT device, mailbox_end FROM devices WHERE device = ANY($1::bytea[])"
            rows = await self._said(lambda line: line.fetch(mail, mailboxes))
            ends |= {mailbox_of(row[0]): row[1] for row in rows}
        return ends

    async def logs(
        self, places: Collection[Place], mailboxes: Collection[StreamId], entries: int, most_bytes: int
    ) -> Standing:
        return await standing(self._rows, self._entries_of, places, mailboxes, entries, most_bytes)

    async def enter(self, visitors: Collection[SignedIn]) -> None:
        columns = [[each.device for each in visitors], [each.account for each in visitors]]
        names = [each.name for each in visitors]
        await self._said(lambda line: line.execute(_ENTER, *columns, names, self.number))

    async def leave(self, devices: Collection[DeviceId]) -> None:
        sql = "DELETE FROM visits WHERE device = ANY($1::bytea[]) AND server = $2"
        await self._said(lambda line: line.execute(sql, list(devices), self.number))

    async def elsewhere(self, devices: Collection[DeviceId]) -> set[DeviceId]:
        rows = await self._said(lambda line: line.fetch(_ELSEWHERE, list(devices), self.number))
        return {DeviceId(row[0]) for row in rows}

    async def ask(self, device: DeviceId) -> int:
        return int(await self._said(lambda line: line.fetchval(_ASK, device, self.number)) or 0)

    async def asked(self) -> dict[DeviceId, int]:
        rows = await self._said(lambda line: line.fetch(_ASKED, self.number))
        return {DeviceId(row[0]): row[1] for row in rows}

    async def answer(self, device: DeviceId, question: int) -> None:
        sql = "UPDATE visits SET alive = max(alive, $2) WHERE device = $1 AND server = $3"
        await self._said(lambda line: line.execute(sql, device, question, self.number))

    async def answers(self, devices: Collection[DeviceId]) -> dict[DeviceId, int | None]:
        answers: dict[DeviceId, int | None] = dict.fromkeys(devices)
        rows = await self._said(lambda line: line.fetch(_ANSWERS, list(devices), self.number))
        return answers | {DeviceId(row[0]): row[1] for row in rows}

    async def ended(self, devices: Collection[DeviceId]) -> set[DeviceId]:
        rows = await self._said(lambda line: line.fetch(_ENDED, list(devices)))
        return {DeviceId(row[0]) for row in rows}

    async def logs_of(self, devices: Collection[DeviceId]) -> dict[DeviceId, int]:
        rows = await self._said(lambda line: line.fetch(_LOGS, list(devices)))
        return {DeviceId(row[0]): row[1] for row in rows}

    async def people_elsewhere(self) -> dict[AccountId, UserName]:
        rows = await self._said(lambda line: line.fetch(_PEOPLE, self.number))
        return {AccountId(row[0]): UserName(row[1]) for row in rows}

    async def sweep(self, servers: Iterable[int]) -> None:
        numbers = list(servers)
        visits = "DELETE FROM visits WHERE server <> ALL($1::bigint[])"
        await self._said(lambda line: line.execute(visits, numbers))
        asked = "DELETE FROM approvals WHERE asking <> ALL($1::bigint[]) AND answering <> ALL($1::bigint[])"
        await self._said(lambda line: line.execute(asked, numbers))

    async def close(self) -> None:
        await self._line.close()

    async def _rows(self, sql: str, *values: object) -> list[Sequence[Any]]:
        return await self._said(lambda line: line.fetch(sql, *values))

    async def _said(self, words: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with self._busy, asyncio.timeout(ANSWER_SECONDS):
                return await words(await self._line.get())
        except FAULTS as error:
            self._line.drop()
            raise database_fault(error) from error

"""Filling a stopped server's database with entries of conversations nobody asks for, as a year of use would.

They lie in logs of a thousand entries; everybody has passed them, and their ciphertexts are still there.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import asyncpg

from coterie.base.clock import Clock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.folder import database_of
from coterie.server.store.postgres.statements import NUMBERS_PER_BLOCK
from coterie.trials.coterie_site import CoterieSite

ENTRIES_PER_LOG = 1000
ENTRIES_PER_STEP = 100_000
FILL_SECONDS = 1200.0

_LOGS = (
    "INSERT INTO conversations (no, conversation, one_no, other_no, log_end, last_no, emptied)"
    " SELECT {log} + n.i, {id}, 1 + n.i % {accounts}, 1 + (n.i + 1) % {accounts}, {each},"
    " {no} + {each} * (n.i + 1) - 1, {each} FROM {numbers}"
)
_ENTRIES = (
    "INSERT INTO log_entries SELECT {no} + n.i, {log} + n.i / {each}, n.i % {each} + 1, 1,"
    " CASE n.i % {each} WHEN 0 THEN 0 ELSE {no} + n.i - 1 END,"
    " CASE n.i % {each} WHEN 0 THEN 0 ELSE {no} + n.i - 1 END,"
    " {key}, {id}, {key}, {key}, {now}, {text} FROM {numbers}"
)
_SQLITE = {
    "id": "randomblob(16)",
    "key": "randomblob(32)",
    "text": "randomblob(600)",
    "numbers": (
        "(WITH RECURSIVE c (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < {count} - 1)"
        " SELECT i FROM c) n"
    ),
}
_POSTGRES = {
    "id": "uuid_send(gen_random_uuid())",
    "key": "uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())",
    "text": "decode(repeat(md5(n.i::text), 38), 'hex')",
    "numbers": "(SELECT generate_series(0, {count} - 1)::bigint AS i) n",
}
_COUNTS = (
    "SELECT coalesce(max(no), 0) + 1 FROM log_entries",
    "SELECT coalesce(max(no), 0) + 1 FROM conversations",
    "SELECT count(*) FROM accounts",
)


class Step:
    """The next entries, in the words of one of the databases."""

    def __init__(self, words: dict[str, str], counts: tuple[int, int, int], now_ms: int) -> None:
        self._words = words
        self._no, self._log, self._accounts = counts
        self._now_ms = now_ms

    def statements(self, entries: int) -> tuple[str, str]:
        logs = entries // ENTRIES_PER_LOG
        made = self._said(_LOGS, logs), self._said(_ENTRIES, entries)
        self._no += entries
        self._log += logs
        return made

    def _said(self, statement: str, count: int) -> str:
        words = self._words | {"numbers": self._words["numbers"].format(count=count)}
        return statement.format(
            **words,
            no=self._no,
            log=self._log,
            accounts=self._accounts,
            each=ENTRIES_PER_LOG,
            now=self._now_ms,
        )


class Deadline:
    """A disk that is too slow for the size ends the trial, and not the patience of who waits for it."""

    def __init__(self, clock: Clock, entries: int) -> None:
        self._clock = clock
        self._until = clock.monotonic_seconds() + FILL_SECONDS
        self._entries = entries

    def check(self) -> None:
        if self._clock.monotonic_seconds() > self._until:
            raise Unavailable(Code.DISK, f"{self._entries} entries could not be stored in {FILL_SECONDS:g} s")


async def fill(site: CoterieSite, entries: int) -> None:
    """Store so many more, in whole logs, while no server of the site runs."""
    entries = max(1, entries // ENTRIES_PER_LOG) * ENTRIES_PER_LOG
    if site.database:
        await _fill_postgres(site, entries)
    else:
        _fill_sqlite(site, site.folders[0], entries)


def _fill_sqlite(site: CoterieSite, folder: Path, entries: int) -> None:
    """Nothing is synced on the way: it is before the server starts."""
    deadline = Deadline(site.clock, entries)
    with closing(apsw.Connection(str(database_of(folder)))) as database:
        database.pragma("synchronous", "off")
        no, log, accounts = (database.execute(count).get for count in _COUNTS)
        step = Step(_SQLITE, (no, log, accounts), site.clock.wall_ms())
        while entries:
            deadline.check()
            now = min(entries, ENTRIES_PER_STEP)
            with database:
                for statement in step.statements(now):
                    database.execute(statement)
            entries -= now
        database.pragma("synchronous", "full")
        database.pragma("wal_checkpoint(truncate)")


async def _fill_postgres(site: CoterieSite, entries: int) -> None:
    deadline = Deadline(site.clock, entries)
    database = await asyncpg.connect(site.database)
    try:
        no, log, accounts = [await database.fetchval(count) for count in _COUNTS]
        step = Step(_POSTGRES, (no, log, accounts), site.clock.wall_ms())
        while entries:
            deadline.check()
            now = min(entries, ENTRIES_PER_STEP)
            async with database.transaction():
                for statement in step.statements(now):
                    await database.execute(statement)
            entries -= now
        highest = await database.fetchval("SELECT max(no) FROM log_entries")
        block = highest // NUMBERS_PER_BLOCK + 1
        await database.execute(f"SELECT setval('entry_blocks', {block}, false)")
        await database.execute(
            "SELECT setval(pg_get_serial_sequence('conversations', 'no'), max(no)) FROM conversations"
        )
        await database.execute("VACUUM ANALYZE")
        await database.execute("CHECKPOINT")
    finally:
        await database.close()

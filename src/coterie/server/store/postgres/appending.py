"""Rows of appended messages, all of a batch in one statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from coterie.server.store.appending import Appending, Rows
from coterie.server.store.postgres.connection import Connection, changed
from coterie.server.store.statements import Statements

_WRITE = (
    "WITH entries AS ("
    "INSERT INTO log_entries (no, conversation_no, seq, device_no, behind_no, before_no, session, message,"
    " commitment, mac, time_ms, ciphertext) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
    " $4::bigint[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[],"
    " $11::bigint[], $12::bytea[])"
    "), last_messages AS ("
    "UPDATE entitled e SET last_message = n.message, last_no = n.last_no"
    " FROM unnest($13::bytea[], $14::bigint[], $15::bigint[], $16::bigint[])"
    " AS n (message, last_no, conversation_no, device_no)"
    " WHERE e.conversation_no = n.conversation_no AND e.device_no = n.device_no"
    ") UPDATE conversations c SET log_end = n.log_end, last_no = n.last_no"
    " FROM unnest($17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[])"
    " AS n (log_end, last_no, no, before) WHERE c.no = n.no AND c.log_end = n.before"
)
"""SQL: three tables by one statement, each with columns of its own. It says how many logs it moved."""


class PgAppending(Appending):
    """The logs are locked before (locking.py), so their ends stand where they were read."""

    def __init__(self, statements: Statements, connection: Callable[[], Awaitable[Connection]]) -> None:
        super().__init__(statements)
        self._connection = connection

    async def _write(self, entries: Rows, ends: Rows, last_messages: Rows) -> int:
        connection = await self._connection()
        moved = await connection.execute(
            _WRITE, *_columns(entries), *_columns(last_messages), *_columns(ends)
        )
        return changed(moved)


def _columns(rows: Rows) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]

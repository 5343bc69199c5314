"""Rows of appended messages, all of a batch in one statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.server.store.appending import Appending, Rows
from coterie.server.store.postgres.connection import Connection, changed
from coterie.server.store.statements import Statements

_CUT = {7: 32, 8: 16, 9: 32, 10: 32}
"""Columns of entries whose values are all so many bytes long, by their place: session, message, commitment
and MAC."""
_PARTS = ", ".join(
    f"substring(${place}::bytea FROM (n.place::int - 1) * {size} + 1 FOR {size})"
    for place, size in _CUT.items()
)
_WRITE = (
    "WITH entries AS ("  # noqa: S608 - constants
    "INSERT INTO log_entries (no, conversation_no, seq, device_no, behind_no, before_no, session, message,"
    " commitment, mac, time_ms, ciphertext)"
    f" SELECT n.no, n.log, n.seq, n.device, n.behind, n.before, {_PARTS},"
    " n.time_ms, n.ciphertext FROM unnest($1::int8s, $2::int8s, $3::int8s, $4::int8s, $5::int8s, $6::int8s,"
    " $11::int8s, $12::bytea[]) WITH ORDINALITY"
    " AS n (no, log, seq, device, behind, before, time_ms, ciphertext, place)"
    "), last_messages AS ("
    "UPDATE entitled e SET last_message = n.message, last_no = n.last_no"
    " FROM unnest($13::bytea[], $14::int8s, $15::int8s, $16::int8s)"
    " AS n (message, last_no, conversation_no, device_no)"
    " WHERE e.conversation_no = n.conversation_no AND e.device_no = n.device_no"
    ") UPDATE conversations c SET log_end = n.log_end, last_no = n.last_no"
    " FROM unnest($17::int8s, $18::int8s, $19::int8s, $20::int8s)"
    " AS n (log_end, last_no, no, before) WHERE c.no = n.no AND c.log_end = n.before"
).replace("int8s", "text::bigint[]")
"""SQL: three tables by one statement, each with columns of its own. It says how many logs it moved."""


class PgAppending(Appending):
    """The logs are locked before (locking.py), so their ends stand where they were read."""

    def __init__(self, statements: Statements, connection: Callable[[], Awaitable[Connection]]) -> None:
        super().__init__(statements)
        self._connection = connection

    async def _write(self, entries: Rows, ends: Rows, last_messages: Rows) -> int:
        connection = await self._connection()
        moved = await connection.execute(
            _WRITE, *_joined(_columns(entries)), *_columns(last_messages), *_columns(ends)
        )
        return changed(moved)


def _joined(columns: list[Any]) -> list[Any]:
    """Columns that are cut again go as one value each. Raises LocalError where a value has another size."""
    for place, size in _CUT.items():
        values = columns[place - 1]
        if set(map(len, values)) != {size}:
            raise LocalError(Code.USAGE, "a value of an entry is longer or shorter than all are")
        columns[place - 1] = b"".join(values)
    return columns


def _columns(rows: Rows) -> list[Any]:
    """Numbers as the text of an array. Of each element of a list asyncpg asks twice whether it is one too:
    that takes longer than PostgreSQL needs for its digits."""
    return [
        "{" + ",".join(map(str, column)) + "}" if isinstance(column[0], int) else column
        for column in zip(*rows, strict=True)
    ]

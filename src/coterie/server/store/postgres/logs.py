"""Many logs read by one statement: on PostgreSQL each one is a way to another process and back."""

from __future__ import annotations

from coterie.server.store.logs import ENTRY

_COLUMNS = ", ".join(f"l.{name}" for name in ENTRY.split(", "))
LOGS = (
    f"SELECT n.place, {_COLUMNS}"  # noqa: S608 - constants
    " FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS n (conversation, seq, place)"
    " JOIN conversations c ON c.conversation = n.conversation"
    " CROSS JOIN LATERAL (SELECT greatest(n.seq, c.emptied) AS seq) after"
    " CROSS JOIN LATERAL ("
    f"WITH RECURSIVE back (no, behind_no, {ENTRY}) AS ("
    f"SELECT l.no, l.behind_no, {_COLUMNS} FROM log_entries l WHERE l.no = coalesce("
    "(SELECT m.no FROM log_entries m WHERE m.conversation_no = c.no AND m.seq % 16 = 0"
    " AND m.seq >= after.seq + $3 ORDER BY m.seq LIMIT 1), c.last_no)"
    f" UNION ALL SELECT l.no, l.behind_no, {_COLUMNS} FROM back b JOIN log_entries l ON l.no = b.behind_no"
    " WHERE b.seq > after.seq + 1"
    f") SELECT {_COLUMNS}, sum(octet_length(l.ciphertext)) OVER (ORDER BY l.seq) AS bytes,"
    " row_number() OVER (ORDER BY l.seq) AS row"
    " FROM back l WHERE l.seq > after.seq AND l.seq <= after.seq + $3) l"
    " WHERE l.row = 1 OR l.bytes <= $4 ORDER BY n.place, l.seq"
)
"""SQL: entries behind each place (conversation and seq, side by side), $3 of each and $4 bytes at most, one
at least; with the number of the place, from 1. How they are found: store/logs.py."""

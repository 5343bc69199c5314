"""Many logs read by one statement: on PostgreSQL each one is a way to another process and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from coterie.base.ids import DeviceId, StreamId, conversation_of
from coterie.server.store.logs import ENTRY
from coterie.server.store.protocol import Place
from coterie.server.store.shared import Standing
from coterie.wire.frames.messages import LogEntry

EntriesOf = Callable[[Iterable[Sequence[Any]], int], Awaitable[tuple[LogEntry, ...]]]
"""From rows as ENTRY gives them, as many as so many bytes hold."""

_COLUMNS = ", ".join(f"l.{name}" for name in ENTRY.split(", "))
_NO_COLUMNS = ", ".join("NULL" for _ in ENTRY.split(", "))
LOGS = (
    f"SELECT n.place AS place, c.log_end, NULL::bigint[], {_COLUMNS}"  # noqa: S608 - constants
    " FROM unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS n (conversation, seq, place)"
    " JOIN conversations c ON c.conversation = n.conversation"
    " CROSS JOIN LATERAL (SELECT greatest(n.seq, c.emptied) AS seq) after"
    " LEFT JOIN LATERAL ("
    f"WITH RECURSIVE back (no, behind_no, {ENTRY}) AS ("
    f"SELECT l.no, l.behind_no, {_COLUMNS} FROM log_entries l WHERE l.no = coalesce("
    "(SELECT m.no FROM log_entries m WHERE m.conversation_no = c.no AND m.seq % 16 = 0"
    " AND m.seq >= after.seq + $3 ORDER BY m.seq LIMIT 1), c.last_no)"
    f" UNION ALL SELECT l.no, l.behind_no, {_COLUMNS} FROM back b JOIN log_entries l ON l.no = b.behind_no"
    " WHERE b.seq > after.seq + 1"
    f") SELECT {_COLUMNS}, sum(octet_length(l.ciphertext)) OVER (ORDER BY l.seq) AS bytes,"
    " row_number() OVER (ORDER BY l.seq) AS row"
    " FROM back l WHERE l.seq > after.seq AND l.seq <= after.seq + $3) l"
    " ON l.row = 1 OR l.bytes <= $4"
    " UNION ALL SELECT 0, NULL, (SELECT array_agg(coalesce(d.mailbox_end, 0) ORDER BY m.place)"
    " FROM unnest($5::bytea[]) WITH ORDINALITY AS m (device, place)"
    f" LEFT JOIN devices d ON d.device = m.device), {_NO_COLUMNS} ORDER BY place, seq"
)
"""SQL: entries behind each place (conversation and seq, side by side), $3 of each and $4 bytes at most, one
at least, a row without one where there is none; with the number of the place, from 1, and the end of its log.
How they are found: store/logs.py. Before them, as place 0, the ends of the mailboxes of these devices. All of
one moment, as it is one statement."""


async def standing(
    fetched: Callable[..., Awaitable[list[Sequence[Any]]]],
    entries_of: EntriesOf,
    places: Collection[Place],
    mailboxes: Collection[StreamId],
    most: int,
    most_bytes: int,
) -> Standing:
    """What Shared.logs() gives. fetched: rows of a statement with these values."""
    asked, devices = list(places), [DeviceId(stream[1:]) for stream in mailboxes]
    conversations, after = [conversation_of(stream) for stream, _ in asked], [seq for _, seq in asked]
    rows = await fetched(LOGS, conversations, after, most, most_bytes, devices)
    ends: dict[StreamId, int] = dict(zip(mailboxes, rows[0][2] or (), strict=True))
    entries: dict[Place, tuple[LogEntry, ...]] = dict.fromkeys(asked, ())
    for number, group in groupby(rows[1:], itemgetter(0)):
        found, place = list(group), asked[number - 1]
        ends[place[0]] = found[0][1]
        if found[0][3] is not None:
            entries[place] = await entries_of([row[3:] for row in found], most_bytes)
    return Standing(entries, ends)

"""Finding entries of a log: each names the one before it, and every 16th stands in an index.

So a message that is appended touches pages that all logs share, and seldom one that is its log's alone; an
index of all entries would dirty one for each message (decision 20). The numbers (no) of a log's entries grow
with their seq, as all entries are written one after the other, and none is given twice (pruning.py).
"""

from __future__ import annotations

ENTRY = "seq, device_no, session, message, ciphertext, commitment, time_ms, mac"
"""SQL: what of a row is given to who reads it."""

ENTRIES = (
    "(WITH RECURSIVE back (no, seq, behind_no) AS ("
    "SELECT no, seq, behind_no FROM log_entries WHERE no = coalesce("
    "(SELECT no FROM log_entries WHERE conversation_no = :conversation AND seq % 16 = 0 AND seq >= :upto"
    " ORDER BY seq LIMIT 1), (SELECT last_no FROM conversations WHERE no = :conversation))"
    " UNION ALL SELECT l.no, l.seq, l.behind_no FROM back b JOIN log_entries l ON l.no = b.behind_no"
    " WHERE b.seq > :after + 1"
    ") SELECT no FROM back WHERE seq > :after AND seq <= :upto)"
)
"""SQL: numbers of the entries behind seq :after up to :upto of the log of :conversation (its number).

From the first mark at :upto or behind it, or else from the end, it goes back to :after, so it looks at few
entries more than it gives. Rows that were dropped are not missed: what is behind them was dropped before.
"""

LAST_BEFORE = (
    "(WITH RECURSIVE back (seq, time_ms, behind_no) AS ("
    "SELECT l.seq, l.time_ms, l.behind_no FROM conversations c JOIN log_entries l ON l.no = c.last_no"
    " WHERE c.no = e.conversation_no"
    " UNION ALL SELECT l.seq, l.time_ms, l.behind_no FROM back b JOIN log_entries l ON l.no = b.behind_no"
    " WHERE b.time_ms >= :since_ms"
    ") SELECT seq FROM back WHERE time_ms < :since_ms)"
)
"""SQL: seq of the last entry before :since_ms in the log of the row `e` of entitled; NULL for none."""

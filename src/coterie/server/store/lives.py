"""Writing that the data goes on from a copy: another ledger, and nothing that must not be used twice.

People and devices stay, but stand in no ledger until somebody brings their newest manifests (offers.py).
One-time keys go: the copy holds some that were given out since. docs/protocol.md 3.13.
"""

from __future__ import annotations

from coterie.server.store.caches import LAST_NO_OF_COPY, Caches
from coterie.server.store.ledger import LedgerWrites
from coterie.server.store.records import BeginLife
from coterie.server.store.results import DONE, Result
from coterie.server.store.statements import Statements

RESTORED = "restored"
"""Fact: b"1" from when the data was put back from a copy until its next life has begun; else b""."""
_RESETTING = "SELECT account_no FROM resets WHERE state = 0"
_ANEW = (
    "DELETE FROM leaves",
    "DELETE FROM newest_leaves",
    "DELETE FROM heads",
    "UPDATE accounts SET leaf = -1",
    "UPDATE manifests SET leaf = -1",
    "UPDATE devices SET leaf = -1",
    "DELETE FROM one_time_keys",
    "UPDATE conversations SET life_from = log_end",
    f"UPDATE devices SET revoked = 1 WHERE account_no IN ({_RESETTING})",  # noqa: S608 - a constant
    "UPDATE resets SET state = 1 WHERE state = 0",
)
"""Resets under way come to nothing: the identity before may have said no, and the copy not know."""


async def begin_life(db: Statements, caches: Caches, ledger: LedgerWrites, record: BeginLife) -> Result:
    """Carry out the record."""
    for change in _ANEW:
        await db.run(change)
    for leaf in record.leaves:
        await ledger.append(leaf)
    await db.run("INSERT INTO statements VALUES (?, ?)", (record.seq, record.statement))
    await db.run("INSERT INTO heads VALUES (?, ?, ?)", (len(record.leaves), record.now_ms, record.head))
    await db.run(
        "UPDATE devices SET x_wing_ms = max(x_wing_ms, ?) WHERE x_wing_ms > ?",
        (record.now_ms, record.dormant_before_ms),
    )
    for name, value in record.facts:
        await ledger.put_fact(name, value)
    last_no = await db.number("SELECT max(no) FROM log_entries")
    await ledger.put_fact(LAST_NO_OF_COPY, last_no.to_bytes(8, "big"))
    caches.forget()
    return DONE

"""Writing the end of an account: everything about it goes but what others and the ledger need.

What it said stays under way to others until they have it, and so do the numbers and ids of its account and
devices, which that is from. Its name stays in the ledger alone, as a hash.
"""

from __future__ import annotations

from typing import Final

from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.server.store.caches import Caches
from coterie.server.store.ledger import LedgerWrites
from coterie.server.store.records import EndAccount
from coterie.server.store.results import AccountEnded, Denied, Result
from coterie.server.store.statements import Statements

_DEVICES = "(SELECT no FROM devices WHERE account_no = :account)"
_ENDS: Final = (
    "DELETE FROM verifiers WHERE account_no = :account",
    "DELETE FROM manifests WHERE account_no = :account",
    "DELETE FROM accepts WHERE account_no = :account OR other_no = :account",
    "DELETE FROM speakers WHERE account_no = :account",
    f"DELETE FROM entitled WHERE device_no IN {_DEVICES}",  # noqa: S608 - no input in it
    f"DELETE FROM mailbox_entries WHERE device_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM one_time_keys WHERE device_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM spent_keys WHERE device_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM standing_keys WHERE device_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM shares WHERE device_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM shares WHERE session_no IN (SELECT no FROM sessions WHERE sender_no IN {_DEVICES})",  # noqa: S608 - as above
    f"DELETE FROM sessions WHERE sender_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM envelope_ids WHERE sender_no IN {_DEVICES}",  # noqa: S608 - as above
    "UPDATE devices SET revoked = 1, run = 0, run_nonce = :nothing WHERE account_no = :account",
    "UPDATE devices SET x_wing_ms = 0, mailbox_end = 0, mailbox_acked = 0 WHERE account_no = :account",
    "UPDATE blobs SET state = 2 WHERE account_no = :account",
    "UPDATE accounts SET name = NULL, salt = :nothing, vault = :nothing WHERE no = :account",
)


async def cancel_reset(statements: Statements, account_no: int) -> None:
    """The account has signed once more: whoever wanted its name does not get it."""
    new = "SELECT account_no FROM resets WHERE old_no = ? AND state = 0"
    await statements.run(f"UPDATE devices SET revoked = 1 WHERE account_no IN ({new})", (account_no,))  # noqa: S608 - above
    await statements.run("UPDATE resets SET state = 1 WHERE old_no = ? AND state = 0", (account_no,))


async def drop_account(statements: Statements, account_no: int) -> None:
    """What an account that ended has, but for what others and the ledger need."""
    for end in _ENDS:
        await statements.run(end, {"account": account_no, "nothing": b""})


class EndingWrites:
    """Checks all conditions of a record before it writes."""

    def __init__(self, statements: Statements, caches: Caches, ledger: LedgerWrites) -> None:
        self._db = statements
        self._caches = caches
        self._ledger = ledger

    async def end(self, record: EndAccount) -> Result:
        account = await self._db.one(
            "SELECT no, hash, name FROM accounts WHERE account = ?", (record.account,)
        )
        if account is None:
            return Denied(Code.UNKNOWN_PERSON)
        if account[2] is None:
            return Denied(Code.DELETED)
        if account[1] != record.previous or not await self._ledger.follows(record.leaf):
            return Denied(Code.STALE_MANIFEST)
        devices = await self._db.all(
            "SELECT device FROM devices WHERE account_no = ? AND revoked = 0", (account[0],)
        )
        index = await self._ledger.append(record.leaf)
        await cancel_reset(self._db, account[0])
        await drop_account(self._db, account[0])
        await self._db.run("UPDATE accounts SET leaf = ? WHERE no = ?", (index, account[0]))
        await self._db.run(
            "INSERT INTO deletions VALUES (?, ?, ?)", (account[0], record.leaf.name_hash, record.deletion)
        )
        self._caches.account_ended()
        return AccountEnded(index, record.leaf.packed, tuple(DeviceId(row[0]) for row in devices))

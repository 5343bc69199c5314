"""Writing accounts that go on under another identity, by their own word (rules 2, 8 and 22)."""

from __future__ import annotations

from typing import Final

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.server.store.endings import cancel_reset
from coterie.server.store.records import Succeed
from coterie.server.store.resets import ResetWrites
from coterie.server.store.results import AccountSucceeded, Denied, Result
from coterie.server.store.statements import Value

_DEVICES = "(SELECT no FROM devices WHERE account_no = :old)"
_LOG_END = "(SELECT log_end FROM conversations c WHERE c.no = conversation_no)"
_HANDED_ON: Final = (
    "DELETE FROM verifiers WHERE account_no = :old",
    "DELETE FROM accepts WHERE other_no = :old",
    "UPDATE accepts SET account_no = :new WHERE account_no = :old",
    "UPDATE speakers SET account_no = :new WHERE account_no = :old",
    f"DELETE FROM one_time_keys WHERE device_no IN {_DEVICES}",  # noqa: S608 - no input in it
    f"DELETE FROM standing_keys WHERE device_no IN {_DEVICES}",  # noqa: S608 - as above
    f"DELETE FROM entitled WHERE device_no IN {_DEVICES} AND acked >= {_LOG_END}",  # noqa: S608 - as above
    "UPDATE devices SET x_wing_ms = min(x_wing_ms, :dormant_ms) WHERE account_no = :old",
    "UPDATE accounts SET name = NULL, salt = :nothing, vault = :nothing WHERE no = :old",
)
"""What the account before loses. Its manifests stay: they prove who said that it goes on. What waits for its
devices stays as for dormant ones: they fetch it, and get nothing new."""


class SuccessionWrites(ResetWrites):
    """Checks all conditions of a record before it writes."""

    async def succeed(self, record: Succeed) -> Result:
        old = await self._db.one("SELECT no, hash, name FROM accounts WHERE account = ?", (record.account,))
        if old is None:
            return Denied(Code.UNKNOWN_PERSON)
        if old[2] is None or old[1] != record.previous or not await self._ledger.follows(record.leaf):
            return Denied(Code.STALE_MANIFEST)
        if await self.account_no(record.heir) is not None or await self._device_taken(record.devices):
            return Denied(Code.BAD_MANIFEST)
        index = await self._ledger.append(record.leaf)
        await cancel_reset(self._db, old[0])
        dropped = "DELETE FROM reset_tokens WHERE account_no = ?"
        await self._db.run(dropped, (old[0],))
        new_no = await self._put_account(record.heir, record, None, index)
        live = await self._db.all(
            "SELECT device FROM devices WHERE account_no = ? AND revoked = 0", (old[0],)
        )
        dormant_ms = record.now_ms - limits.DORMANT_AFTER_MS
        values: dict[str, Value] = {"old": old[0], "new": new_no, "dormant_ms": dormant_ms, "nothing": b""}
        for handed_on in _HANDED_ON:
            await self._db.run(handed_on, values)
        await self._db.run("UPDATE accounts SET name = ? WHERE no = ?", (old[2], new_no))
        await self._db.run("INSERT INTO successions VALUES (?, ?, ?)", (new_no, old[0], record.succession))
        for device in record.devices:
            await self._add_device(new_no, device, index, record.now_ms)
        awake = "UPDATE devices SET x_wing_ms = ? WHERE account_no = ?"
        await self._db.run(awake, (record.now_ms, new_no))
        self._caches.account_ended()
        return AccountSucceeded(index, record.leaf.packed, tuple(DeviceId(row[0]) for row in live))

"""Writing names that begin anew: announced, cancelled by the account before, or in effect (rule 2)."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import DeviceId
from coterie.server.store.accounts import AccountWrites
from coterie.server.store.endings import drop_account
from coterie.server.store.records import BeginReset, CompleteResets
from coterie.server.store.results import Denied, LeafAdded, ResetsCompleted, Result

_TOKEN = "SELECT 1 FROM reset_tokens WHERE account_no = ? AND mac = ? AND expires_ms > ?"


class ResetWrites(AccountWrites):
    """Each checks all its conditions before it writes."""

    async def begin_reset(self, record: BeginReset) -> Result:
        """The new account is written down, and is nobody yet: without a name, entitled to nothing."""
        new, manifest = record.register, record.register.manifest
        known = await self._db.one("SELECT first_hash, leaf FROM accounts WHERE account = ?", (new.account,))
        if known is not None and known[0] == manifest.hash:
            return LeafAdded(known[1], b"")
        old = await self._db.one("SELECT no, hash FROM accounts WHERE name = ?", (new.name,))
        if old is None:
            return Denied(Code.UNKNOWN_PERSON)
        if not await self._db.one(_TOKEN, (old[0], new.token, new.now_ms)):
            return Denied(Code.SIGN_UP_CLOSED)
        if await self._db.one("SELECT 1 FROM resets WHERE old_no = ? AND state = 0", (old[0],)):
            return Denied(Code.NAME_TAKEN)
        if old[1] != record.previous or not await self._ledger.follows(new.leaf):
            return Denied(Code.STALE_MANIFEST)
        if known is not None or await self._device_taken((new.device,)):
            return Denied(Code.BAD_MANIFEST)
        await self._db.run("DELETE FROM reset_tokens WHERE account_no = ?", (old[0],))
        index = await self._ledger.append(new.leaf)
        account_no = await self._put_account(new.account, new, None, index)
        from_ms = new.now_ms + limits.RESET_AFTER_MS
        await self._db.run("INSERT INTO resets VALUES (?, ?, ?, 0)", (account_no, old[0], from_ms))
        await self._add_device(account_no, new.device, index, new.now_ms)
        await self._db.run(
            "DELETE FROM entitled WHERE device_no IN (SELECT no FROM devices WHERE account_no = ?)",
            (account_no,),
        )
        self._caches.devices_changed()
        return LeafAdded(index, new.leaf.packed)

    async def complete(self, record: CompleteResets) -> Result:
        """Of each reset whose time has come: the account before ends, the new one has the name."""
        due = await self._db.all(
            "SELECT account_no, old_no FROM resets WHERE state = 0 AND from_ms <= ?", (record.now_ms,)
        )
        ended: list[DeviceId] = []
        for new_no, old_no in due:
            (name,) = (await self._db.all("SELECT name FROM accounts WHERE no = ?", (old_no,)))[0]
            live = "SELECT device FROM devices WHERE account_no = ? AND revoked = 0"
            ended += (DeviceId(row[0]) for row in await self._db.all(live, (old_no,)))
            await drop_account(self._db, old_no)
            await self._db.run("UPDATE accounts SET name = ? WHERE no = ?", (name, new_no))
            await self._db.run("UPDATE resets SET state = 2 WHERE account_no = ?", (new_no,))
            await self._db.run(
                "INSERT INTO entitled (conversation_no, device_no, from_seq, acked)"
                " SELECT c.no, d.no, c.log_end, c.log_end FROM conversations c, devices d"
                " WHERE c.one_no IS NULL AND d.account_no = ? AND d.revoked = 0",
                (new_no,),
            )
        if due:
            self._caches.account_ended()
        return ResetsCompleted(tuple(ended))

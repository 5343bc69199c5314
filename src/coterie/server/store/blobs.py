"""What the database knows of sealed files: whose, how large, since when. Their bytes lie in server/blobs.

A row is there before the bytes and goes after them, so none lie there that nobody knows of. What an account
may keep is counted in blob_use, changed in the transaction that begins a file or forgets it.
"""

from __future__ import annotations

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import AccountId, BlobId
from coterie.server.store.blob_records import BeginBlob, BlobState, EndBlob, ForgetBlob, KeepBlob
from coterie.server.store.caches import Caches
from coterie.server.store.results import DONE, BlobBegun, Denied, Result
from coterie.server.store.statements import Statements

KEEP_COMING_MS = limits.DAY_MS
"""Of a file that was begun and never came; limits.UPLOAD_SECONDS is much less."""


class BlobRow(msgspec.Struct, frozen=True):
    """A sealed file. account: who uploaded it."""

    account: AccountId
    size_bytes: int
    state: BlobState


_ROW = (
    "SELECT a.account, b.bytes, b.state, b.sha256, b.account_no FROM blobs b"
    " JOIN accounts a ON a.no = b.account_no WHERE b.blob = ?"
)


async def blob_row(statements: Statements, blob: BlobId) -> BlobRow | None:
    """What is known of it; None for a file that nobody has begun."""
    row = await statements.one(_ROW, (blob,))
    return BlobRow(AccountId(bytes(row[0])), row[1], BlobState(row[2])) if row else None


async def blobs_due(
    statements: Statements, now_ms: int, most: int, kept_longer_ms: int
) -> tuple[BlobId, ...]:
    """Some of those whose time is over, or that are on their way out already."""
    until = {
        BlobState.GOING: now_ms + limits.DAY_MS,
        BlobState.COMING: now_ms - KEEP_COMING_MS,
        BlobState.WHOLE: now_ms - limits.KEEP_BLOB_MS - kept_longer_ms,
    }
    due: list[BlobId] = []
    for state, before_ms in until.items():
        rows = await statements.all(
            "SELECT blob FROM blobs WHERE state = ? AND time_ms < ? ORDER BY time_ms LIMIT ?",
            (int(state), before_ms, most - len(due)),
        )
        due += [BlobId(bytes(row[0])) for row in rows]
    return tuple(due)


class BlobWrites:
    """Checks all conditions of a record before it writes."""

    def __init__(self, statements: Statements, caches: Caches) -> None:
        self._db = statements
        self._caches = caches

    async def begin(self, record: BeginBlob) -> Result:
        device = await self._caches.device(record.device)
        if device is None or not device.live:
            return Denied(Code.REVOKED if device else Code.UNKNOWN_DEVICE)
        row = await self._db.one(_ROW, (record.blob,))
        if row is not None:
            if (row[4], row[1], bytes(row[3])) != (device.account_no, record.size_bytes, record.sha256):
                return Denied(Code.BAD_FILE)
            if row[2] == BlobState.GOING:
                return Denied(Code.BUSY)
            return BlobBegun(whole=row[2] == BlobState.WHOLE)
        await self._db.run(
            "INSERT INTO blob_use (account_no, files, bytes) VALUES (?, 0, 0)"
            " ON CONFLICT (account_no) DO NOTHING",
            (device.account_no,),
        )
        has_room = await self._db.run(
            "UPDATE blob_use SET files = files + 1, bytes = bytes + ?"
            " WHERE account_no = ? AND files < ? AND bytes + ? <= ?",
            (
                record.size_bytes,
                device.account_no,
                limits.BLOBS_PER_ACCOUNT,
                record.size_bytes,
                limits.BLOB_BYTES_PER_ACCOUNT,
            ),
        )
        if not has_room:
            return Denied(Code.FILES_FULL)
        await self._db.run(
            "INSERT INTO blobs (blob, account_no, bytes, sha256, time_ms, state) VALUES (?, ?, ?, ?, ?, ?)",
            (
                record.blob,
                device.account_no,
                record.size_bytes,
                record.sha256,
                record.now_ms,
                int(BlobState.COMING),
            ),
        )
        return BlobBegun(whole=False)

    async def keep(self, record: KeepBlob) -> Result:
        device = await self._caches.device(record.device)
        if device is None or not device.live:
            return Denied(Code.REVOKED if device else Code.UNKNOWN_DEVICE)
        kept = await self._db.run(
            "UPDATE blobs SET state = ?, time_ms = ? WHERE blob = ? AND account_no = ? AND state <> ?",
            (int(BlobState.WHOLE), record.now_ms, record.blob, device.account_no, int(BlobState.GOING)),
        )
        return DONE if kept else Denied(Code.UNKNOWN_FILE)

    async def end(self, record: EndBlob) -> Result:
        row = await self._db.one(_ROW, (record.blob,))
        if row is None or (record.account is not None and bytes(row[0]) != record.account):
            return Denied(Code.UNKNOWN_FILE)
        if record.only is not None and row[2] != record.only:
            return Denied(Code.BUSY)
        await self._db.run("UPDATE blobs SET state = ? WHERE blob = ?", (int(BlobState.GOING), record.blob))
        return DONE

    async def forget(self, record: ForgetBlob) -> Result:
        row = await self._db.one(_ROW, (record.blob,))
        if row is None or row[2] != BlobState.GOING:
            return Denied(Code.UNKNOWN_FILE)
        await self._db.run("DELETE FROM blobs WHERE blob = ?", (record.blob,))
        await self._db.run(
            "UPDATE blob_use SET files = files - 1, bytes = bytes - ? WHERE account_no = ?", (row[1], row[4])
        )
        return DONE

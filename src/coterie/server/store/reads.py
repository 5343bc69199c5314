"""What commands, delivery and sequencer ask of the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from coterie.base import limits
from coterie.base.ids import (
    AccountId,
    BlobId,
    DeviceId,
    StreamId,
    UserName,
    conversation_of,
    log_of,
    mailbox_of,
)
from coterie.ledger.leaves import name_hash
from coterie.server.policy import dormant_before_ms
from coterie.server.store.accounts import DORMANT_AFTER, standing_keys
from coterie.server.store.blobs import BlobRow, blob_row, blobs_due
from coterie.server.store.caches import Caches
from coterie.server.store.logs import ENTRIES, ENTRY
from coterie.server.store.protocol import AccountRow, DeviceRow, LoginRow, Place, StoredHead
from coterie.server.store.records import Verifier
from coterie.server.store.results import GivenKeys
from coterie.server.store.statements import Statements
from coterie.wire.frames.connection import StreamEnd
from coterie.wire.frames.messages import LogEntry, MailboxEntry

_FILES_KEPT = "SELECT coalesce(sum(files), 0), coalesce(sum(bytes), 0) FROM blob_use"


class SqlReads:
    """The reading half of both stores."""

    def __init__(self, statements: Statements, caches: Caches) -> None:
        self._db = statements
        self._caches = caches

    async def name_taken(self, name: UserName) -> bool:
        either = (
            "SELECT 1 FROM accounts WHERE name = ? UNION ALL SELECT 1 FROM newest_leaves WHERE name_hash = ?"
        )
        return await self._db.one(either, (name, name_hash(name))) is not None

    async def salt(self, name: UserName) -> bytes | None:
        row = await self._db.one("SELECT salt FROM accounts WHERE name = ?", (name,))
        return bytes(row[0]) if row else None

    async def login(self, name: UserName) -> LoginRow | None:
        row = await self._db.one(
            "SELECT a.no, a.account, a.vault, m.signed FROM accounts a"
            " JOIN manifests m ON m.account_no = a.no AND m.seq = a.seq WHERE a.name = ?",
            (name,),
        )
        if row is None:
            return None
        resetting = await self._is_resetting(row[0])
        return LoginRow(AccountId(row[1]), row[2], await self._verifiers(row[0]), row[3], resetting)

    async def account(self, account: AccountId) -> AccountRow | None:
        row = await self._db.one(
            "SELECT a.no, a.name, a.seq, a.hash, a.leaf, m.signed, a.vault FROM accounts a"
            " JOIN manifests m ON m.account_no = a.no AND m.seq = a.seq WHERE a.account = ?",
            (account,),
        )
        if row is None:
            return None
        name, leaf = UserName(row[1] or ""), row[4]
        resetting = await self._is_resetting(row[0])
        if resetting:
            newest = "SELECT idx FROM newest_leaves WHERE name_hash = ?"
            leaf = await self._db.number(newest, (name_hash(name),))
        verifiers = await self._verifiers(row[0])
        return AccountRow(account, name, row[2], row[3], leaf, row[5], verifiers, row[6], resetting)

    async def resets_due(self, now_ms: int) -> bool:
        return await self._caches.next_reset_ms() <= now_ms

    async def deletions(self) -> tuple[bytes, ...]:
        return tuple(
            bytes(row[0]) for row in await self._db.all("SELECT signed FROM deletions ORDER BY account_no")
        )

    async def deletion(self, account: AccountId) -> bytes | None:
        row = await self._db.one(
            "SELECT d.signed FROM deletions d JOIN accounts a ON a.no = d.account_no WHERE a.account = ?",
            (account,),
        )
        return bytes(row[0]) if row else None

    async def succession(self, account: AccountId) -> bytes | None:
        row = await self._db.one(
            "SELECT s.signed FROM successions s JOIN accounts a ON a.no = s.account_no WHERE a.account = ?",
            (account,),
        )
        return bytes(row[0]) if row else None

    async def blob(self, blob: BlobId) -> BlobRow | None:
        return await blob_row(self._db, blob)

    async def blobs_due(self, now_ms: int, most: int, kept_longer_ms: int = 0) -> tuple[BlobId, ...]:
        return await blobs_due(self._db, now_ms, most, kept_longer_ms)

    async def device(self, device: DeviceId) -> DeviceRow | None:
        row = await self._db.one(
            "SELECT a.account, a.name, d.ed25519, d.revoked, d.run, d.run_nonce,"
            " EXISTS (SELECT 1 FROM deletions x WHERE x.account_no = a.no),"
            " coalesce((SELECT from_ms FROM resets r WHERE r.account_no = a.no AND r.state = 0), 0),"
            " EXISTS (SELECT 1 FROM successions s WHERE s.old_no = a.no)"
            " FROM devices d JOIN accounts a ON a.no = d.account_no WHERE d.device = ?",
            (device,),
        )
        if row is None:
            return None
        name = UserName(row[1] or "")
        return DeviceRow(
            device=device,
            account=AccountId(row[0]),
            name=name,
            ed25519=row[2],
            revoked=bool(row[3]),
            run=row[4],
            run_nonce=row[5],
            ended=bool(row[6]),
            waits_until_ms=row[7],
            succeeded=bool(row[8]),
        )

    async def manifests(
        self, account: AccountId, known_seq: int, ledger_size: int, most_bytes: int
    ) -> tuple[bytes, ...] | None:
        row = await self._db.one("SELECT no FROM accounts WHERE account = ?", (account,))
        if row is None:
            return None
        covered = "SELECT signed FROM manifests WHERE account_no = ? AND leaf < ?"
        if known_seq == 0:
            newest = await self._db.one(covered + " ORDER BY seq DESC LIMIT 1", (row[0], ledger_size))
            return (newest[0],) if newest else ()
        given: list[bytes] = []
        size = 0
        for (signed,) in await self._db.all(
            covered + " AND seq > ? ORDER BY seq", (row[0], ledger_size, known_seq)
        ):
            size += len(signed)
            if given and size > most_bytes:
                break
            given.append(signed)
        return tuple(given)

    async def standing_keys(self, account: AccountId) -> tuple[GivenKeys, ...]:
        rows = await self._db.all(
            "SELECT d.no, d.device FROM devices d JOIN accounts a ON a.no = d.account_no"
            " WHERE a.account = ? AND d.revoked = 0 ORDER BY d.no",
            (account,),
        )
        keys = [(row[1], await standing_keys(self._db, row[0])) for row in rows]
        return tuple(GivenKeys(DeviceId(device), b"", *standing) for device, standing in keys)

    async def one_time_keys_left(self, device: DeviceId, now_ms: int) -> int:
        return await self._db.number(
            "SELECT count(*) FROM one_time_keys k JOIN devices d ON d.no = k.device_no"
            " WHERE d.device = ? AND k.created_ms > ?",
            (device, now_ms - limits.PREKEY_MAX_AGE_MS),
        )

    async def stream_ends(self, device: DeviceId, most: int, now_ms: int = 0) -> tuple[StreamEnd, ...]:
        row = await self._db.one(
            "SELECT no, mailbox_acked, mailbox_end, x_wing_ms FROM devices WHERE device = ?", (device,)
        )
        if row is None:
            return ()
        dormant = row[3] <= dormant_before_ms(now_ms)
        skip_after = DORMANT_AFTER if dormant else "e.skip_after"
        skip_to = "c.log_end" if dormant else "e.skip_to"
        logs = await self._db.all(
            f"SELECT c.conversation, e.acked, c.log_end, {skip_after}, {skip_to} FROM entitled e"  # noqa: S608 - above
            " JOIN conversations c ON c.no = e.conversation_no WHERE e.device_no = :device"
            " ORDER BY e.acked >= c.log_end, c.no LIMIT :most",
            {"device": row[0], "most": most - 1, "since_ms": row[3] + limits.DORMANT_AFTER_MS},
        )
        ends = (StreamEnd(log_of(each[0]), *each[1:]) for each in logs)
        return (StreamEnd(mailbox_of(device), row[1], row[2]), *ends)

    async def ledger_size(self) -> int:
        return await self._db.number("SELECT max(idx) + 1 FROM leaves")

    async def files_kept(self) -> tuple[int, int]:
        row = await self._db.one(_FILES_KEPT)
        return (int(row[0]), int(row[1])) if row else (0, 0)

    async def mail_waiting(self) -> int:
        return await self._db.number("SELECT sum(mailbox_end - mailbox_acked) FROM devices WHERE revoked = 0")

    async def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        rows = await self._db.all(
            "SELECT leaf FROM leaves WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end)
        )
        return tuple(row[0] for row in rows)

    async def fact(self, name: str) -> bytes | None:
        row = await self._db.one("SELECT value FROM facts WHERE name = ?", (name,))
        return bytes(row[0]) if row else None

    async def statement(self) -> bytes | None:
        row = await self._db.one("SELECT signed FROM statements ORDER BY seq DESC LIMIT 1")
        return bytes(row[0]) if row else None

    async def head(self) -> StoredHead | None:
        row = await self._db.one("SELECT size, time_ms, signed FROM heads ORDER BY size DESC LIMIT 1")
        return StoredHead(row[0], row[1], row[2]) if row else None

    async def token_uses(self, mac: bytes, now_ms: int) -> int:
        return await self._db.number(
            "SELECT uses_left FROM tokens WHERE mac = ? AND expires_ms > ?", (mac, now_ms)
        )

    async def mailbox(
        self, device: DeviceId, after_seq: int, entries: int, most_bytes: int
    ) -> tuple[MailboxEntry, ...]:
        known = await self._caches.device(device)
        if known is None:
            return ()
        given: list[MailboxEntry] = []
        size = 0
        for seq, sender_no, envelope, time_ms, sealed in await self._db.all(
            "SELECT seq, sender_no, envelope, time_ms, sealed FROM mailbox_entries"
            " WHERE device_no = ? AND seq > ? ORDER BY seq LIMIT ?",
            (known.no, after_seq, entries),
        ):
            size += len(sealed)
            if given and size > most_bytes:
                break
            sender = await self._caches.device_no(sender_no)
            assert sender is not None, "devices are never deleted"
            given.append(MailboxEntry(seq, sender.account, sender.device, envelope, sealed, time_ms))
        return tuple(given)

    async def log(
        self, stream: StreamId, after_seq: int, entries: int, most_bytes: int
    ) -> tuple[LogEntry, ...]:
        known = await self._caches.conversation(conversation_of(stream))
        if known is None:
            return ()
        emptied = await self._db.number("SELECT emptied FROM conversations WHERE no = ?", (known.no,))
        after = max(after_seq, emptied)
        rows = await self._db.all(
            f"SELECT {ENTRY} FROM log_entries WHERE no IN {ENTRIES} ORDER BY no",  # noqa: S608 - constants
            {"conversation": known.no, "after": after, "upto": after + entries},
        )
        return await self._entries(rows, most_bytes)

    async def logs(
        self, places: Collection[Place], entries: int, most_bytes: int
    ) -> dict[Place, tuple[LogEntry, ...]]:
        return {place: await self.log(*place, entries, most_bytes) for place in places}

    async def _entries(self, rows: Iterable[Sequence[Any]], most_bytes: int) -> tuple[LogEntry, ...]:
        """rows: as ENTRY gives them. The first ones, as many as that holds, and one at least."""
        given: list[LogEntry] = []
        size = 0
        for seq, device_no, session, message, ciphertext, commitment, time_ms, mac in rows:
            size += len(ciphertext)
            if given and size > most_bytes:
                break
            sender = self._caches.device_at_hand(device_no) or await self._caches.device_no(device_no)
            assert sender is not None, "devices are never deleted"
            given.append(
                LogEntry(
                    seq, sender.account, sender.device, session, message, ciphertext, commitment, time_ms, mac
                )
            )
        return tuple(given)

    async def _is_resetting(self, account_no: int) -> bool:
        pending = "SELECT 1 FROM resets WHERE old_no = ? AND state = 0"
        return await self._db.one(pending, (account_no,)) is not None

    async def _verifiers(self, account_no: int) -> tuple[Verifier, ...]:
        rows = await self._db.all("SELECT id, mac FROM verifiers WHERE account_no = ?", (account_no,))
        return tuple(Verifier(row[0], row[1]) for row in rows)

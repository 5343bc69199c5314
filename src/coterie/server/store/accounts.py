"""Writing accounts: sign-up, manifests, devices, prekeys."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import AccountId
from coterie.ledger.manifest import PrekeyKind
from coterie.server.policy import dormant_before_ms
from coterie.server.store.caches import Caches, KnownDevice
from coterie.server.store.endings import cancel_reset
from coterie.server.store.ledger import LedgerWrites
from coterie.server.store.logs import LAST_BEFORE
from coterie.server.store.records import (
    ClaimKeys,
    KeptManifest,
    KeyToKeep,
    NewDevice,
    PutAccept,
    PutPrekeys,
    PutRun,
    Register,
    ReplaceManifest,
    Succeed,
    Verifier,
)
from coterie.server.store.results import DONE, Denied, GivenKeys, KeysClaimed, LeafAdded, Result
from coterie.server.store.statements import Statements

DORMANT_AFTER = (
    f"CASE WHEN e.skip_to > e.acked THEN e.skip_after ELSE max(e.acked, coalesce({LAST_BEFORE}, 0)) END"
)
"""SQL: behind which entry of a log the device of the row `e` of entitled was dormant, since :since_ms."""
ONE_TIME_KEYS_MAX = 2 * limits.ONE_TIME_KEYS

_WHAT_A_DEVICE_LEAVES = (
    "DELETE FROM entitled WHERE device_no = ?",
    "DELETE FROM mailbox_entries WHERE device_no = ?",
    "DELETE FROM one_time_keys WHERE device_no = ?",
    "DELETE FROM standing_keys WHERE device_no = ?",
)


class AccountWrites:
    """Records about accounts. Each checks all its conditions before it writes."""

    def __init__(self, statements: Statements, caches: Caches, ledger: LedgerWrites) -> None:
        self._db = statements
        self._caches = caches
        self._ledger = ledger

    async def register(self, record: Register) -> Result:
        known = await self._db.one(
            "SELECT first_hash, leaf FROM accounts WHERE account = ?", (record.account,)
        )
        if known is not None and known[0] == record.manifest.hash:
            return LeafAdded(known[1], b"")
        if record.token is not None and not await self._token_is_good(record.token, record.now_ms):
            return Denied(Code.SIGN_UP_CLOSED)
        has_name = await self._db.one("SELECT 1 FROM accounts WHERE name = ?", (record.name,))
        if has_name or not await self._ledger.follows(record.leaf):
            return Denied(Code.NAME_TAKEN)
        if known is not None or await self._device_taken((record.device,)):
            return Denied(Code.BAD_MANIFEST)
        if record.token is not None:
            await self._db.run("UPDATE tokens SET uses_left = uses_left - 1 WHERE mac = ?", (record.token,))
        index = await self._ledger.append(record.leaf)
        account_no = await self._put_account(record.account, record, record.name, index)
        await self._add_device(account_no, record.device, index, record.now_ms)
        self._caches.devices_changed()
        return LeafAdded(index, record.leaf.packed)

    async def replace_manifest(self, record: ReplaceManifest) -> Result:
        account = await self._db.one("SELECT no, hash FROM accounts WHERE account = ?", (record.account,))
        if account is None:
            return Denied(Code.UNKNOWN_PERSON)
        account_no = account[0]
        again = await self._db.one(
            "SELECT leaf FROM manifests WHERE account_no = ? AND seq = ? AND hash = ?",
            (account_no, record.manifest.seq, record.manifest.hash),
        )
        if again is not None:
            return LeafAdded(again[0], b"")
        if account[1] != record.previous or not await self._ledger.follows(record.leaf):
            return Denied(Code.STALE_MANIFEST)
        if await self._device_taken(record.added):
            return Denied(Code.BAD_MANIFEST)
        since_ms = record.now_ms - limits.DAY_MS
        today = "SELECT count(*), min(accepted_ms) FROM manifests WHERE account_no = ? AND accepted_ms > ?"
        count, first_ms = (await self._db.all(today, (account_no, since_ms)))[0]
        if count >= limits.MANIFESTS_PER_DAY:
            return Denied(Code.TOO_MANY_TRIES, retry_after_ms=max(1, first_ms - since_ms))
        index = await self._ledger.append(record.leaf)
        await self._db.run(
            "UPDATE accounts SET seq = ?, hash = ?, leaf = ? WHERE no = ?",
            (record.manifest.seq, record.manifest.hash, index, account_no),
        )
        if record.vault:
            await self._db.run(
                "UPDATE accounts SET vault = ?, salt = ? WHERE no = ?",
                (record.vault, record.salt, account_no),
            )
            await self._db.run("DELETE FROM verifiers WHERE account_no = ?", (account_no,))
            await self._put_verifiers(account_no, record.verifiers)
        await self._put_manifest(account_no, record.manifest, index, record.now_ms)
        await cancel_reset(self._db, account_no)
        for device in record.added:
            await self._add_device(account_no, device, index, record.now_ms)
        for revoked in record.revoked:
            known = await self._caches.device(revoked)
            if known is not None and known.live:
                await self._revoke(known)
        self._caches.devices_changed()
        return LeafAdded(index, record.leaf.packed, record.revoked)

    async def put_run(self, record: PutRun) -> Result:
        device = await self._caches.device(record.device)
        if device is None or not device.live:
            return Denied(Code.REVOKED if device else Code.UNKNOWN_DEVICE)
        changed = await self._db.run(
            "UPDATE devices SET run = ?, run_nonce = ? WHERE no = ?"
            " AND (run < ? OR (run = ? AND run_nonce = ?))",
            (record.run, record.nonce, device.no, record.run, record.run, record.nonce),
        )
        return DONE if changed else Denied(Code.RESTORED_PROFILE)

    async def put_prekeys(self, record: PutPrekeys) -> Result:
        device = await self._caches.device(record.device)
        if device is None or not device.live:
            return Denied(Code.REVOKED if device else Code.UNKNOWN_DEVICE)
        await self._drop_old_keys(device.no, record.now_ms)
        fresh = [
            key
            for key in record.keys
            if key.kind is PrekeyKind.ONE_TIME and not await self._key_known(device.no, key.id)
        ]
        have = await self._db.number("SELECT count(*) FROM one_time_keys WHERE device_no = ?", (device.no,))
        if have + len(fresh) > ONE_TIME_KEYS_MAX:
            return Denied(Code.TOO_LARGE)
        before_ms = await self._db.number("SELECT x_wing_ms FROM devices WHERE no = ?", (device.no,))
        await self._put_keys(device.no, record.keys, record.now_ms)
        if before_ms <= dormant_before_ms(record.now_ms):
            await self._skip_dormant_time(device.no, before_ms + limits.DORMANT_AFTER_MS)
            self._caches.devices_changed()
        return DONE

    async def _skip_dormant_time(self, device_no: int, since_ms: int) -> None:
        """What was said while a device was dormant was sealed without it: it is not handed that.

        It may still have to fetch what came before. Where it fell dormant twice without passing the first
        such part of a log, all from there on is skipped: that is over 30 days old, and kept no longer.
        """
        await self._db.run(
            f"UPDATE entitled AS e SET skip_after = {DORMANT_AFTER},"  # noqa: S608 - a constant
            " skip_to = (SELECT log_end FROM conversations c WHERE c.no = e.conversation_no)"
            " WHERE device_no = :device",
            {"device": device_no, "since_ms": since_ms},
        )

    async def claim(self, record: ClaimKeys) -> Result:
        given = []
        for account, device_id in record.devices:
            device = await self._caches.device(device_id)
            if device is None or not device.live or device.account != account:
                continue
            fallback, x_wing = await standing_keys(self._db, device.no)
            one_time = await self._claim_one(device.no, record.now_ms)
            left = await self._db.number(
                "SELECT count(*) FROM one_time_keys WHERE device_no = ?", (device.no,)
            )
            given.append(GivenKeys(device_id, one_time, fallback, x_wing, left))
        return KeysClaimed(tuple(given))

    async def put_accept(self, record: PutAccept) -> Result:
        numbers = [await self.account_no(each) for each in (record.account, record.other)]
        if None in numbers:
            return Denied(Code.UNKNOWN_PERSON)
        await self._db.run(
            "INSERT INTO accepts VALUES (?, ?) ON CONFLICT DO NOTHING", (numbers[0], numbers[1])
        )
        return DONE

    async def account_no(self, account: AccountId) -> int | None:
        row = await self._db.one("SELECT no FROM accounts WHERE account = ?", (account,))
        return int(row[0]) if row else None

    async def _token_is_good(self, mac: bytes, now_ms: int) -> bool:
        return bool(
            await self._db.one(
                "SELECT 1 FROM tokens WHERE mac = ? AND uses_left > 0 AND expires_ms > ?", (mac, now_ms)
            )
        )

    async def _device_taken(self, devices: tuple[NewDevice, ...]) -> bool:
        return any([await self._caches.device(each.device) is not None for each in devices])

    async def _put_account(
        self, account: AccountId, record: Register | Succeed, name: str | None, index: int
    ) -> int:
        """The account and its first manifest, whose leaf has this index; its number."""
        manifest = record.manifest
        account_no = await self._db.insert(
            "INSERT INTO accounts (account, name, seq, hash, first_hash, leaf, salt, vault)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                account,
                name,
                manifest.seq,
                manifest.hash,
                manifest.hash,
                index,
                record.salt,
                record.vault,
            ),
        )
        await self._put_verifiers(account_no, record.verifiers)
        await self._put_manifest(account_no, manifest, index, record.now_ms)
        return account_no

    async def _put_verifiers(self, account_no: int, verifiers: tuple[Verifier, ...]) -> None:
        rows = ((account_no, each.id, each.mac) for each in verifiers)
        await self._db.run_many("INSERT INTO verifiers VALUES (?, ?, ?)", rows)

    async def _put_manifest(self, account_no: int, manifest: KeptManifest, leaf: int, now_ms: int) -> None:
        await self._db.run(
            "INSERT INTO manifests VALUES (?, ?, ?, ?, ?, ?)",
            (account_no, manifest.seq, manifest.hash, leaf, now_ms, manifest.packed),
        )

    async def _add_device(self, account_no: int, device: NewDevice, leaf: int, now_ms: int) -> None:
        """It begins at the end of every log that it may read."""
        device_no = await self._db.insert(
            "INSERT INTO devices (device, account_no, ed25519, leaf) VALUES (?, ?, ?, ?)",
            (device.device, account_no, device.ed25519, leaf),
        )
        await self._db.run(
            "INSERT INTO entitled (conversation_no, device_no, from_seq, acked)"
            " SELECT no, CAST(? AS BIGINT), log_end, log_end FROM conversations"
            " WHERE one_no IS NULL OR one_no = ? OR other_no = ?",
            (device_no, account_no, account_no),
        )
        await self._put_keys(device_no, device.keys, now_ms)

    async def _revoke(self, device: KnownDevice) -> None:
        await self._db.run("UPDATE devices SET revoked = 1 WHERE no = ?", (device.no,))
        for delete in _WHAT_A_DEVICE_LEAVES:
            await self._db.run(delete, (device.no,))

    async def _put_keys(self, device_no: int, keys: tuple[KeyToKeep, ...], now_ms: int) -> None:
        for key in keys:
            if key.kind is PrekeyKind.ONE_TIME:
                if not await self._key_known(device_no, key.id):
                    row = (device_no, key.id, key.created_ms, key.signed)
                    await self._db.run("INSERT INTO one_time_keys VALUES (?, ?, ?, ?)", row)
                continue
            await self._db.run(
                "INSERT INTO standing_keys VALUES (?, ?, ?, ?) ON CONFLICT (device_no, kind) DO UPDATE"
                " SET created_ms = excluded.created_ms, signed = excluded.signed"
                " WHERE excluded.created_ms >= standing_keys.created_ms",
                (device_no, int(key.kind), key.created_ms, key.signed),
            )
            if key.kind is PrekeyKind.X_WING:
                created_ms = min(key.created_ms, now_ms)
                await self._db.run(
                    "UPDATE devices SET x_wing_ms = max(x_wing_ms, ?) WHERE no = ?", (created_ms, device_no)
                )

    async def _key_known(self, device_no: int, key_id: int) -> bool:
        row = await self._db.one(
            "SELECT 1 FROM one_time_keys WHERE device_no = ?1 AND id = ?2"
            " UNION ALL SELECT 1 FROM spent_keys WHERE device_no = ?1 AND id = ?2",
            (device_no, key_id),
        )
        return row is not None

    async def _claim_one(self, device_no: int, now_ms: int) -> bytes:
        """The oldest key that others would still take; keys too old for that go on the way."""
        await self._drop_old_keys(device_no, now_ms)
        rows = await self._db.all(
            "DELETE FROM one_time_keys WHERE device_no = ? AND id = (SELECT id FROM one_time_keys"  # noqa: S608 - a constant
            f" WHERE device_no = ? ORDER BY created_ms, id LIMIT 1{self._db.skip_locked})"
            " RETURNING id, signed",
            (device_no, device_no),
        )
        if not rows:
            return b""
        await self._db.run("INSERT INTO spent_keys VALUES (?, ?)", (device_no, rows[0][0]))
        return bytes(rows[0][1])

    async def _drop_old_keys(self, device_no: int, now_ms: int) -> None:
        """One-time keys that nobody would begin with any more: they make room for others."""
        too_old_ms = now_ms - limits.PREKEY_MAX_AGE_MS
        await self._db.run(
            "DELETE FROM one_time_keys WHERE device_no = ? AND created_ms <= ?", (device_no, too_old_ms)
        )


async def standing_keys(statements: Statements, device_no: int) -> tuple[bytes, bytes]:
    """Fallback and X-Wing prekey of a device, b"" for one that it has not."""
    rows = await statements.all("SELECT kind, signed FROM standing_keys WHERE device_no = ?", (device_no,))
    by_kind = {row[0]: bytes(row[1]) for row in rows}
    return by_kind.get(PrekeyKind.FALLBACK, b""), by_kind.get(PrekeyKind.X_WING, b"")

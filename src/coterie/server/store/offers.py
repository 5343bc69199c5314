"""Writing what people bring back to a server that was restored from a copy (docs/protocol.md 3.13).

The first leaf of a name in the ledger of this life is that of the newest manifest known then; whoever knows a
newer one brings that, and its leaf follows. A device that comes back has every log from where this life
began.
"""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.server.store.accounts import AccountWrites
from coterie.server.store.conversations import Undo
from coterie.server.store.endings import drop_account
from coterie.server.store.records import KeptManifest, NewLeaf, OfferedAccount, PutVault, TakeOffers
from coterie.server.store.results import DONE, Denied, LeavesAdded, Result


class OfferWrites(AccountWrites):
    """Each account by itself; what is denied of several changes nothing and is passed over."""

    async def take(self, record: TakeOffers) -> Result:
        leaves: list[tuple[int, bytes]] = []
        revoked: list[DeviceId] = []
        ended: list[DeviceId] = []
        for offer in record.offers:
            denied = await self._denied(offer)
            if denied is not None:
                if len(record.offers) == 1:
                    raise Undo(Denied(denied.code, ledger_size=await self._ledger.size()))
                continue
            number, has_leaf = await self._account(offer)
            await self._manifests(number, offer, record.now_ms)
            leaves += await self._leaves(number, offer, has_leaf=has_leaf)
            await self._devices(number, offer, record.now_ms)
            revoked += offer.revoked
            if offer.deletion:
                ended += await self._end(number, offer)
        self._caches.account_ended()
        return LeavesAdded(tuple(leaves), await self._ledger.size(), tuple(revoked), tuple(ended))

    async def put_vault(self, record: PutVault) -> Result:
        row = await self._db.one("SELECT no, hash FROM accounts WHERE account = ?", (record.account,))
        if row is None or row[1] != record.manifest:
            return Denied(Code.STALE_MANIFEST)
        await self._db.run(
            "UPDATE accounts SET vault = ?, salt = ? WHERE no = ?", (record.vault, record.salt, row[0])
        )
        await self._db.run("DELETE FROM verifiers WHERE account_no = ?", (row[0],))
        await self._put_verifiers(row[0], record.verifiers)
        return DONE

    async def _denied(self, offer: OfferedAccount) -> Denied | None:
        row = await self._db.one("SELECT hash, name FROM accounts WHERE account = ?", (offer.account,))
        if row is not None and row[1] is None:
            return Denied(Code.DELETED)
        if (row[0] if row else b"") != offer.base:
            return Denied(Code.STALE_MANIFEST)
        if row is None and await self._name_taken(offer.name):
            return Denied(Code.NAME_TAKEN)
        if any([await self._is_somebody_elses(each.device, offer.account) for each in offer.devices]):
            return Denied(Code.BAD_MANIFEST)
        return None

    async def _name_taken(self, name: UserName) -> bool:
        taken = (
            "SELECT 1 FROM accounts WHERE name = ? UNION ALL SELECT 1 FROM newest_leaves WHERE name_hash = ?"
        )
        return await self._db.one(taken, (name, name_hash(name))) is not None

    async def _is_somebody_elses(self, device: DeviceId, account: AccountId) -> bool:
        known = await self._caches.device(device)
        return known is not None and known.account != account

    async def _account(self, offer: OfferedAccount) -> tuple[int, bool]:
        """Its number, and whether it stands in this life's ledger."""
        row = await self._db.one("SELECT no, leaf FROM accounts WHERE account = ?", (offer.account,))
        if row is not None:
            return int(row[0]), row[1] >= 0
        newest = offer.manifests[-1]
        number = await self._db.insert(
            "INSERT INTO accounts (account, name, seq, hash, first_hash, leaf, salt, vault)"
            " VALUES (?, ?, ?, ?, ?, -1, ?, ?)",
            (offer.account, offer.name, newest.seq, newest.hash, offer.manifests[0].hash, offer.salt, b""),
        )
        return number, False

    async def _manifests(self, number: int, offer: OfferedAccount, now_ms: int) -> None:
        for manifest in offer.manifests:
            await self._put_manifest(number, manifest, -1, now_ms)
        if offer.manifests:
            newest = offer.manifests[-1]
            await self._db.run(
                "UPDATE accounts SET seq = ?, hash = ? WHERE no = ?", (newest.seq, newest.hash, number)
            )

    async def _leaves(self, number: int, offer: OfferedAccount, *, has_leaf: bool) -> list[tuple[int, bytes]]:
        """One for the newest manifest where there was none yet, else one for each that is new; or that of the
        deletion."""
        (seq, hash) = (await self._db.all("SELECT seq, hash FROM accounts WHERE no = ?", (number,)))[0]
        recorded = offer.manifests if has_leaf else (KeptManifest(seq, hash, b""),)
        if offer.deletion and not has_leaf:
            recorded = ()
        added = [await self._leaf(offer, LeafKind.MANIFEST, each.seq, each.hash, number) for each in recorded]
        if offer.deletion:
            hash, seq = offer.tombstone
            added.append(await self._leaf(offer, LeafKind.TOMBSTONE, seq, hash, number))
        return added

    async def _leaf(
        self, offer: OfferedAccount, kind: LeafKind, seq: int, hash: bytes, number: int
    ) -> tuple[int, bytes]:
        hashed = name_hash(offer.name)
        row = await self._db.one("SELECT idx FROM newest_leaves WHERE name_hash = ?", (hashed,))
        previous = row[0] if row else -1
        packed = Leaf(kind, hashed, offer.account, seq, hash, previous).pack()
        index = await self._ledger.append(NewLeaf(packed, hashed, previous))
        await self._db.run("UPDATE accounts SET leaf = ? WHERE no = ?", (index, number))
        await self._db.run(
            "UPDATE manifests SET leaf = ? WHERE account_no = ? AND seq = ?", (index, number, seq)
        )
        return index, packed

    async def _devices(self, number: int, offer: OfferedAccount, now_ms: int) -> None:
        """It may be that senders know the keys of one whose own have not come: it counts as awake."""
        leaf = await self._db.number("SELECT leaf FROM accounts WHERE no = ?", (number,))
        for device in offer.devices:
            if await self._caches.device(device.device) is None:
                await self._add_device(number, device, leaf, now_ms)
                device_no = await self._db.number("SELECT no FROM devices WHERE device = ?", (device.device,))
                await self._db.run("UPDATE devices SET x_wing_ms = ? WHERE no = ?", (now_ms, device_no))
                await self._db.run(
                    "UPDATE entitled AS e SET (from_seq, acked) ="
                    " (SELECT life_from, life_from FROM conversations c WHERE c.no = e.conversation_no)"
                    " WHERE device_no = ?",
                    (device_no,),
                )
                self._caches.devices_changed()
        for revoked in offer.revoked:
            known = await self._caches.device(revoked)
            if known is not None and known.live:
                await self._revoke(known)
                self._caches.devices_changed()

    async def _end(self, number: int, offer: OfferedAccount) -> list[DeviceId]:
        live = "SELECT device FROM devices WHERE account_no = ? AND revoked = 0"
        devices = [DeviceId(row[0]) for row in await self._db.all(live, (number,))]
        await drop_account(self._db, number)
        await self._db.run(
            "INSERT INTO deletions VALUES (?, ?, ?)", (number, name_hash(offer.name), offer.deletion)
        )
        return devices

"""What the core may ask about settings, the ledger, people and sessions. Messages: timeline.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, ConversationId, DeviceId, EnvelopeId, SessionId, StreamId, UserName
from coterie.client.store.at_hand import DEVICES_MAX, SESSIONS_MAX
from coterie.client.store.faults import DatabaseError, database_fault
from coterie.client.store.records import (
    AccountRow,
    EnvelopeOut,
    GroupInRow,
    GroupOutRow,
    KeptKey,
    OlmRow,
    OwnFreshKey,
    OwnXWing,
    PastSigned,
    PeerDevice,
    PeerFreshKey,
    PeerKeys,
    PositionRow,
    Setting,
    ShareRow,
    Standing,
    WaitingReason,
    WaitingRow,
)
from coterie.client.store.shelves import LEFT_OUT, Shelves
from coterie.client.store.tables import (
    DEVICE,
    ENVELOPE_OUT,
    KEPT_KEY,
    OWN_FRESH_KEY,
    OWN_X_WING,
    PAST,
    POSITION,
    SHARE,
    WAITING,
    R,
    Table,
)

Value = bytes | str | int

_ACCOUNT = """SELECT "account", "name", "seq", "manifest", "standing", "changed_ms", "deleted_ms", "from_ms",
    "changed_by" FROM account """
_LEAVES_PER_READ = 4096
_USED = """SELECT 1 FROM message WHERE "session_start" = substr(?1, 1, 8) AND "session" = ?1
    AND "session" <> x'' AND "index" = ?2 AND "device" = ?3"""
_UNPASSED = """SELECT count(*), coalesce(max("made_ms"), 0) FROM own_fresh_key
    WHERE "device" = ? AND "passed_ms" = 0"""


class Rows:
    """Questions to one open database; every fault comes out as coterie's own error."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._shelves = Shelves(database)

    def _rows(self, sql: str, *values: Value) -> list[Any]:
        """Any question: what waits on the shelves of the tables that it reads is written before."""
        try:
            self._shelves.write_out_for(sql)
            return self._database.execute(sql, values).fetchall()
        except DatabaseError as error:
            raise database_fault(error) from error

    def _beside(self, sql: str, *values: Value) -> list[Any]:
        """A question to tables whose rows never wait (shelves.py)."""
        try:
            return self._database.execute(sql, values).fetchall()
        except DatabaseError as error:
            raise database_fault(error) from error

    def _all(self, table: Table[R], where: str, *values: Value) -> list[R]:
        return [table.record(row) for row in self._rows(table.select + where, *values)]

    def _all_beside(self, table: Table[R], where: str, *values: Value) -> list[R]:
        return [table.record(row) for row in self._beside(table.select + where, *values)]

    def _one(self, table: Table[R], where: str, *values: Value) -> R | None:
        rows = self._rows(table.select + where, *values)
        return table.record(rows[0]) if rows else None


class PeopleReads(Rows):
    """Settings, leaves, accounts, their devices and keys."""

    def setting(self, key: Setting) -> bytes | None:
        row = self._shelves.settings.one(key)
        return row.value if row else None

    def leaves(self) -> Iterator[bytes]:
        """All leaves in order."""
        start = 0
        sql = 'SELECT "leaf" FROM leaf WHERE "position" >= ? ORDER BY "position" LIMIT ?'
        while rows := self._rows(sql, start, _LEAVES_PER_READ):
            yield from (row[0] for row in rows)
            start += len(rows)

    def old_leaves(self) -> list[bytes]:
        """All leaves of the ledger before, in order; none where the server was never restored."""
        return [row[0] for row in self._beside('SELECT "leaf" FROM old_leaf ORDER BY "position"')]

    def past(self, account: AccountId) -> list[PastSigned]:
        """What an account signed before its newest manifest, as far as it is kept, in order; and its end."""
        return self._all_beside(PAST, 'WHERE "account" = ? ORDER BY "seq"', account)

    def account(self, account: AccountId) -> AccountRow | None:
        return self._account_in(self._rows(_ACCOUNT + 'WHERE "account" = ?', account))

    def account_named(self, name: UserName) -> AccountRow | None:
        """The account that this name stands for: of those for which it did from some time on, the one
        that came last."""
        return self._account_in(
            self._rows(
                _ACCOUNT + 'WHERE "name" = ? AND "from_ms" = 0'
                ' ORDER BY "seq" DESC, "changed_ms" DESC, rowid LIMIT 1',
                name,
            )
        )

    def accounts(self) -> list[AccountRow]:
        """All, by name."""
        devices: dict[bytes, list[PeerDevice]] = {}
        for device in self._all(DEVICE, "ORDER BY rowid"):
            devices.setdefault(device.account, []).append(device)
        rows = self._rows(_ACCOUNT + 'ORDER BY "name", "seq", rowid')
        return [_account(row, devices.get(row[0], [])) for row in rows]

    def _account_in(self, rows: list[Any]) -> AccountRow | None:
        if not rows:
            return None
        return _account(rows[0], self._all(DEVICE, 'WHERE "account" = ? ORDER BY rowid', rows[0][0]))

    def device(self, device: DeviceId) -> PeerDevice | None:
        """Where two accounts list one id: as the account known for longer lists it."""
        where = 'WHERE "device" = ? ORDER BY (SELECT rowid FROM account WHERE account = peer_device.account)'
        return self._one(DEVICE, where, device)

    def live_devices(self) -> list[PeerDevice]:
        """Of every account, own ones included."""
        return self._all(DEVICE, 'WHERE "revoked_ms" = 0 ORDER BY "account", rowid')

    def peer_keys(self, device: DeviceId) -> PeerKeys | None:
        return self._shelves.peer_keys.one(device)

    def aged_accounts(self, before_ms: int) -> list[AccountId]:
        rows = self._beside(
            'SELECT DISTINCT d."account" FROM peer_device d LEFT JOIN peer_keys k ON k."device" = d."device"'
            ' WHERE d."revoked_ms" = 0 AND coalesce(k."x_wing_created_ms", 0) < ?'
            ' AND d."account" NOT IN (SELECT "account" FROM account WHERE "deleted_ms" > 0)'
            ' ORDER BY d."account"',
            before_ms,
        )
        return [AccountId(row[0]) for row in rows]

    def own_x_wing(self, id: int) -> OwnXWing | None:
        return self._one(OWN_X_WING, 'WHERE "id" = ?', id)

    def own_x_wings(self) -> list[OwnXWing]:
        """All that are kept, the newest first."""
        return self._all(OWN_X_WING, 'ORDER BY "id" DESC')

    def current_x_wing(self) -> OwnXWing | None:
        return self._one(OWN_X_WING, 'WHERE "replaced_ms" = 0 ORDER BY "id" DESC LIMIT 1')


class SessionReads(Rows):
    """Sessions, fresh keys, envelopes, what waits for a key, positions."""

    def own_fresh_key(self, id: int) -> OwnFreshKey | None:
        return next(iter(self._all_beside(OWN_FRESH_KEY, 'WHERE "id" = ?', id)), None)

    def newest_fresh_id(self) -> int:
        """The highest id of an own fresh key; 0 where there is none."""
        known = self._shelves.fresh
        if known.newest is None:
            known.newest = self._beside('SELECT coalesce(max("id"), 0) FROM own_fresh_key')[0][0]
        return known.newest

    def fresh_keys_unpassed(self, device: DeviceId) -> tuple[int, int]:
        """To how many own fresh keys this device may still seal, and when the newest was made (0: none)."""
        unpassed = self._shelves.fresh.unpassed
        if device not in unpassed:
            if len(unpassed) >= DEVICES_MAX:
                unpassed.clear()
            unpassed[device] = self._beside(_UNPASSED, device)[0]
        return unpassed[device]

    def peer_fresh_key(self, device: DeviceId) -> PeerFreshKey | None:
        return self._shelves.peer_fresh_keys.one(device)

    def olm_sessions(self, device: DeviceId) -> list[OlmRow]:
        """With a pickle; the one that last received first."""
        try:
            return list(self._shelves.olm.of(device))
        except DatabaseError as error:
            raise database_fault(error) from error

    def olm_known(self, session: bytes) -> bool:
        """Whether this session id was ever seen."""
        return bool(self._rows('SELECT 1 FROM olm WHERE "session" = ?', session))

    def group_out(self, conversation: ConversationId) -> GroupOutRow | None:
        return self._shelves.groups_out.one(conversation)

    def kept_key(self, session: SessionId) -> KeptKey | None:
        """The one with the lowest index."""
        first = self.kept_key_at(session, 0)
        return first or self._one(KEPT_KEY, 'WHERE "session" = ? ORDER BY "index" LIMIT 1', session)

    def kept_key_at(self, session: SessionId, index: int) -> KeptKey | None:
        """The one of exactly this index."""
        return self._shelves.kept_keys.one(session, index)

    def owed(self) -> list[ShareRow]:
        """Shares that were left out of a message, and whose key is still kept, oldest first."""
        where = (
            "WHERE \"state\" = 'left-out' AND EXISTS (SELECT 1 FROM kept_key"
            ' WHERE kept_key."session" = share."session" AND kept_key."index" = share."index")'
            ' AND EXISTS (SELECT 1 FROM message WHERE message."session_start" = substr(share."session", 1, 8)'
            ' AND message."session" = share."session"'
            ' AND message."session" <> x\'\' AND message."index" >= share."index") ORDER BY rowid'
        )
        nothing = self._shelves.nothing
        if LEFT_OUT in nothing:
            return []
        found = self._all(SHARE, where)
        if not found and not self._beside(LEFT_OUT):
            nothing.add(LEFT_OUT)
        return found

    def shares(self, session: SessionId) -> list[ShareRow]:
        return list(self._shelves.shares.of(session).values())

    def share_of(self, session: SessionId, device: DeviceId) -> ShareRow | None:
        return self._shelves.shares.of(session).get(device)

    def envelopes_out(self) -> list[EnvelopeOut]:
        """In the order in which they were sealed."""
        return self._all(ENVELOPE_OUT, "ORDER BY rowid")

    def group_in(
        self, conversation: ConversationId, account: AccountId, device: DeviceId, session: SessionId
    ) -> GroupInRow | None:
        return self._shelves.groups_in.one(session, device, conversation, account)

    def index_used(self, device: DeviceId, session: SessionId, index: int) -> bool:
        """Whether a message of that session with that index is in the store. Most come in order: whatever is
        above the highest index is not."""
        known = self._shelves.highest_index
        if (session, device) not in known:
            if len(known) >= SESSIONS_MAX:
                del known[next(iter(known))]
            try:
                known[session, device] = self._shelves.messages.highest_index(session, device)
            except DatabaseError as error:
                raise database_fault(error) from error
        if index > known[session, device]:
            return False
        return bool(self._rows(_USED, session, index, device))

    def envelope_seen(self, device: DeviceId, envelope: EnvelopeId) -> bool:
        sql = 'SELECT 1 FROM seen_envelope WHERE "device" = ? AND "envelope" = ?'
        return bool(self._beside(sql, device, envelope))

    def waiting_for_session(self, stream: StreamId, device: DeviceId, session: SessionId) -> list[WaitingRow]:
        """With reason no-key, in order."""
        where = 'WHERE "session" = ? AND "device" = ? AND "stream" = ? AND "reason" = ? ORDER BY "seq"'
        return self._all_beside(WAITING, where, session, device, stream, WaitingReason.NO_KEY)

    def waiting_for_account(self, account: AccountId) -> list[WaitingRow]:
        """With reason unknown-device, in order, mailbox first (its kind byte is the higher one)."""
        where = 'WHERE "account" = ? AND "reason" = ? ORDER BY "stream" DESC, "seq"'
        return self._all(WAITING, where, account, WaitingReason.UNKNOWN_DEVICE)

    def waiting(self) -> list[WaitingRow]:
        """All, oldest first."""
        nothing = self._shelves.nothing
        if WAITING.name in nothing:
            return []
        found = self._all(WAITING, 'ORDER BY "since_ms", rowid')
        if not found:
            nothing.add(WAITING.name)
        return found

    def waiting_count(self, stream: StreamId, device: DeviceId) -> int:
        """How many entries of a device in a stream cannot be opened yet."""
        sql = 'SELECT count(*) FROM waiting WHERE "stream" = ? AND "device" = ?'
        return int(self._beside(sql, stream, device)[0][0])

    def first_waiting_seq(self, stream: StreamId, since_ms: int) -> int:
        """The lowest seq of an entry that cannot be opened yet, and came since then; 0: there is none."""
        sql = 'SELECT coalesce(min("seq"), 0) FROM waiting WHERE "stream" = ? AND "since_ms" >= ?'
        return int(self._beside(sql, stream, since_ms)[0][0])

    def position(self, stream: StreamId) -> PositionRow | None:
        return self._shelves.positions.one(stream)

    def positions(self) -> list[PositionRow]:
        return self._all(POSITION, 'ORDER BY "stream"')


def _account(row: tuple[Any, ...], devices: list[PeerDevice]) -> AccountRow:
    account, name, seq, manifest, word, *times = row
    try:
        standing = Standing(word)
    except ValueError as error:
        raise Unavailable(Code.NEWER_SCHEMA, "the database holds values of a newer version") from error
    return AccountRow(account, name, seq, manifest, tuple(devices), standing, *times)

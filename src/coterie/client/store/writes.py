"""Records into rows: the only module that changes the store."""

from __future__ import annotations

from typing import assert_never

import apsw
from msgspec.structs import astuple

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.client.events import MessageState
from coterie.client.store.lives import begin_life
from coterie.client.store.records import (
    AccountRow,
    AwaitedRow,
    BecomeDevice,
    BeginLife,
    ConversationRow,
    Delivered,
    DeviceSince,
    DropAwaited,
    DropEnvelopeOut,
    DropGroupOut,
    DropOlm,
    DropPeerFreshKey,
    DropReceiptDue,
    DropReceived,
    DropSetting,
    DropWaiting,
    EnvelopeOut,
    GiveUp,
    GroupInRow,
    GroupOutRow,
    KeptKey,
    MessageAccepted,
    MessageRow,
    OlmRow,
    OutboxRow,
    OwnFreshKey,
    OwnXWing,
    PassFreshKeys,
    PastSigned,
    PeerFreshKey,
    PeerKeys,
    PositionRow,
    PruneFreshKeys,
    PruneGroupIn,
    PruneOutbox,
    PruneXWing,
    PutDraft,
    PutLeaves,
    PutSetting,
    ReadElsewhere,
    ReadTold,
    ReadUpTo,
    ReceiptDue,
    ReceiptRow,
    Record,
    RepairGiven,
    SeenEnvelope,
    Setting,
    ShareRow,
    TipRow,
    WaitingReason,
    WaitingRow,
)
from coterie.client.store.renewal import become_device
from coterie.client.store.shelves import Shelves
from coterie.client.store.tables import DEVICE, PUT, SETTING

_PUT_ACCOUNT = """INSERT INTO account
    ("account", "name", "seq", "manifest", "standing", "changed_ms", "deleted_ms", "from_ms", "changed_by")
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("account") DO UPDATE SET
    "name" = excluded."name", "seq" = excluded."seq", "manifest" = excluded."manifest",
    "standing" = excluded."standing", "changed_ms" = excluded."changed_ms",
    "deleted_ms" = excluded."deleted_ms", "from_ms" = excluded."from_ms",
    "changed_by" = excluded."changed_by" """
_PASS_FRESH_KEYS = """UPDATE own_fresh_key SET "passed_ms" = ?
    WHERE "device" = ? AND "passed_ms" = 0 AND "id" < ?"""
_UNSURE = """UPDATE message SET "state" = ? WHERE "order" IN
    (SELECT "order" FROM outbox WHERE "order" = ? AND "state" = 'sealed')"""
_NEVER_SENT = """DELETE FROM message WHERE "order" IN
    (SELECT "order" FROM outbox WHERE "order" = ? AND "state" = 'waiting')"""
_READ_UP_TO = 'UPDATE conversation SET "read_order" = max("read_order", ?) WHERE "id" = ?'
_READ_ELSEWHERE = """UPDATE conversation
    SET "read_seq" = max("read_seq", ?1), "told_seq" = max("told_seq", ?1) WHERE "id" = ?2"""
_READ_TOLD = 'UPDATE conversation SET "told_seq" = max("told_seq", ?) WHERE "id" = ?'
_PRUNE_RECEIPTS = """DELETE FROM receipt WHERE "session" NOT IN (SELECT "session" FROM group_out)
    AND "session" NOT IN (SELECT message."session" FROM outbox JOIN message USING ("order"))"""
_PRUNE_KEPT = """DELETE FROM kept_key WHERE "session" NOT IN
    (SELECT message."session" FROM outbox JOIN message USING ("order") WHERE message."session" <> x'')
    AND ("since_ms" < ?1 OR (
        "session" NOT IN (SELECT "session" FROM group_out)
        AND "session" NOT IN (SELECT "session" FROM share WHERE "state" = 'pending')
        AND "session" NOT IN (SELECT "session" FROM share WHERE "state" = 'left-out' AND EXISTS
            (SELECT 1 FROM message WHERE message."session_start" = substr(share."session", 1, 8)
                AND message."session" = share."session" AND message."session" <> x''
                AND message."index" >= share."index"))))"""
_PRUNE_GROUP_IN = """UPDATE group_in SET "pickle" = x'' WHERE "begun_seq" > 0 AND "pickle" <> x''
    AND EXISTS (SELECT 1 FROM group_in AS later WHERE later."conversation" = group_in."conversation"
        AND later."account" = group_in."account" AND later."device" = group_in."device"
        AND later."begun_seq" > group_in."begun_seq" AND later."begun_ms" <= ?)
    AND NOT EXISTS (SELECT 1 FROM waiting WHERE waiting."session" = group_in."session"
        AND waiting."device" = group_in."device" AND waiting."reason" = ?)"""
_PRUNE_X_WING = 'DELETE FROM own_x_wing WHERE "replaced_ms" BETWEEN 1 AND ?'
_DROP_AWAITED = """DELETE FROM awaited
    WHERE "conversation" = ? AND "device" = ? AND "message" = ? AND "first_n" = ?"""
_PUT_DRAFT = 'UPDATE conversation SET "draft" = ? WHERE "id" = ?'


def write(shelves: Shelves, record: Record) -> None:  # noqa: C901 - one case for each way of writing
    """Carry out one record inside the open transaction. What every message and receipt writes stands first:
    each case before the one that fits is looked at.

    Raises what apsw raises, and LocalError where a change or a run of leaves has nothing to stand on.
    """
    match record:
        case MessageRow():
            shelves.put_message(record)
        case TipRow():
            shelves.put_tip(record)
        case OutboxRow():
            shelves.outbox.put(record)
        case PositionRow():
            shelves.positions.put(record)
        case ReceiptRow():
            shelves.receipts.put(record)
        case Delivered() | DropReceived():
            _receipted(shelves, record)
        case DropReceiptDue():
            _drop(shelves.database, record)
        case OlmRow():
            shelves.olm.put(record)
        case GroupInRow():
            shelves.groups_in.put(record)
        case ShareRow():
            shelves.put_share(record)
        case GroupOutRow():
            shelves.put_group_out(record)
        case ConversationRow():
            shelves.put_conversation(record)
        case PutSetting():
            shelves.settings.put(record)
        case WaitingRow():
            shelves.put_waiting(record)
        case OwnFreshKey():
            shelves.fresh.put(record)
        case KeptKey():
            shelves.kept_keys.put(record)
        case PeerKeys():
            shelves.peer_keys.put(record)
        case PeerFreshKey():
            shelves.peer_fresh_keys.put(record)
        case (
            SeenEnvelope()
            | EnvelopeOut()
            | OwnXWing()
            | ReceiptDue()
            | AwaitedRow()
            | RepairGiven()
            | DeviceSince()
            | PastSigned()
        ):
            shelves.database.execute(PUT[type(record)], astuple(record))
        case PassFreshKeys() | PruneFreshKeys() | DropPeerFreshKey():
            _fresh_keys(shelves, record)
        case MessageAccepted():
            shelves.accepted(record)
            _must_have_changed(shelves.database, record)
        case DropEnvelopeOut() | DropWaiting() | DropOlm() | DropAwaited():
            _drop(shelves.database, record)
            if isinstance(record, DropOlm):
                shelves.olm.forget()
        case PruneXWing(before_ms):
            shelves.database.execute(_PRUNE_X_WING, (before_ms,))
        case _:
            _write_past(shelves, record)


def _write_past(
    shelves: Shelves,
    record: ReadUpTo
    | ReadElsewhere
    | ReadTold
    | PutDraft
    | AccountRow
    | PutLeaves
    | PruneOutbox
    | GiveUp
    | PruneGroupIn
    | BecomeDevice
    | BeginLife
    | DropSetting
    | DropGroupOut,
) -> None:
    """What changes rows that may be at hand: they are written before, and read again afterwards."""
    shelves.write_out()
    if isinstance(record, PruneOutbox | GiveUp | BecomeDevice | BeginLife):
        shelves.outbox.delete()
    if isinstance(record, GiveUp | BecomeDevice):
        shelves.forget()
    else:
        shelves.look_again()
    database = shelves.database
    match record:
        case ReadUpTo() | ReadElsewhere() | ReadTold() | PutDraft():
            _change(database, record)
        case AccountRow():
            _put_account(database, record)
        case PutLeaves():
            _put_leaves(database, record)
        case PruneOutbox():
            database.execute(
                'DELETE FROM outbox WHERE "state" = \'sent\' AND "since_ms" < ?', (record.before_ms,)
            )
            database.execute(_PRUNE_KEPT, (record.before_ms,))
            database.execute(_PRUNE_RECEIPTS)
            database.execute('DELETE FROM past WHERE "since_ms" < ?', (record.before_ms,))
        case GiveUp(order):
            database.execute(_UNSURE, (MessageState.UNSURE, order))
            database.execute(_NEVER_SENT, (order,))
            database.execute('DELETE FROM outbox WHERE "order" = ?', (order,))
        case PruneGroupIn(before_ms):
            database.execute(_PRUNE_GROUP_IN, (before_ms, WaitingReason.NO_KEY))
        case BecomeDevice():
            become_device(database, record)
        case BeginLife():
            begin_life(database, record)
        case DropSetting() | DropGroupOut():
            _drop(database, record)
        case _:
            assert_never(record)


def _receipted(shelves: Shelves, record: Delivered | DropReceived) -> None:
    match record:
        case Delivered():
            shelves.delivered.put(record)
        case DropReceived():
            shelves.outbox.let_go(record)
        case _:
            assert_never(record)


def _fresh_keys(shelves: Shelves, record: PassFreshKeys | PruneFreshKeys | DropPeerFreshKey) -> None:
    database = shelves.database
    match record:
        case PassFreshKeys(device, id, now_ms):
            database.execute(_PASS_FRESH_KEYS, (now_ms, device, id))
            shelves.fresh.unpassed.clear()
        case PruneFreshKeys(before_ms):
            sql = 'DELETE FROM own_fresh_key WHERE "passed_ms" <> 0 AND "passed_ms" < ?'
            database.execute(sql, (before_ms,))
            shelves.fresh.forget()
        case DropPeerFreshKey(device):
            database.execute('UPDATE peer_fresh_key SET "key" = x\'\' WHERE "device" = ?', (device,))
            shelves.peer_fresh_keys.drop(device)
        case _:
            assert_never(record)


def _change(database: apsw.Connection, record: ReadUpTo | ReadElsewhere | ReadTold | PutDraft) -> None:
    """Change one row that must be there."""
    match record:
        case ReadUpTo(conversation, order):
            database.execute(_READ_UP_TO, (order, conversation))
        case ReadElsewhere(conversation, seq):
            database.execute(_READ_ELSEWHERE, (seq, conversation))
        case ReadTold(conversation, seq):
            database.execute(_READ_TOLD, (seq, conversation))
        case PutDraft(conversation, draft):
            database.execute(_PUT_DRAFT, (draft, conversation))
        case _:
            assert_never(record)
    _must_have_changed(database, record)


def _must_have_changed(
    database: apsw.Connection, record: MessageAccepted | ReadUpTo | ReadElsewhere | ReadTold | PutDraft
) -> None:
    if database.changes() != 1:
        raise LocalError(Code.USAGE, f"{type(record).__name__} of a row that is not in the store")


def _put_account(database: apsw.Connection, record: AccountRow) -> None:
    """Replace the account and all its devices, which come to stand in the order of the record."""
    stands = (record.standing, record.changed_ms, record.deleted_ms, record.from_ms, record.changed_by)
    database.execute(_PUT_ACCOUNT, (record.account, record.name, record.seq, record.manifest, *stands))
    database.execute('DELETE FROM peer_device WHERE "account" = ?', (record.account,))
    database.executemany(DEVICE.put, [astuple(device) for device in record.devices])


def _put_leaves(database: apsw.Connection, record: PutLeaves) -> None:
    """The ledger ends with these leaves then; what stood from their start on goes."""
    count = database.execute('SELECT coalesce(max("position") + 1, 0) FROM leaf').fetchall()[0][0]
    if not isinstance(count, int) or not 0 <= record.start <= count:
        raise LocalError(Code.USAGE, "leaves that leave a gap")
    database.execute('DELETE FROM leaf WHERE "position" >= ?', (record.start,))
    database.executemany("INSERT INTO leaf VALUES (?, ?)", enumerate(record.leaves, record.start))
    database.execute(SETTING.put, (Setting.HEAD, record.head))


def _drop(
    database: apsw.Connection,
    record: DropSetting
    | DropOlm
    | DropGroupOut
    | DropEnvelopeOut
    | DropWaiting
    | DropReceiptDue
    | DropAwaited,
) -> None:
    match record:
        case DropSetting(key):
            database.execute('DELETE FROM setting WHERE "key" = ?', (key,))
        case DropOlm(session):
            database.execute('UPDATE olm SET "pickle" = x\'\' WHERE "session" = ?', (session,))
        case DropGroupOut(conversation):
            database.execute("DELETE FROM group_out WHERE ?1 = x'' OR \"conversation\" = ?1", (conversation,))
        case DropEnvelopeOut(envelope):
            database.execute('DELETE FROM envelope_out WHERE "envelope" = ?', (envelope,))
        case DropReceiptDue(session, device):
            sql = 'DELETE FROM receipt_due WHERE "session" = ? AND "device" = ?'
            database.execute(sql, (session, device))
        case DropAwaited(conversation, device, message, first_n):
            database.execute(_DROP_AWAITED, (conversation, device, message, first_n))
        case DropWaiting(stream, seq):
            database.execute('DELETE FROM waiting WHERE "stream" = ? AND "seq" = ?', (stream, seq))
        case _:
            assert_never(record)

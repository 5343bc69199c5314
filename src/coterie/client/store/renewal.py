"""A copied store becomes that of a new device: what was the old device's alone goes (encryption rule 28)."""

from __future__ import annotations

from typing import Final

import apsw

from coterie.client.events import MessageState
from coterie.client.store.records import BecomeDevice, OutboxState, Setting

_OF_THE_DEVICE: Final = (
    "own_x_wing",
    "own_fresh_key",
    "peer_fresh_key",
    "group_out",
    "share",
    "kept_key",
    "envelope_out",
    "position",
    "receipt",
    "receipt_due",
    "waiting",
    "awaited",
    "repair_given",
)
_COUNT_ANEW: Final = 'UPDATE tip SET "first_n" = 0, "held" = 0, "named_n" = 0, "told" = 0, "anew_from" = 0'
_OWN_TIPS: Final = """INSERT INTO tip
    SELECT c."id", m."device", c."out_n", c."out_hash", m."order", 0, 0, 0, 0, 0 FROM conversation c
    JOIN message m ON m."conversation" = c."id" AND m."device" = ?1 AND m."message" = c."out_message"
    WHERE true ON CONFLICT ("conversation", "device") DO UPDATE SET
    "n" = excluded."n", "hash" = excluded."hash", "order" = excluded."order" """
_UNSURE: Final = """UPDATE message SET "state" = ?1 WHERE "order" IN
    (SELECT "order" FROM outbox WHERE "state" <> ?2 AND "order" < ?3)"""
_SURE: Final = """UPDATE message SET "device" = ?1 WHERE "order" IN
    (SELECT "order" FROM outbox WHERE "state" = ?2 AND "order" >= ?3)"""
_NO_MORE_TO_SEND: Final = 'DELETE FROM outbox WHERE "state" <> ?1 OR "order" < ?2'


def become_device(database: apsw.Connection, record: BecomeDevice) -> None:
    """Carry out the record. What others sent before the new device came is before its time, also what
    waited here to be opened: nobody gives it a key of that. Ids of Olm sessions stay known; sessions by which
    others' messages open stay."""
    for table in _OF_THE_DEVICE:
        database.execute(f'DELETE FROM "{table}"')  # noqa: S608 - all names stand above
    database.execute("UPDATE olm SET \"pickle\" = x''")
    database.execute(_COUNT_ANEW)
    database.execute(_OWN_TIPS, (record.before,))
    database.execute('UPDATE conversation SET "out_n" = 0, "out_hash" = x\'\', "out_message" = x\'\'')
    database.execute(_UNSURE, (MessageState.UNSURE, OutboxState.SENT, record.sure_from))
    database.execute(_SURE, (record.device, OutboxState.WAITING, record.sure_from))
    database.execute(_NO_MORE_TO_SEND, (OutboxState.WAITING, record.sure_from))
    for key in (Setting.RUN, Setting.PENDING_PREKEYS, Setting.RESTORED):
        database.execute('DELETE FROM setting WHERE "key" = ?', (key,))

"""The server's data has begun another life: what of this store speaks of the one before (decision 0039)."""

from __future__ import annotations

from typing import Final

import apsw

from coterie.base.ids import LOG_KIND
from coterie.client.store.records import NEVER_MS, BeginLife, OutboxState, Setting

_OTHER_LEDGER: Final = (
    "DELETE FROM old_leaf",
    "INSERT INTO old_leaf SELECT * FROM leaf",
    "DELETE FROM leaf",
)
_HEAD: Final = """INSERT INTO setting SELECT ?1, "value" FROM setting WHERE "key" = ?2
    ON CONFLICT ("key") DO UPDATE SET "value" = excluded."value" """
_READ: Final = """UPDATE conversation SET "read_seq" = 0, "told_seq" = 0, "read_order" = max("read_order",
    coalesce((SELECT max(m."order") FROM message m WHERE m."conversation" = conversation."id"
        AND m."own" = 0 AND m."seq" BETWEEN 1 AND conversation."read_seq"), 0))"""
_AWAITED: Final = """UPDATE awaited SET "seq" = coalesce((SELECT -w.rowid FROM waiting w
    WHERE substr(w."stream", 1, 1) = ? AND substr(w."stream", 2) = awaited."conversation"
    AND w."seq" = awaited."seq"), 0) WHERE "seq" <> 0"""
_NUMBERS: Final = (
    'UPDATE waiting SET "seq" = -rowid',
    _READ,
    'UPDATE message SET "seq" = 0 WHERE "seq" <> 0',
    'UPDATE group_in SET "begun_seq" = 1 WHERE "begun_seq" > 0',
    'UPDATE tip SET "anew_from" = 0',
)
"""What waits here keeps its place under a number that no stream has; which sessions came before which is
known of those to come only."""
_SEND_AGAIN: Final = """UPDATE outbox SET "state" = ?1 WHERE "state" = ?2 AND "since_ms" >= ?3
    AND "ciphertext" <> x''"""
_NOT_THERE: Final = """UPDATE outbox SET "state" = ?1 WHERE "state" = ?2 AND "conversation" = ?3
    AND EXISTS (SELECT 1 FROM message m WHERE m."order" = outbox."order" AND m."state" <> 'queued')"""
_IN_ORDER: Final = """UPDATE outbox SET "previous" = coalesce((SELECT o."message" FROM outbox o
    WHERE o."conversation" = outbox."conversation" AND o."state" = ?1 AND o."order" < outbox."order"
    ORDER BY o."order" DESC LIMIT 1), x'') WHERE "state" = ?1"""
_LAST: Final = """UPDATE conversation SET "out_message" = coalesce((SELECT o."message" FROM outbox o
    WHERE o."conversation" = conversation."id" AND o."state" = ?1 ORDER BY o."order" DESC LIMIT 1), x'')"""
_OLM: Final = 'UPDATE olm SET "former" = 1 WHERE "former" = 0'
_RESETS: Final = 'UPDATE account SET "from_ms" = ?1 WHERE "from_ms" BETWEEN 1 AND ?1 - 1'


def begin_life(database: apsw.Connection, record: BeginLife) -> None:
    """Carry out the record. The first message to each conversation names none before it: the server may not
    know that one. A reset under way is void: the server has forgotten it, or its cancellation."""
    if database.execute("SELECT 1 FROM leaf LIMIT 1").fetchall():
        for change in _OTHER_LEDGER:
            database.execute(change)
        database.execute(_HEAD, (Setting.OLD_HEAD, Setting.HEAD))
    database.execute('DELETE FROM setting WHERE "key" = ?', (Setting.HEAD,))
    database.execute(_AWAITED, (LOG_KIND,))
    for change in _NUMBERS:
        database.execute(change)
    database.execute(_SEND_AGAIN, (OutboxState.SEALED, OutboxState.SENT, record.sent_since_ms))
    for conversation in record.ended:
        database.execute(_NOT_THERE, (OutboxState.SENT, OutboxState.SEALED, conversation))
    database.execute(_IN_ORDER, (OutboxState.SEALED,))
    database.execute(_LAST, (OutboxState.SEALED,))
    database.execute(_RESETS, (NEVER_MS,))
    database.execute(_OLM)

"""Tables that hold one record type each, column by field: the SQL that writes them and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from itertools import chain
from typing import Any, Final, Generic, TypeVar

import apsw
import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.store.records import (
    AwaitedRow,
    ConversationRow,
    DeviceSince,
    EnvelopeOut,
    GroupInRow,
    GroupOutRow,
    KeptKey,
    MessageRow,
    OlmRow,
    OutboxRow,
    OwnFreshKey,
    OwnXWing,
    PastSigned,
    PeerDevice,
    PeerFreshKey,
    PeerKeys,
    PositionRow,
    PutSetting,
    ReceiptDue,
    ReceiptRow,
    RepairGiven,
    SeenEnvelope,
    ShareRow,
    TipRow,
    WaitingRow,
)

R = TypeVar("R", bound=msgspec.Struct)
ROWS_AT_ONCE: Final = 16
"""Records of one statement, where many are written: for each statement apsw goes through all of its text, and
SQLite keeps a copy of each page that it touches, in case that it fails half way."""


class Table(Generic[R]):
    """put: SQL to insert or replace one record by its key, with msgspec.structs.astuple(record) as values.
    A replaced row keeps its rowid, so its place in the order of arrival. put_many: the same of ROWS_AT_ONCE
    records, with their values one after the other. select: SQL to read all columns. told: SQL for a column
    that is not read as it was written."""

    def __init__(self, record: type[R], name: str, *key: str, **told: str) -> None:
        self.kind = record
        self.name = name
        self.key = key
        fields = record.__struct_fields__
        columns = ", ".join(f'"{field}"' for field in fields)
        marks = f"({', '.join('?' * len(fields))})"
        many = ", ".join([marks] * ROWS_AT_ONCE)
        keys = ", ".join(f'"{field}"' for field in key)
        changes = ", ".join(f'"{field}" = excluded."{field}"' for field in fields if field not in key)
        conflict = f"UPDATE SET {changes}" if changes else "NOTHING"
        into, known = f'INTO "{name}" ({columns}) VALUES', f"ON CONFLICT ({keys}) DO {conflict}"
        self.put = f"INSERT {into} {marks} {known}"
        self.put_many = f"INSERT {into} {many} {known}"
        read = ", ".join(told.get(field, f'"{field}"') for field in fields)
        self.select = f'SELECT {read} FROM "{name}" '  # noqa: S608 - all names stand in this project
        self._make: Callable[..., R] = record
        self._typed = [
            (place, field.type)
            for place, field in enumerate(msgspec.structs.fields(record))
            if isinstance(field.type, type) and issubclass(field.type, (Enum, bool))
        ]

    def write(self, database: apsw.Connection, records: Iterable[R]) -> None:
        """Insert or replace records, in order. Raises what apsw raises."""
        rows = list(map(msgspec.structs.astuple, records))
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        for start in range(0, whole, ROWS_AT_ONCE):
            values = tuple(chain.from_iterable(rows[start : start + ROWS_AT_ONCE]))
            database.execute(self.put_many, values)
        if len(rows) == whole + 1:
            database.execute(self.put, rows[whole])
        else:
            database.executemany(self.put, rows[whole:])

    def record(self, row: tuple[Any, ...]) -> R:
        """The record that stands in a row of `select`.

        Raises Unavailable(newer-schema) for a value of an enum that this version does not know.
        """
        if not self._typed:
            return self._make(*row)
        values = list(row)
        try:
            for place, kind in self._typed:
                values[place] = kind(values[place])
        except ValueError as error:
            raise Unavailable(Code.NEWER_SCHEMA, "the database holds values of a newer version") from error
        return self._make(*values)


_STATE = """CASE WHEN "state" = 'sent' AND "own" = 1 AND EXISTS (SELECT 1 FROM delivered
    WHERE delivered."session" = message."session" AND message."index" BETWEEN delivered."first_index"
    AND delivered."up_to") THEN 'delivered' ELSE "state" END"""
"""A receipt writes one row, not those of all messages that it is about."""

SETTING = Table(PutSetting, "setting", "key")
DEVICE = Table(PeerDevice, "peer_device", "account", "device")
PEER_KEYS = Table(PeerKeys, "peer_keys", "device")
OWN_X_WING = Table(OwnXWing, "own_x_wing", "id")
OWN_FRESH_KEY = Table(OwnFreshKey, "own_fresh_key", "id")
PEER_FRESH_KEY = Table(PeerFreshKey, "peer_fresh_key", "device")
OLM = Table(OlmRow, "olm", "session")
GROUP_OUT = Table(GroupOutRow, "group_out", "conversation")
SHARE = Table(ShareRow, "share", "session", "device")
KEPT_KEY = Table(KeptKey, "kept_key", "session", "index")
ENVELOPE_OUT = Table(EnvelopeOut, "envelope_out", "envelope")
GROUP_IN = Table(GroupInRow, "group_in", "session", "device", "conversation", "account")
SEEN_ENVELOPE = Table(SeenEnvelope, "seen_envelope", "device", "envelope")
WAITING = Table(WaitingRow, "waiting", "stream", "seq")
CONVERSATION = Table(ConversationRow, "conversation", "id")
TIP = Table(TipRow, "tip", "conversation", "device")
MESSAGE = Table(MessageRow, "message", "order", state=_STATE)
OUTBOX = Table(OutboxRow, "outbox", "order")
RECEIPT = Table(ReceiptRow, "receipt", "session", "device")
RECEIPT_DUE = Table(ReceiptDue, "receipt_due", "session", "device")
AWAITED = Table(AwaitedRow, "awaited", "conversation", "device", "message", "first_n")
REPAIR_GIVEN = Table(RepairGiven, "repair_given", "device", "order", "times")
DEVICE_SINCE = Table(DeviceSince, "device_since", "account", "device", "ledger")
POSITION = Table(PositionRow, "position", "stream")
PAST = Table(PastSigned, "past", "account", "seq")

PUT: dict[type[msgspec.Struct], str] = {
    PutSetting: SETTING.put,
    PeerKeys: PEER_KEYS.put,
    OwnXWing: OWN_X_WING.put,
    OwnFreshKey: OWN_FRESH_KEY.put,
    PeerFreshKey: PEER_FRESH_KEY.put,
    OlmRow: OLM.put,
    GroupOutRow: GROUP_OUT.put,
    ShareRow: SHARE.put,
    KeptKey: KEPT_KEY.put,
    EnvelopeOut: ENVELOPE_OUT.put,
    GroupInRow: GROUP_IN.put,
    SeenEnvelope: SEEN_ENVELOPE.put,
    WaitingRow: WAITING.put,
    ConversationRow: CONVERSATION.put,
    TipRow: TIP.put,
    MessageRow: MESSAGE.put,
    OutboxRow: OUTBOX.put,
    PositionRow: POSITION.put,
    ReceiptRow: RECEIPT.put,
    ReceiptDue: RECEIPT_DUE.put,
    AwaitedRow: AWAITED.put,
    RepairGiven: REPAIR_GIVEN.put,
    DeviceSince: DEVICE_SINCE.put,
    PastSigned: PAST.put,
}
"""By record type: what writing a record as it stands takes."""

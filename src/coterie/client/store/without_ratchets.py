"""A copy of a store that can never seal or open with what the original uses on (encryption rule 28).

Whoever opens it becomes a device of its own at the first connection: nothing in it says otherwise, whatever a
server says. What was read and written is all there.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import apsw

from coterie.client.store.database import run
from coterie.client.store.faults import DatabaseError, database_fault
from coterie.client.store.records import Setting

PICKLE_ROOT_BYTES: Final = 32
_RATCHETS: Final = (
    "own_x_wing",
    "own_fresh_key",
    "peer_fresh_key",
    "group_out",
    "group_in",
    "share",
    "kept_key",
    "envelope_out",
    "waiting",
    "position",
    "receipt",
    "receipt_due",
    "awaited",
    "repair_given",
)
"""Tables of keys, and of what only makes sense beside them."""
OF_ONE_DEVICE: Final = (
    Setting.DEVICE_PICKLE,
    Setting.NEXT_PREKEY_ID,
    Setting.FALLBACK_MADE_MS,
    Setting.FALLBACK_KEY,
    Setting.TOPPED_UP_MS,
    Setting.PENDING_PREKEYS,
    Setting.RUN,
    Setting.CLEAN_STOP,
)


def copy_without_ratchets(database: apsw.Connection, target: Path) -> None:
    """Write what an open store holds into an empty file, under the same key. No transaction may be open;
    takes about a second for 100 MB. Raises Unavailable(disk)."""
    try:
        run(database, "VACUUM INTO ?", (str(target),))
        run(database, "ATTACH ? AS copy", (str(target),))
        try:
            _take_out(database)
        finally:
            run(database, "DETACH copy")
    except DatabaseError as error:
        raise database_fault(error) from error


def _take_out(database: apsw.Connection) -> None:
    run(database, "PRAGMA copy.journal_mode = memory; PRAGMA copy.secure_delete = on")
    run(database, "BEGIN IMMEDIATE")
    try:
        for table in _RATCHETS:
            run(database, f'DELETE FROM copy."{table}"')  # noqa: S608 - all names stand above
        run(database, "UPDATE copy.olm SET \"pickle\" = x''")
        for key in OF_ONE_DEVICE:
            run(database, 'DELETE FROM copy.setting WHERE "key" = ?', (key,))
        for key, value in fresh_settings():
            run(database, "INSERT OR REPLACE INTO copy.setting VALUES (?, ?)", (key, value))
        run(database, "COMMIT")
    except BaseException:
        if database.in_transaction:
            run(database, "ROLLBACK")
        raise


def fresh_settings() -> tuple[tuple[Setting, bytes], ...]:
    """What stands in every such copy."""
    return (Setting.PICKLE_ROOT, secrets.token_bytes(PICKLE_ROOT_BYTES)), (Setting.RESTORED, b"1")

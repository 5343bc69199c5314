"""The encrypted store of one profile: transactions around records, and every read of the core."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import LocalError, Unavailable
from coterie.client.store.database import discard_database, known_steps, open_database
from coterie.client.store.faults import WHAT_HELPS, DatabaseError, database_fault
from coterie.client.store.health import HealthReads
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.reads import PeopleReads, SessionReads
from coterie.client.store.records import Record
from coterie.client.store.repairs import RepairReads
from coterie.client.store.timeline import TimelineReads
from coterie.client.store.without_ratchets import copy_without_ratchets
from coterie.client.store.words import TEXTS_AT_ONCE
from coterie.client.store.writes import write

_HOLDINGS = """SELECT (SELECT count(*) FROM message WHERE "shown" = 1), (SELECT count(*) FROM conversation),
    (SELECT count(*) FROM account)"""


class Holdings(msgspec.Struct, frozen=True):
    """How much a store holds."""

    messages: int
    conversations: int
    people: int


class ClientStore(PeopleReads, SessionReads, TimelineReads, RepairReads, HealthReads):
    """begin, apply as often as needed, commit or rollback. What is committed is on the disk.

    Reads in between see what was applied. Raises Unavailable(disk) where file or disk fail and LocalError
    where a record does not fit (a second message under one id), the latter with the next read or the commit
    at the latest; after either only rollback or close make sense.
    """

    @classmethod
    def open(cls, place: ProfilePlace, database_key: bytes) -> Self:
        """The database of a profile. database_key: 32 bytes (keys.py).

        Before the profile has its key file it is made anew: what an earlier try left there has no key. After
        that it must be there. Raises Unavailable: disk, damaged (also a wrong key), newer-schema,
        profile-in-use.
        """
        new = not place.key_file.exists()
        if new:
            discard_database(place.database)
        return cls(open_database(place.database, database_key, known_steps(), new=new))

    def begin(self) -> None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except DatabaseError as error:
            raise database_fault(error) from error

    def apply(self, records: Iterable[Record]) -> None:
        """Write records, in order, into the open transaction."""
        if not self._database.in_transaction:
            raise LocalError(Code.USAGE, "records are applied inside a transaction")
        try:
            for record in records:
                write(self._shelves, record)
        except DatabaseError as error:
            raise database_fault(error) from error

    def commit(self) -> None:
        """Put the transaction on the disk. Where that fails, it is rolled back: nothing of it is kept."""
        try:
            self._shelves.write_out()
            if self._shelves.orders.outside > TEXTS_AT_ONCE:
                self._shelves.orders.index()
            self._database.execute("COMMIT")
        except DatabaseError as error:
            self.rollback()
            raise database_fault(error) from error

    def rollback(self) -> None:
        """End the transaction under way, if there is one, and forget what it applied."""
        self._shelves.forget()
        try:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
        except DatabaseError as error:
            raise database_fault(error) from error

    def copy_to(self, target: Path) -> None:
        """Write what is committed into an empty file, but for what only this device may use
        (without_ratchets.py). Outside a transaction. Raises Unavailable(disk, damaged)."""
        copy_without_ratchets(self._database, target)

    def looked_through(self) -> Holdings:
        """How much is here, after a look at every page and row. Raises Unavailable(damaged)."""
        if self._rows("PRAGMA integrity_check(1)") != [("ok",)]:
            raise Unavailable(Code.DAMAGED, f"the database is damaged: {WHAT_HELPS}")
        counts = msgspec.convert(self._rows(_HOLDINGS), list[tuple[int, int, int]])
        return Holdings(*counts[0])

    def close(self) -> None:
        """Roll back what is open, write the log into the file, let go of it. A second time does nothing."""
        try:
            self._database.close()
        except DatabaseError as error:
            raise database_fault(error) from error

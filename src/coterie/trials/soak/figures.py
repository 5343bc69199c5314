"""What a soak came to: totals, faults, and what the server itself has of who was entitled to what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Self

import apsw
import msgspec

from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.trials.talk_check import Written
from coterie.trials.talk_records import Fault, FaultKind

ENTITLED = """SELECT d.device, c.conversation, e.from_seq FROM entitled e
    JOIN devices d ON d.no = e.device_no JOIN conversations c ON c.no = e.conversation_no"""
DOUBLED = "SELECT message FROM log_entries GROUP BY conversation_no, message HAVING count(*) > 1"
_BAD = ("ERROR ", "CRITICAL ")
_PASSING = (
    "no space is left on the disk of the database: nothing was lost",
    "the database cannot be reached",
    "the database cannot be used",
    "the database takes no changes",
    "the database was lost for a moment",
    "whether the database has committed is not known",
)
"""What a server says of a database that the trial has broken."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """messages: typed. deliveries: times that a device was told of a message. devices: added to accounts that
    were there. days: that passed. From lost on: faults; all have to be 0.

    failures: orders that a client could not carry out. errors: records of level error, in any process.
    """

    messages: int
    deliveries: int
    sign_ups: int
    devices: int
    exhaustions: int
    days: int
    lost: int
    doubled: int
    reordered: int
    unreadable: int
    altered: int
    unsent: int
    misstated: int
    miscounted: int
    failures: int
    errors: int

    @classmethod
    def counted(
        cls,
        faults: tuple[Fault, ...],
        *,
        messages: int,
        deliveries: int,
        sign_ups: int,
        devices: int,
        exhaustions: int,
        days: int,
        failures: int,
        errors: int,
    ) -> Self:
        kinds = Counter(fault.kind for fault in faults)
        return cls(
            messages=messages,
            deliveries=deliveries,
            sign_ups=sign_ups,
            devices=devices,
            exhaustions=exhaustions,
            days=days,
            lost=kinds[FaultKind.LOST],
            doubled=kinds[FaultKind.DOUBLED],
            reordered=kinds[FaultKind.REORDERED],
            unreadable=kinds[FaultKind.UNREADABLE],
            altered=kinds[FaultKind.ALTERED],
            unsent=kinds[FaultKind.UNSENT],
            misstated=kinds[FaultKind.MISSTATED],
            miscounted=kinds[FaultKind.MISCOUNTED],
            failures=failures,
            errors=errors,
        )


class SoakResult(msgspec.Struct, frozen=True):
    """failures and errors: in words, without texts and secrets."""

    figures: Figures
    faults: tuple[Fault, ...]
    failures: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        return not (self.faults or self.failures or self.errors)


def written_of(database: Path) -> Written:
    """database: of a stopped server."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        rows: list[Any] = connection.execute(ENTITLED).fetchall()
        doubled: list[Any] = connection.execute(DOUBLED).fetchall()
    finally:
        connection.close()
    entitled = {(DeviceId(device), ConversationId(conversation)): seq for device, conversation, seq in rows}
    return Written(entitled, tuple(MessageId(message) for (message,) in doubled))


def logged_errors(log: Path) -> tuple[str, ...]:
    """Records of level error in a server's log: each is a bug, but for word of its database."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(
        line for line in lines if line.startswith(_BAD) and not any(word in line for word in _PASSING)
    )

"""What asyncpg raises, in the words of coterie's error tree; its own texts may quote SQL and stay out."""

from __future__ import annotations

import asyncpg

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, LocalError, Unavailable
from coterie.server.store.protocol import StoreLost

FAULTS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    EOFError,
    TimeoutError,
)
"""Everything that the way to a database may raise."""

_OF_A_STATEMENT = ("22", "23", "42")
"""SQLSTATE classes: data, a constraint, syntax and names."""
_AGAIN = ("40001", "40P01")
_FULL = ("53100", "53400")
_READ_ONLY = "25006"
_DAMAGED = ("XX001", "XX002")
"""Data, an index."""


def is_of_one_record(error: BaseException) -> bool:
    """Whether the database is well and a statement was wrong: a bug of ours."""
    return isinstance(error, asyncpg.PostgresError) and str(error.sqlstate)[:2] in _OF_A_STATEMENT


def is_damage(error: BaseException) -> bool:
    """Whether a page of the database is not what was written there."""
    return isinstance(error, asyncpg.PostgresError) and str(error.sqlstate) in _DAMAGED


def is_passing(error: BaseException) -> bool:
    """Whether the database rolled back because two writers stood in each other's way."""
    return isinstance(error, asyncpg.PostgresError) and error.sqlstate in _AGAIN


def database_fault(error: BaseException) -> CoterieError:
    """As `database.database_fault` says it of SQLite."""
    kind = type(error).__name__
    if is_of_one_record(error):
        return LocalError(Code.USAGE, f"the store was used wrongly ({kind})")
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
    if state in _FULL:
        return Unavailable(Code.DISK, "no space is left on the disk of the database")
    if state == _READ_ONLY:
        return Unavailable(Code.DISK, "the database takes no changes: it is a standby")
    return Unavailable(Code.DISK, f"the database cannot be used ({kind})")


def writing_fault(error: BaseException, *, lost: bool) -> CoterieError:
    """As database_fault(), of what a writer met. lost: its line went with it."""
    fault = database_fault(error)
    return StoreLost(fault.code, fault.note) if lost and isinstance(fault, Unavailable) else fault


def unknown_outcome(error: BaseException | None) -> StoreLost:
    """A commit that nobody confirmed. It may hold or not: nothing of it is acknowledged, and whoever wanted
    it asks again."""
    kind = "a warning" if error is None else type(error).__name__
    return StoreLost(Code.DISK, f"whether the database has committed is not known ({kind})")

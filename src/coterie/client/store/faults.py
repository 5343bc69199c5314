"""What the database and the file system raise, in the words of coterie's error tree.

Their own texts never go into a note: they may quote SQL, and the key stands in SQL once.
"""

from __future__ import annotations

import errno

import apsw

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, LocalError, Unavailable

DatabaseError = (apsw.Error, ValueError, OverflowError, TypeError)
"""Everything that a call of apsw raises: values that do not fit a column come as Python's own errors."""

WHAT_HELPS = "coterie rescue saves what can be read"

_OUR_BUGS = (
    apsw.BindingsError,
    apsw.ConnectionClosedError,
    apsw.ConstraintError,
    apsw.MismatchError,
    apsw.MisuseError,
    apsw.RangeError,
    apsw.SQLError,
    apsw.ThreadingViolationError,
    apsw.TooBigError,
)


def database_fault(error: Exception) -> CoterieError:
    """Unavailable where disk or file are at fault, LocalError where a record or a call is."""
    kind = type(error).__name__
    if isinstance(error, (apsw.BusyError, apsw.LockedError)):
        return Unavailable(Code.PROFILE_IN_USE, "another process has the database open")
    if isinstance(error, (apsw.NotADBError, apsw.CorruptError)):
        return Unavailable(Code.DAMAGED, f"the database is damaged, or of another key: {WHAT_HELPS}")
    if isinstance(error, apsw.FullError):
        return Unavailable(Code.DISK, "no space is left on the disk of the database: nothing was lost")
    if isinstance(error, (apsw.ReadOnlyError, apsw.PermissionsError, apsw.CantOpenError)):
        return Unavailable(Code.DISK, "the database is missing, or its disk is write-protected")
    if isinstance(error, apsw.IOError):
        return Unavailable(Code.DISK, "the disk of the database does not read or write")
    if isinstance(error, _OUR_BUGS) or not isinstance(error, apsw.Error):
        return LocalError(Code.USAGE, f"the store was used wrongly ({kind})")
    return Unavailable(Code.DISK, f"the database cannot be used ({kind})")


def file_fault(error: OSError, what: str) -> Unavailable:
    """what: which file, in words, without its path."""
    reason = errno.errorcode.get(error.errno or 0, "unknown error")
    return Unavailable(Code.DISK, f"{what} cannot be used ({reason})")

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
    if isinstance(error, apsw.NotADBError):
        return Unavailable(Code.DISK, "the database is damaged or was made with another key")
    if isinstance(error, apsw.FullError):
        return Unavailable(Code.DISK, "no space is left for the database")
    if isinstance(error, _OUR_BUGS) or not isinstance(error, apsw.Error):
        return LocalError(Code.USAGE, f"the store was used wrongly ({kind})")
    return Unavailable(Code.DISK, f"the database cannot be used ({kind})")


def file_fault(error: OSError, what: str) -> Unavailable:
    """what: which file, in words, without its path."""
    reason = errno.errorcode.get(error.errno or 0, "unknown error")
    return Unavailable(Code.DISK, f"{what} cannot be used ({reason})")

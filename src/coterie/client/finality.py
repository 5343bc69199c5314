"""Errors after which connecting again is of no use, and errors as they are told to who asked."""

from __future__ import annotations

import logging

from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Refused, RemoteError, SecurityStop, Unavailable

log = logging.getLogger("coterie.client.runtime")

FINAL = frozenset(
    {
        Code.REVOKED,
        Code.DELETED,
        Code.COPIED_PROFILE,
        Code.RESTORED_PROFILE,
        Code.TOO_MANY_DEVICES,
        Code.UNKNOWN_DEVICE,
        Code.NAME_TAKEN,
        Code.VERSION,
    }
)
"""Refusals that no retry mends."""


def is_final(error: CoterieError | None) -> bool:
    """Whether connecting again is of no use: a store that is damaged stays so, and is written to no more."""
    match error:
        case SecurityStop() | Unavailable(code=Code.DAMAGED):
            return True
        case Refused(code=code):
            return code in FINAL
        case _:
            return False


def why_hung_up(error: Exception) -> CoterieError:
    """With what a connection ends whose frame could not be handled; of a bug of ours the log alone hears."""
    match error:
        case SecurityStop():
            log.error("security stop: %s", error)
        case CoterieError():
            log.warning("the connection is closed: %s", error)
        case _:
            log.error("a frame could not be handled", exc_info=error)
            return RemoteError(Code.BAD_FRAME)
    return error


def without_frames(error: Exception) -> Exception:
    """An error for who asked: what the frames of the turn hold, private keys too, is nobody's to keep."""
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)

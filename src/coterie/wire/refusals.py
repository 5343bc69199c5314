"""What a server may refuse with; any other code from a server is a broken protocol."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused, RemoteError
from coterie.wire.frames.shared import Refusal

SERVER_CODES = frozenset(
    {
        Code.NAME_TAKEN,
        Code.BAD_NAME,
        Code.WRONG_CREDENTIALS,
        Code.RESET_PENDING,
        Code.SIGN_UP_CLOSED,
        Code.TOO_MANY_TRIES,
        Code.UNKNOWN_PERSON,
        Code.UNKNOWN_DEVICE,
        Code.REVOKED,
        Code.DELETED,
        Code.SUCCEEDED,
        Code.COPIED_PROFILE,
        Code.RESTORED_PROFILE,
        Code.STALE_MANIFEST,
        Code.BAD_MANIFEST,
        Code.TOO_MANY_DEVICES,
        Code.STALE_VIEW,
        Code.OUT_OF_ORDER,
        Code.NOT_A_MEMBER,
        Code.MAILBOX_FULL,
        Code.BAD_PREKEY,
        Code.SPEAKERS_ONLY,
        Code.TOO_LARGE,
        Code.BUSY,
        Code.UNKNOWN_FILE,
        Code.BAD_FILE,
        Code.FILES_FULL,
        Code.LOW_DISK,
        Code.BAD_FRAME,
        Code.BAD_SUITE,
        Code.UNEXPECTED_FRAME,
        Code.VERSION,
        Code.NOT_SIGNED_IN,
        Code.SLOW_READER,
        Code.DISK,
    }
)


def code_of(refusal: Refusal) -> Code:
    """The code as a Code; RemoteError(bad-frame) where no server may say it."""
    try:
        code = Code(refusal.code)
    except ValueError:
        raise RemoteError(Code.BAD_FRAME, "unknown refusal") from None
    if code not in SERVER_CODES:
        raise RemoteError(Code.BAD_FRAME, "not a server's refusal")
    return code


def refused(refusal: Refusal) -> Refused:
    """The refusal as the error that a caller sees."""
    return Refused(code_of(refusal), retry_after_seconds=refusal.retry_after_ms / 1000)

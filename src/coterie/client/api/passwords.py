"""How good a password is, by zxcvbn, and what is too weak to be taken."""

from __future__ import annotations

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.limits import PASSWORD_BYTES

LEAST_SCORE = 2
"""Below this a password is refused as weak."""
WRAPPING_SCORE = 4
"""What wrapping the account by one's own password demands (encryption rule 6)."""
JUDGED_CHARACTERS = 72
"""More of a password is not judged: zxcvbn's time grows fast with length."""


class Strength(msgspec.Struct, frozen=True):
    """score: 0 to 4 as zxcvbn says; bits: of guesses; warning: a sentence, or empty."""

    score: int
    bits: float
    warning: str


def strength(password: str, name: str = "") -> Strength:
    """Judge a password for an account of this name."""
    from math import log2

    from zxcvbn import zxcvbn

    if not password:
        return Strength(0, 0.0, "")
    judged = zxcvbn(password[:JUDGED_CHARACTERS], user_inputs=[name, "coterie"] if name else ["coterie"])
    warning = judged["feedback"]["warning"] or ""
    return Strength(int(judged["score"]), log2(float(judged["guesses"]) or 1.0), str(warning))


def check_password(password: str, name: str, *, wrapping: bool) -> None:
    """Raises Refused: weak-password, too-large, empty."""
    if not password:
        raise Refused(Code.EMPTY, "no password")
    if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES:
        raise Refused(Code.TOO_LARGE, "a password of this length is not taken")
    least = WRAPPING_SCORE if wrapping else LEAST_SCORE
    if strength(password, name).score < least:
        raise Refused(Code.WEAK_PASSWORD)

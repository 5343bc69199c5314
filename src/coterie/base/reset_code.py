"""What an operator gives to somebody who has lost everything, to begin their name anew (rule 2)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.quiet import Quiet

TOKEN_BYTES = 16
_SEQ_BYTES = 8
_HASH_BYTES = 32
_BYTES = TOKEN_BYTES + _SEQ_BYTES + _HASH_BYTES


class ResetCode(Quiet, frozen=True):
    """token: good once; seq and previous: of the newest manifest of the account before, which the new one's
    first manifest follows."""

    token: bytes
    seq: int
    previous: bytes

    @property
    def words(self) -> str:
        """Hex in groups of eight."""
        packed = self.token + self.seq.to_bytes(_SEQ_BYTES, "big") + self.previous
        text = packed.hex()
        return "-".join(text[at : at + 8] for at in range(0, len(text), 8))


def parse_reset_code(typed: str) -> ResetCode:
    """Raises Refused(usage) for what is none."""
    try:
        packed = bytes.fromhex("".join(typed.replace("-", " ").split()))
    except ValueError:
        packed = b""
    if len(packed) != _BYTES:
        raise Refused(Code.USAGE, "not a reset code")
    seq = int.from_bytes(packed[TOKEN_BYTES : TOKEN_BYTES + _SEQ_BYTES], "big")
    if not 0 < seq < 1 << 62:
        raise Refused(Code.USAGE, "not a reset code")
    return ResetCode(packed[:TOKEN_BYTES], seq, packed[TOKEN_BYTES + _SEQ_BYTES :])

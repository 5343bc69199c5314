"""The code that a new device shows, and that is given to a device of the account instead of comparing emoji.

It holds 16 random bytes and the beginning of a hash of what the new device asks. Whoever has the code knows
whose keys these are, by the hash; the new device knows that it hears from one to whom its code was shown, by
what only the random bytes can make. docs/protocol.md 5.8; docs/decisions/0030.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from typing import Final

from coterie.base.codes import Code
from coterie.base.domains import Domain, digest
from coterie.base.errors import SealBroken
from coterie.base.quiet import Quiet
from coterie.e2ee.derive import derive_key

VERSION: Final = 1
SECRET_BYTES: Final = 16
HASH_BYTES: Final = 16
CHECK_BYTES: Final = 2
CODE_BYTES: Final = 1 + SECRET_BYTES + HASH_BYTES + CHECK_BYTES
GROUP: Final = 4
_SHOWN = re.compile(r"[A-Z2-7]{56}")


class ApprovalCode(Quiet, frozen=True):
    """secret: of this request, 16 bytes; hash: of its first message, 16 bytes."""

    secret: bytes
    hash: bytes

    @classmethod
    def of(cls, secret: bytes, request: bytes) -> ApprovalCode:
        """The code that belongs to a request."""
        return cls(secret, _hash(request))

    @property
    def rendezvous(self) -> bytes:
        """Where the two meet on the server: 16 bytes, which say nothing about the secret."""
        return rendezvous_of(self.secret)

    @property
    def text(self) -> str:
        """56 letters and digits in groups of four; letters and digits that a QR code holds well."""
        known = bytes((VERSION,)) + self.secret + self.hash
        shown = base64.b32encode(known + _check(known)).decode("ascii")
        return "-".join(shown[at : at + GROUP] for at in range(0, len(shown), GROUP))

    @classmethod
    def from_text(cls, text: str) -> ApprovalCode:
        """Spaces, dashes and the case of letters do not matter.

        Raises SealBroken for anything else, with code version for a code of a newer coterie.
        """
        plain = re.sub(r"[\s-]", "", text).upper()
        if not _SHOWN.fullmatch(plain):
            raise SealBroken("not a code of a device that wants to join")
        data = base64.b32decode(plain)
        known, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
        if not hmac.compare_digest(_check(known), check):
            raise SealBroken("a code with a mistake in it")
        if known[0] != VERSION:
            raise SealBroken("a code of a newer coterie", Code.VERSION)
        return cls(known[1 : 1 + SECRET_BYTES], known[1 + SECRET_BYTES :])

    def check_request(self, request: bytes) -> None:
        """Raises SealBroken where it is not the one that this code was shown for."""
        if not hmac.compare_digest(_hash(request), self.hash):
            raise SealBroken("a request other than the one whose code was given")


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def rendezvous_of(secret: bytes) -> bytes:
    return derive_key(secret, Domain.APPROVAL_CODE, b"rendezvous")[:16]


def proof_of(secret: bytes, transcript: bytes) -> bytes:
    """32 bytes that only who has the code can make for an exchange."""
    return derive_key(secret, Domain.APPROVAL_CODE, b"proof", transcript)


def _hash(request: bytes) -> bytes:
    return digest(Domain.APPROVAL_CODE, request)[:HASH_BYTES]


def _check(known: bytes) -> bytes:
    return digest(Domain.APPROVAL_CODE, b"check", known)[:CHECK_BYTES]

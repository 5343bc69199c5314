"""What two people compare to know that nobody stands between them (encryption rule 22).

The model is Signal's: a number of 60 digits to read out, and a QR code with both fingerprints to scan, which
is compared the other way round. Signal makes its number slow to look for, as the halves are cut short (5200
rounds of SHA-512 for 30 digits each). Here an account id is a whole SHA-256 of both identity keys, and the
number is cut once, out of a digest of both ids together. Somebody in between has to find two accounts of
their own that show both sides one number: a collision in 199 bits, 2^99 tries, and every try takes new keys.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, digest
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId

DIGITS: Final = 60
GROUP: Final = 5
_CODE = re.compile(r"COTERIE:([0-9]{1,4}):([0-9A-F]{64}):([0-9A-F]{64})", re.ASCII)
_VERSION: Final = 1


def safety_number(one: AccountId, other: AccountId) -> str:
    """60 digits in 12 groups of five, the same on both sides."""
    number = int.from_bytes(digest(Domain.SAFETY_NUMBER, *sorted((one, other))), "big")
    digits = str(number % 10**DIGITS).zfill(DIGITS)
    return " ".join(digits[start : start + GROUP] for start in range(0, DIGITS, GROUP))


def as_number(text: str) -> str | None:
    """A safety number as somebody types or pastes it, in groups of five; None where it is none."""
    digits = "".join(text.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    return " ".join(digits[start : start + GROUP] for start in range(0, DIGITS, GROUP))


class SafetyCode(msgspec.Struct, frozen=True):
    """What a QR code holds. shower: the account on whose screen it is; scanner: whom it is shown to."""

    shower: AccountId
    scanner: AccountId

    @property
    def text(self) -> str:
        """139 characters of those that a QR code packs densely."""
        return f"COTERIE:{_VERSION}:{self.shower.hex()}:{self.scanner.hex()}".upper()

    @classmethod
    def from_text(cls, text: str) -> SafetyCode:
        """Raises SealBroken for anything else, with code version where a newer coterie made it."""
        found = _CODE.fullmatch("".join(text.split()).upper())
        if found is None:
            raise SealBroken("not the text of a safety code")
        version, shower, scanner = found.groups()
        if int(version) != _VERSION:
            raise SealBroken("a safety code of another version", Code.VERSION)
        return cls(AccountId(bytes.fromhex(shower)), AccountId(bytes.fromhex(scanner)))

"""What two people compare to know that nobody stands between them (encryption rule 22)."""

from __future__ import annotations

from coterie.base.ids import AccountId

DIGITS = 30
"""Per account: 10^30 is 99.6 bits of the id, which is a SHA-256 of both identity keys."""
GROUP = 5


def safety_number(one: AccountId, other: AccountId) -> str:
    """60 digits in 12 groups of five, the same on both sides: 30 of each account, the lower id first."""
    digits = "".join(
        str(int.from_bytes(account, "big") % 10**DIGITS).zfill(DIGITS) for account in sorted((one, other))
    )
    return " ".join(digits[start : start + GROUP] for start in range(0, len(digits), GROUP))

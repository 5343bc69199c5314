"""What the ledger supports of an identity that follows another under one name."""

from __future__ import annotations

from enum import StrEnum


class ChangedBy(StrEnum):
    """Whose word it was."""

    RESET = "reset"
    """The operator's: no device of before agreed."""
    DEVICE = "device"
    """That of a device that was there before, and of the identity before."""
    RECOVERY = "recovery"
    """The same, but the device had come by passphrase or recovery key, or by one that did."""

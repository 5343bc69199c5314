"""The error tree: who is to blame decides what happens next (CONTRIBUTING.md, Errors).

No error carries a secret or anything a person typed.
"""

from __future__ import annotations

from coterie.base.changed_by import ChangedBy
from coterie.base.codes import Code


class CoterieError(Exception):
    """Root of everything that coterie raises on purpose."""

    code: Code

    def __init__(self, code: Code, note: str = "") -> None:
        super().__init__(f"{code.value}: {note}" if note else code.value)
        self.code = code
        self.note = note
        """A sentence for a developer, free of secrets and of what people typed."""


class LocalError(CoterieError):
    """We, or the caller of our SDK, broke a rule: a bug, logged as error."""


class RemoteError(CoterieError):
    """The peer broke the protocol: the code is answered and the link closed, without a stack trace."""


class Refused(CoterieError):
    """The server, or a rule checked before asking it, said no. Shown to the person."""

    def __init__(self, code: Code, note: str = "", retry_after_seconds: float = 0.0) -> None:
        super().__init__(code, note)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(CoterieError):
    """Network, server or disk is not there now: retried with backoff, shown as "connecting"."""


class SealBroken(CoterieError):
    """Cannot open, bad signature, unknown device. Repaired in the background where it can be."""

    def __init__(self, note: str = "", code: Code = Code.SEAL_BROKEN) -> None:
        super().__init__(code, note)


class SecurityStop(SealBroken):
    """A proof that the other side is not who it was, or lies: nothing goes on by itself (exit code 4)."""

    def __init__(self, code: Code, note: str = "") -> None:
        super().__init__(note, code)


class NameNotInLedger(SecurityStop):
    """The server has shown an identity for a name that its ledger does not have: nothing is sent to it."""

    def __init__(self, name: str) -> None:
        super().__init__(Code.IDENTITY_CHANGED, "an identity that is not in the ledger")
        self.name = name


class PersonChanged(SecurityStop):
    """Somebody has another identity than before: nothing is sent to it alone until the person here looked.

    changed_ms, by: when, and by whose word; verified: the one before was verified, so that only a new
    verification will do.
    """

    def __init__(
        self, name: str, changed_ms: int, *, verified: bool, by: ChangedBy = ChangedBy.RESET
    ) -> None:
        super().__init__(Code.IDENTITY_CHANGED, "somebody has another identity than before")
        self.name = name
        self.changed_ms = changed_ms
        self.by = by
        self.verified = verified

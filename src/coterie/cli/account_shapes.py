"""What the commands and events about accounts print with --json; fields may be added, never renamed."""

from __future__ import annotations

from coterie.cli.shapes import Shape


class LeftShape(Shape, frozen=True, kw_only=True):
    """sign-out and delete-account. removed: this device is off the account's list; deleted: the account is
    gone; wiped: this machine keeps nothing of it."""

    account: str
    removed: bool
    deleted: bool
    wiped: bool


class PasswordShape(Shape, frozen=True, kw_only=True):
    """passwd. wrapped: the password alone is enough on a new machine. passphrase: where one was generated."""

    account: str
    wrapped: bool
    passphrase: str | None = None


class RecoveryShape(Shape, frozen=True, kw_only=True):
    """recovery new: the 24 words, this once."""

    account: str
    recovery_key: str


class IdentityShape(Shape, frozen=True, kw_only=True):
    """devices new-identity: the account's id from now on, and its new 24 words, this once. passphrase: where
    one was generated."""

    account: str
    account_id: str
    recovery_key: str
    passphrase: str | None = None


class KeptNameShape(Shape, frozen=True, kw_only=True):
    """keep-name. kept: nobody begins the account's name anew any more."""

    account: str
    kept: bool


class ResetShape(Shape, frozen=True, kw_only=True):
    """A name begins anew with another identity. state: announced, cancelled or in-effect; own: it is this
    account's name."""

    event: str
    name: str
    account_id: str
    state: str
    own: bool


class RestoredShape(Shape, frozen=True, kw_only=True):
    """The server was restored from a copy. copied: of when it is."""

    event: str
    copied: str


class WentBackShape(Shape, frozen=True, kw_only=True):
    """The ledger shows another list of somebody's devices than is known here, since the server was restored:
    nothing is sent to them."""

    event: str
    name: str
    account_id: str


class NotInLedgerShape(Shape, frozen=True, kw_only=True):
    """The server has shown something for a name that its ledger does not have."""

    event: str
    name: str


class GoneShape(Shape, frozen=True, kw_only=True):
    """Somebody has deleted their account."""

    event: str
    name: str
    account_id: str

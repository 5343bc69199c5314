"""Every reason for which coterie refuses something, in one place.

The texts for people are keyed by these codes and live in screens; the part a server may send is
wire/refusals.py. Values are stable: scripts read them (docs/protocol.md, Refusals).
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Why something was refused, could not be reached or was stopped."""

    # accounts
    NAME_TAKEN = "name-taken"
    BAD_NAME = "bad-name"
    WEAK_PASSWORD = "weak-password"
    WRONG_CREDENTIALS = "wrong-credentials"
    NEEDS_RECOVERY_KEY = "needs-recovery-key"
    RESET_PENDING = "reset-pending"
    """A name begins anew, and the identity before may still say no."""
    SIGN_UP_CLOSED = "sign-up-closed"
    TOO_MANY_TRIES = "too-many-tries"
    UNKNOWN_PERSON = "unknown-person"
    UNKNOWN_DEVICE = "unknown-device"
    NOTHING_TO_CONFIRM = "nothing-to-confirm"
    NOT_APPROVED = "not-approved"
    REVOKED = "revoked"
    DELETED = "deleted"
    """The account, one's own or the other person's, was deleted by its owner."""
    SUCCEEDED = "succeeded"
    """The account goes on under another identity: to be heard by devices that have yet to follow it."""
    COPIED_PROFILE = "copied-profile"
    RESTORED_PROFILE = "restored-profile"
    STALE_MANIFEST = "stale-manifest"
    BAD_MANIFEST = "bad-manifest"
    TOO_MANY_DEVICES = "too-many-devices"
    # sending
    STALE_VIEW = "stale-view"
    OUT_OF_ORDER = "out-of-order"
    NOT_A_MEMBER = "not-a-member"
    MAILBOX_FULL = "mailbox-full"
    BAD_PREKEY = "bad-key"
    NO_PREKEY = "no-prekey"
    UNPROVEN = "unproven"
    UNCONFIRMED = "unconfirmed"
    SPEAKERS_ONLY = "speakers-only"
    TOO_LARGE = "too-large"
    EMPTY = "empty"
    BUSY = "busy"
    # files
    UNKNOWN_FILE = "unknown-file"
    """Not there: never given, given by another, or kept for as long as files are."""
    BAD_FILE = "bad-file"
    """Not of the size, or not with the hash, that was said of it."""
    FILES_FULL = "files-full"
    """What this account may keep on the server is used up."""
    LOW_DISK = "low-disk"
    """The server has room for messages alone."""
    # the connection
    BAD_FRAME = "bad-frame"
    BAD_SUITE = "bad-suite"
    UNEXPECTED_FRAME = "unexpected-frame"
    VERSION = "version"
    NOT_SIGNED_IN = "not-signed-in"
    UNREACHABLE = "unreachable"
    STATEMENT_EXPIRED = "statement-expired"
    NEEDS_INVITE = "needs-invite"
    SLOW_READER = "slow-reader"
    # this machine
    PROFILE_IN_USE = "profile-in-use"
    NO_PROFILE = "no-profile"
    PROFILE_EXISTS = "profile-exists"
    DISK = "disk"
    DAMAGED = "damaged"
    """What was written once does not read back: more than trying again is needed."""
    NEWER_SCHEMA = "newer-schema"
    MISSING_PART = "missing-part"
    USAGE = "usage"
    QUEUED = "queued"
    # what a server withholds
    LEDGER_OLD = "ledger-old"
    LEDGER_WITHHELD = "ledger-withheld"
    # security stops
    IDENTITY_CHANGED = "identity-changed"
    MISMATCH = "mismatch"
    LEDGER_SPLIT = "ledger-split"
    SEAL_BROKEN = "seal-broken"

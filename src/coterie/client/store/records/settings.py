"""The single values of a profile."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.quiet import Quiet


class Setting(StrEnum):
    """Keys of the single values of a profile."""

    PROFILE = "profile"
    """Packed client.core.profile.Profile."""
    PICKLE_ROOT = "pickle-root"
    """32 random bytes from which the key of every pickle is derived."""
    DEVICE_PICKLE = "device-pickle"
    NEXT_PREKEY_ID = "next-prekey-id"
    FALLBACK_MADE_MS = "fallback-made-ms"
    """When the newest fallback key was made, or was given last: 8 bytes big endian, as those below."""
    FALLBACK_KEY = "fallback-key"
    """Its public half, 32 bytes."""
    TOPPED_UP_MS = "topped-up-ms"
    """When one-time keys were made last."""
    PENDING_PREKEYS = "pending-prekeys"
    """Packed prekeys that the server has not confirmed yet."""
    RUN = "run"
    """Number of this start and its nonce, packed (encryption rule 28)."""
    RESTORED = "restored"
    """b"1" in what came out of a backup or was saved from a damaged store, until it is a device of its
    own."""
    CLEAN_STOP = "clean-stop"
    """b"1" after a close in order; absent while running and after a kill."""
    PENDING_SIGN_UP = "pending-sign-up"
    """The SignUp frame, encoded, until the server has accepted it."""
    PENDING_RECOVERY_KEY = "pending-recovery-key"
    """The recovery words until they were handed to the person once."""
    VAULT = "vault"
    OWN_SECRET = "own-secret"
    """The account's private keys under the password of this machine: a packed Vault with one wrapping."""
    DEVICE_UNCONFIRMED = "device-unconfirmed"
    """b"1" from the making of a further device until it was signed in once: the server may not know it."""
    HEAD = "head"
    """Newest verified SignedHead, packed."""
    IDENTITY = "identity"
    """The server's identity as its newest accepted statement named it, packed: a later one must follow from
    it."""
    SERVER_PROOF = "server-proof"
    """Packed client.core.profile.ServerProof, as of the newest connection."""
    INCARNATION = "incarnation"
    OLD_HEAD = "old-head"
    """Newest verified SignedHead of the ledger before, packed."""
    RESTORED_MS = "restored-ms"
    """When it was heard here last that the server was restored: 8 bytes big endian."""
    COUNTED_FROM = "counted-from"
    """Behind which number this device counts what it says since that restore: 8 bytes big endian."""
    LEDGERS_LEFT = "ledgers-left"
    """Ids of ledgers that this device was in before: packed."""
    PREKEYS_DUE = "prekeys-due"
    """b"1" from a restore of the server until all of this device's prekeys are made anew."""
    VAULT_DUE = "vault-due"
    """b"1" from a restore of the server until it has answered for the account's vault."""
    AUTH_KEYS = "auth-keys"
    """Auth keys that this device knows, packed: a restored server may lack what it keeps of them."""
    SPLIT_PROOF = "split-proof"
    """Two heads that contradict each other, packed (core.alarms.SplitProof): nothing is sent any more."""
    OWN_QUESTIONS = "own-questions"
    """Devices that came to this account, about which nobody has said yet "that was me": packed ids."""
    PENDING_MANIFEST = "pending-manifest"
    """A signed change of this account that the server has not answered: packed core.own_account.Pending."""
    PENDING_SUCCESSION = "pending-succession"
    """The account's word that it goes on under another identity, until this device has followed it: packed
    core.succeeding.PendingSuccession."""
    EXPOSED_VAULT = "exposed-vault"
    """Hash of the vault that stood when a device was lost: password and recovery key are to be changed for as
    long as the newest manifest names it."""
    CONFIRMED_DEVICES = "confirmed-devices"
    """Devices of verified people that came by recovery, of which the person has said that they are theirs:
    packed ids."""
    TRUST_MARKS = "trust-marks"
    """The newest word about everybody who was verified, here or on another own device: packed
    core.trust_marks.Kept."""
    TRUST_DOUBTED = "trust-doubted"
    """What devices said of that while they may have been a thief's: packed core.trust_marks.Doubted."""
    TRUST_TOLD = "trust-told"
    """Which of these each own device was told: packed, by device, 16 bytes of a hash over the marks."""
    PENDING_DOORS = "pending-doors"
    """What opens this profile before and after a change of password or recovery key that is not known to have
    happened: packed client.api.doors.Doors."""
    BROKEN_COUNT = "broken-count"
    """How many entries could not be opened, ever: 8 bytes big endian."""
    UNDECRYPTABLE_COUNT = "undecryptable-count"
    """For how many messages others had to be asked, ever: as above."""
    HEALTH_TOLD = "health-told"
    """b"1" where the person wants the server to be told of those two."""


class PutSetting(Quiet, frozen=True):
    key: Setting
    value: bytes


class DropSetting(msgspec.Struct, frozen=True):
    key: Setting

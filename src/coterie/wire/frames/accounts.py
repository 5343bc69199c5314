"""Sign-up, login, devices, prekeys and the ledger."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.wire.frames.shared import (
    DeletionBytes,
    DeviceRef,
    HeadBytes,
    Id16,
    Id32,
    Key32,
    ManifestBytes,
    NameText,
    Natural,
    OptionalDeletion,
    OptionalKey,
    OptionalPrekey,
    OptionalSuccession,
    PrekeyBytes,
    SuccessionBytes,
    VaultBytes,
)

Prekeys = Annotated[tuple[PrekeyBytes, ...], msgspec.Meta(max_length=2 * limits.ONE_TIME_KEYS + 4)]


class SignUp(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=5, forbid_unknown_fields=True):
    """A new account. manifest: packed SignedManifest, seq 1; auth keys: what a login may prove later
    (the server keeps only an HMAC of each); token: from the invite, b"" where sign-up is open."""

    request: Natural
    name: NameText
    manifest: ManifestBytes
    vault: VaultBytes
    auth_key: Key32
    recovery_auth_key: Key32
    prekeys: Prekeys
    token: Annotated[bytes, msgspec.Meta(max_length=32)] = b""


class LoginStart(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=6, forbid_unknown_fields=True
):
    """Somebody wants to log in under this name."""

    request: Natural
    name: NameText


class Salt(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=37, forbid_unknown_fields=True):
    """The random part of the salt (for an unknown name an HMAC of it) and the Argon2id parameters."""

    request: Natural
    random: Id16
    memory_kib: Natural
    passes: Natural
    lanes: Natural


class LoginProve(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=7, forbid_unknown_fields=True
):
    """The auth key or the recovery auth key; the server accepts either."""

    request: Natural
    name: NameText
    auth_key: Key32


class VaultOpened(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=38, forbid_unknown_fields=True
):
    """The proof was right: the account's vault and newest manifest. Only AddDevice may follow. resets: how
    many of the name stand in the ledger behind that manifest; the next one passes over their numbers."""

    request: Natural
    vault: VaultBytes
    manifest: ManifestBytes
    resets: Natural = 0


class AddDevice(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=8, forbid_unknown_fields=True
):
    """A manifest that adds this device, after VaultOpened on the same connection. A repeat is accepted."""

    request: Natural
    manifest: ManifestBytes
    prekeys: Prekeys


class PublishPrekeys(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=9, forbid_unknown_fields=True
):
    """Prekeys of the signed-in device: one-time keys are added, fallback and X-Wing replace."""

    request: Natural
    prekeys: Prekeys


class PublishManifest(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=10, forbid_unknown_fields=True
):
    """The successor of the account's newest manifest; vault: b"" where it did not change. auth_key and
    recovery_auth_key: those that the new vault names and the server lacks; others are dropped."""

    request: Natural
    manifest: ManifestBytes
    vault: VaultBytes = b""
    auth_key: OptionalKey = b""
    recovery_auth_key: OptionalKey = b""


class FetchVault(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=25, forbid_unknown_fields=True
):
    """The vault of the signed-in device's account, which another of its devices may have replaced."""

    request: Natural


class VaultGiven(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=55, forbid_unknown_fields=True
):
    """Answer to FetchVault: the newest vault, packed."""

    request: Natural
    vault: VaultBytes


class DeleteAccount(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=24, forbid_unknown_fields=True
):
    """The account of the signed-in device ends: packed SignedDeletion. Once it is accepted the server closes
    the account's connections, with the code `deleted`."""

    request: Natural
    deletion: DeletionBytes


class Succeed(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=26, forbid_unknown_fields=True
):
    """The account of the signed-in device goes on as another one: packed SignedSuccession, the new account's
    first SignedManifest, its vault, and the two auth keys that this names. Once it is accepted the server
    ends the connections of the account before; its devices may come back for what waits for them."""

    request: Natural
    succession: SuccessionBytes
    manifest: ManifestBytes
    vault: VaultBytes
    auth_key: Key32
    recovery_auth_key: Key32


class KnownAccount(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An account and the manifest seq known of it (0: none). A seq already newest still returns prekeys."""

    account: Id32
    seq: Natural


class FetchAccounts(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=11, forbid_unknown_fields=True
):
    """Manifests from the known seq on (where that is 0 the newest alone), and prekeys to make sessions."""

    request: Natural
    accounts: Annotated[
        tuple[KnownAccount, ...], msgspec.Meta(min_length=1, max_length=limits.ACCOUNTS_PER_FRAME)
    ]


class DeviceKeys(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The reusable signed prekeys of a live device."""

    device: Id16
    fallback: OptionalPrekey
    x_wing: OptionalPrekey


class AccountRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """manifests: packed, oldest first, ending with the newest; empty where the known seq is the newest.
    deletion: of an account that was deleted, and then all there is. succession: of one that follows another
    by that one's word."""

    account: Id32
    manifests: Annotated[tuple[ManifestBytes, ...], msgspec.Meta(max_length=1024)]
    keys: Annotated[tuple[DeviceKeys, ...], msgspec.Meta(max_length=64)]
    deletion: OptionalDeletion = b""
    succession: OptionalSuccession = b""


class Accounts(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=39, forbid_unknown_fields=True
):
    """Answer to FetchAccounts; unknown accounts are absent. The answer may hold only the first of those asked
    for, to keep within a frame: ask again for the rest."""

    request: Natural
    accounts: Annotated[tuple[AccountRecord, ...], msgspec.Meta(max_length=limits.ACCOUNTS_PER_FRAME)]


class FetchLeaves(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=12, forbid_unknown_fields=True
):
    """The ledger's leaves from an index on."""

    request: Natural
    start: Natural


class Leaves(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=40, forbid_unknown_fields=True):
    """At most LEAVES_PER_FRAME packed leaves from start on, and the newest signed head (which may cover
    more leaves than these: fetch again until they meet)."""

    request: Natural
    start: Natural
    leaves: Annotated[
        tuple[Annotated[bytes, msgspec.Meta(max_length=256)], ...],
        msgspec.Meta(max_length=limits.LEAVES_PER_FRAME),
    ]
    head: HeadBytes


class LedgerGrew(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=41, forbid_unknown_fields=True
):
    """A new signed head, published after its leaves are durable."""

    head: HeadBytes


class PrekeysLow(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=46, forbid_unknown_fields=True
):
    """So many one-time keys of the signed-in device are left, less than half of what they should be."""

    left: Natural


class Claim(msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=13, forbid_unknown_fields=True):
    """One-time keys wanted, one per device."""

    request: Natural
    devices: Annotated[
        tuple[DeviceRef, ...], msgspec.Meta(min_length=1, max_length=limits.ENVELOPES_PER_FRAME)
    ]


class ClaimedKeys(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """one_time: b"" where the device has none left (use the fallback)."""

    device: Id16
    one_time: OptionalPrekey
    fallback: OptionalPrekey
    x_wing: OptionalPrekey


class Claimed(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=42, forbid_unknown_fields=True
):
    """Answer to Claim, in its order; devices the server does not know are absent."""

    request: Natural
    keys: Annotated[tuple[ClaimedKeys, ...], msgspec.Meta(max_length=limits.ENVELOPES_PER_FRAME)]

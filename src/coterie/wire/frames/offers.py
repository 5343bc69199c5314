"""What people bring back to a server that was restored from a copy (docs/protocol.md 3.13)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.wire.frames.shared import (
    HeadBytes,
    Id32,
    ManifestBytes,
    Natural,
    OptionalDeletion,
    OptionalKey,
    VaultBytes,
)


class OfferedManifests(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What is known of an account. manifests: packed, the newest and those before it, oldest first; deletion:
    where it was deleted. leaf: packed, of the newest manifest or the deletion in the ledger before, its
    index there, and the way from it to the root of the frame's head (RFC 9162 2.1.3): what shows that the
    account is none that was made up since. b"", 0 and none where this client has no proof."""

    manifests: Annotated[tuple[ManifestBytes, ...], msgspec.Meta(min_length=1, max_length=64)]
    deletion: OptionalDeletion
    leaf: Annotated[bytes, msgspec.Meta(max_length=256)]
    index: Natural
    path: Annotated[tuple[Id32, ...], msgspec.Meta(max_length=64)]


class OfferManifests(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=29, forbid_unknown_fields=True
):
    """To a restored server: what it may lack. head: the newest signed one of the ledger before, b"" for
    none. Before a device is signed in it offers its own account alone."""

    request: Natural
    accounts: Annotated[
        tuple[OfferedManifests, ...], msgspec.Meta(min_length=1, max_length=limits.OFFERS_PER_FRAME)
    ]
    head: HeadBytes


class OfferVault(
    msgspec.Struct, frozen=True, array_like=True, tag_field="t", tag=28, forbid_unknown_fields=True
):
    """To a restored server: the vault that the account's newest manifest names, and the auth keys that it
    names, as far as this device has them."""

    request: Natural
    vault: VaultBytes
    auth_key: OptionalKey
    recovery_auth_key: OptionalKey

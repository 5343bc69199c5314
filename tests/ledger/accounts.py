"""Real accounts for the ledger's tests: devices with keys of their own, and what they sign."""

from __future__ import annotations

import secrets

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from coterie.base.ids import NO_HASH, DeviceId, UserName
from coterie.base.signing import IdentityKeys, account_id
from coterie.ledger.manifest import (
    FIRST,
    RECOVERY,
    DeviceEntry,
    Manifest,
    SignedManifest,
    sign_manifest,
)

NOW_MS = 1_800_000_000_000
VAULT_HASH = b"v" * 32


class Machine:
    """A device: its id, its two public keys, and the Ed25519 signature."""

    def __init__(self) -> None:
        self.id = DeviceId(secrets.token_bytes(16))
        self._key = Ed25519PrivateKey.generate()
        self.ed25519 = self._key.public_key().public_bytes_raw()
        self.curve25519 = X25519PrivateKey.generate().public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def entry(self, approved_by: bytes = FIRST, *, marked: bool = False, name: str = "desk") -> DeviceEntry:
        return DeviceEntry(self.id, name, self.curve25519, self.ed25519, NOW_MS, 0, approved_by, marked)


class Owner:
    """A person with an identity and a first device."""

    def __init__(self, identity: IdentityKeys, name: str = "alice") -> None:
        self.identity = identity
        self.name = UserName(name)
        self.account = account_id(identity.public)
        self.first = Machine()

    def manifest(self) -> Manifest:
        """Number 1: the first device alone."""
        return Manifest(
            account=self.account,
            name=self.name,
            seq=1,
            previous=NO_HASH,
            devices=(self.first.entry(),),
            vault_hash=VAULT_HASH,
            time_ms=NOW_MS,
            identity=self.identity.public.pack(),
        )

    def sign(self, manifest: Manifest, by: Machine | None = None) -> SignedManifest:
        machine = by or self.first
        return sign_manifest(manifest, self.identity, machine.id, machine)

    def begin(self) -> SignedManifest:
        return self.sign(self.manifest())

    def with_devices(
        self, before: SignedManifest, *devices: DeviceEntry, by: Machine | None = None
    ) -> SignedManifest:
        """The successor with exactly these devices."""
        return self.sign(after(before, devices=devices), by)

    def with_added(
        self, before: SignedManifest, machine: Machine, *, by: Machine | None = None, marked: bool = False
    ) -> SignedManifest:
        """The successor in which `by` approves one more device."""
        cosigner = by or self.first
        added = machine.entry(cosigner.id, marked=marked)
        return self.with_devices(before, *before.manifest.devices, added, by=cosigner)

    def with_recovered(self, before: SignedManifest, machine: Machine) -> SignedManifest:
        """The successor in which a device comes in by recovery."""
        added = machine.entry(RECOVERY, marked=True)
        return self.with_devices(before, *before.manifest.devices, added, by=machine)


def after(before: SignedManifest, devices: tuple[DeviceEntry, ...] | None = None) -> Manifest:
    """The manifest that follows, not yet signed."""
    old = before.manifest
    return msgspec.structs.replace(
        old,
        seq=old.seq + 1,
        previous=before.hash,
        devices=old.devices if devices is None else devices,
    )

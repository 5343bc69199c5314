"""Manifests and prekeys: their format."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.ledger.manifest import (
    X_WING_PUBLIC_BYTES,
    Manifest,
    Prekey,
    PrekeyKind,
    SignedManifest,
    SignedPrekey,
    sign_prekey,
)
from tests.ledger.accounts import NOW_MS, Machine, Owner


def test_a_signed_manifest_comes_back(alice: Owner) -> None:
    signed = alice.begin()
    again = SignedManifest.unpack(signed.pack())
    assert again == signed
    assert again.manifest == alice.manifest()
    assert again.hash == hashlib.sha256(signed.payload).digest()


def test_its_size_is_as_designed(alice: Owner) -> None:
    """6 KB and a bit, most of it the identity and its signature."""
    assert 6000 < len(alice.begin().pack()) < 6400


def test_entries_are_found_and_told_apart(alice: Owner) -> None:
    signed = alice.begin()
    second = Machine()
    more = alice.with_added(signed, second)
    gone = msgspec.structs.replace(
        more.manifest, devices=(more.manifest.devices[0].revoked(NOW_MS), more.manifest.devices[1])
    )
    entry = gone.entry(alice.first.id)
    assert entry is not None
    assert (entry.live, entry.name, entry.curve25519, entry.ed25519) == (False, "", b"", alice.first.ed25519)
    assert [each.id for each in gone.live_devices] == [second.id]
    assert gone.entry(DeviceId(bytes(16))) is None


def test_its_repr_tells_nothing_that_people_typed(alice: Owner) -> None:
    signed = alice.begin()
    for shown in (repr(signed), repr(signed.manifest), repr(signed.manifest.devices)):
        assert "alice" not in shown
        assert "desk" not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"account": AccountId(bytes(31))},
        {"name": UserName("")},
        {"name": UserName("x" * 33)},
        {"seq": 0},
        {"seq": 1 << 63},
        {"previous": b""},
        {"devices": ()},
        {"vault_hash": bytes(33)},
        {"time_ms": -1},
        {"identity": bytes(2335)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_field_out_of_bounds_is_malformed(alice: Owner, changes: dict[str, object]) -> None:
    with pytest.raises(RemoteError):
        Manifest.unpack(msgspec.structs.replace(alice.manifest(), **changes).pack())


def test_a_signed_manifest_with_a_malformed_payload_is_refused(alice: Owner) -> None:
    signed = msgspec.structs.replace(alice.begin(), payload=alice.begin().payload + b"\x00")
    with pytest.raises(RemoteError):
        SignedManifest.unpack(signed.pack())


def test_a_manifest_beyond_the_limit_is_refused_before_it_is_read(alice: Owner) -> None:
    many = tuple(Machine().entry() for _ in range(600))
    signed = alice.sign(msgspec.structs.replace(alice.manifest(), devices=many))
    assert len(signed.pack()) > limits.MANIFEST_BYTES
    with pytest.raises(RemoteError) as caught:
        SignedManifest.unpack(signed.pack())
    assert caught.value.code is Code.TOO_LARGE


def prekey(kind: PrekeyKind, size: int) -> Prekey:
    return Prekey(kind, 7, NOW_MS, AccountId(b"a" * 32), DeviceId(b"d" * 16), b"k" * size)


@pytest.mark.parametrize("kind", PrekeyKind)
def test_a_signed_prekey_comes_back(kind: PrekeyKind) -> None:
    size = X_WING_PUBLIC_BYTES if kind is PrekeyKind.X_WING else 32
    signed = sign_prekey(prekey(kind, size), Machine())
    again = SignedPrekey.unpack(signed.pack())
    assert again == signed
    assert again.prekey == prekey(kind, size)


@pytest.mark.parametrize("kind", PrekeyKind)
def test_a_prekey_has_the_size_of_its_kind(kind: PrekeyKind) -> None:
    right = X_WING_PUBLIC_BYTES if kind is PrekeyKind.X_WING else 32
    for size in {31, 32, 33, 1184, X_WING_PUBLIC_BYTES, X_WING_PUBLIC_BYTES + 1} - {right}:
        with pytest.raises(RemoteError):
            SignedPrekey.unpack(sign_prekey(prekey(kind, size), Machine()).pack())


def test_an_unknown_prekey_kind_is_malformed() -> None:
    packed = bytearray(prekey(PrekeyKind.FALLBACK, 32).pack())
    at = packed.index(b"\x96\x02") + 1
    packed[at] = 9
    with pytest.raises(RemoteError):
        Prekey.unpack(bytes(packed))

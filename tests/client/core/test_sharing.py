"""Reusable prekeys that come along with a claim: proven once, and again only where they are others."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.prekeys import PrekeyMaker
from coterie.client.core.sharing import _are
from coterie.client.store.records import PeerKeys
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import SignedPrekey
from coterie.wire.frames.accounts import ClaimedKeys

NOW_MS = 1_800_000_000_000
ACCOUNT, DEVICE = AccountId(b"a" * 32), DeviceId(b"d" * 16)


def claimed_and_known() -> tuple[ClaimedKeys, PeerKeys]:
    maker = PrekeyMaker(DeviceKeys.create(), ACCOUNT, DEVICE, 1)
    fallback, (x_wing, _) = maker.fallback(NOW_MS), maker.x_wing(NOW_MS)
    old, new = (SignedPrekey.unpack(packed).prekey for packed in (fallback, x_wing))
    known = PeerKeys(DEVICE, old.id, old.key, new.id, new.key, new.created_ms)
    return ClaimedKeys(DEVICE, b"", fallback, x_wing), known


def test_keys_that_were_proven_before_are_known_again() -> None:
    claimed, known = claimed_and_known()
    assert _are(known, claimed, NOW_MS)
    assert _are(known, claimed, NOW_MS + limits.PREKEY_MAX_AGE_MS)
    assert not _are(known, claimed, NOW_MS + limits.PREKEY_MAX_AGE_MS + 1)


@pytest.mark.parametrize(
    "other",
    [
        {"fallback_id": 99},
        {"fallback_key": b"k" * 32},
        {"x_wing_id": 99},
        {"x_wing_key": b"k" * 1216},
        {"x_wing_created_ms": 1},
    ],
    ids=str,
)
def test_any_difference_has_to_be_proven(other: dict[str, object]) -> None:
    claimed, known = claimed_and_known()
    assert not _are(msgspec.structs.replace(known, **other), claimed, NOW_MS)


@pytest.mark.parametrize("packed", [b"", b"\xff"])
def test_what_is_missing_or_garbage_is_not_known(packed: bytes) -> None:
    claimed, known = claimed_and_known()
    assert not _are(known, msgspec.structs.replace(claimed, x_wing=packed), NOW_MS)
    assert not _are(known, msgspec.structs.replace(claimed, fallback=packed), NOW_MS)


def test_one_prekey_does_not_stand_for_the_other() -> None:
    claimed, known = claimed_and_known()
    swapped = msgspec.structs.replace(claimed, fallback=claimed.x_wing, x_wing=claimed.fallback)
    assert not _are(known, swapped, NOW_MS)

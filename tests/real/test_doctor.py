"""`coterie doctor` of a profile that talks to a server."""

from __future__ import annotations

import pytest

from tests.real.conftest import SignedUp

pytestmark = pytest.mark.slow


def test_a_profile_is_well(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    bob.send(f"@{alice.name}", "hello")
    alice.waiting(1)
    (said,) = alice.ok("doctor")
    assert {key: said[key] for key in ("name", "link", "store_sound", "well", "queued", "unopened")} == {
        "name": alice.name,
        "link": "live",
        "store_sound": True,
        "well": True,
        "queued": 0,
        "unopened": {},
    }
    assert (said["undecryptable_now"], said["undecryptable_ever"]) == (0, 0)

"""Receipts by the commands: what `listen` prints and `read` shows."""

from __future__ import annotations

import pytest

from tests.real.conftest import SignedUp

pytestmark = pytest.mark.slow


def test_a_message_is_sent_then_delivered(signed_up: SignedUp) -> None:
    alice, bob = signed_up("alice"), signed_up("bob")
    bob.send(f"@{alice.name}", "hello")
    alice.waiting(1)
    sent = alice.send(f"@{bob.name}", "hello yourself")
    assert [line["state"] for line in alice.ok("read", f"@{bob.name}")] == ["received", "sent"]
    with alice.listening() as listening, bob.listening():
        receipt = listening.until(lambda line: line.get("event") == "receipt")
    assert receipt == {
        "event": "receipt",
        "id": sent["id"],
        "conversation": f"@{bob.name}",
        "state": "delivered",
    }
    assert [line["state"] for line in alice.ok("read", f"@{bob.name}")] == ["received", "delivered"]

"""Bytes of what is said while a device joins, pinned: they read the same for ever (docs/protocol.md 5.8).

After a wanted change: python -m tests.e2ee.test_approval_golden writes the file anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base.domains import Domain
from coterie.e2ee import approval
from coterie.e2ee.approval import Form, Granted, Offer
from coterie.e2ee.approval_code import ApprovalCode, proof_of, rendezvous_of
from coterie.e2ee.sas import SasPurpose
from tests.e2ee.approvals import ALICE, NAME, SERVER

GOLDEN = Path(__file__).parents[1] / "golden" / "approval-v1.txt"
SECRET = bytes(range(16))
OFFER = Offer(
    server=SERVER,
    name=NAME,
    rendezvous=rendezvous_of(SECRET),
    device=b"n" * 16,
    device_name="kitchen",
    curve25519=b"c" * 32,
    ed25519=b"e" * 32,
    created_ms=1_700_000_000_000,
    x_wing=b"x" * 1216,
)
PACKED_OFFER = approval._offers.pack(OFFER)
TERMS = OFFER.terms(PACKED_OFFER)
REQUEST = approval._messages.pack(approval._Request(PACKED_OFFER, TERMS.commitment(b"p" * 32), b"s" * 64))
PACKED = {
    "offer": PACKED_OFFER,
    "commitment": TERMS.commitment(b"p" * 32),
    "transcript": TERMS.transcript(ALICE, b"p" * 32, b"q" * 32),
    "signed": approval._signed(b"c" * 32, b"offer"),
    "request": REQUEST,
    "answer": approval._messages.pack(approval._Answer(ALICE, b"q" * 32, Form.CODE)),
    "reveal": approval._messages.pack(approval._Reveal(b"p" * 32)),
    "grant": approval._messages.pack(approval._Grant(b"f" * 32, b"sealed")),
    "granted": approval._grants.pack(Granted(b"secret", b"manifest", b"vault")),
    "kept": approval._messages.pack(approval._Kept(b"k" * 32)),
    "rendezvous": rendezvous_of(SECRET),
    "proof": proof_of(SECRET, bytes(32)),
    "code": ApprovalCode.of(SECRET, REQUEST).text.encode(),
}


def pinned() -> dict[str, bytes]:
    return {
        name: bytes.fromhex(data) for name, data in (line.split() for line in GOLDEN.read_text().splitlines())
    }


@pytest.mark.parametrize("name", PACKED)
def test_packed_bytes_stay_as_they_are(name: str) -> None:
    assert pinned()[name] == PACKED[name]


def test_nothing_else_is_pinned() -> None:
    assert pinned().keys() == PACKED.keys()
    assert (TERMS.purpose, TERMS.exchange) == (SasPurpose.DEVICE, OFFER.rendezvous)
    assert PACKED_OFFER.startswith(Domain.APPROVAL_OFFER.value.encode())


if __name__ == "__main__":
    GOLDEN.write_text("".join(f"{name} {data.hex()}\n" for name, data in PACKED.items()))

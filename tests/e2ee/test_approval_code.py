"""The code that a new device shows: read back from however it was typed, refused with a mistake in it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, digest
from coterie.base.errors import SealBroken
from coterie.e2ee.approval_code import ApprovalCode, new_secret, proof_of
from tests.e2ee.approvals import Newcomer, approver

SECRET, HASH = bytes(range(16)), bytes(range(100, 116))


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_it_comes_back_from_its_text(secret: bytes, hash: bytes) -> None:
    code = ApprovalCode(secret, hash)
    assert ApprovalCode.from_text(code.text) == code
    assert ApprovalCode.from_text(code.text.lower().replace("-", " ") + "\n") == code


def test_its_form_is_final() -> None:
    """docs/protocol.md 5.8, with nothing of ours but the digest."""
    known = b"\x01" + SECRET + HASH
    check = digest(Domain.APPROVAL_CODE, b"check", known)[:2]
    shown = base64.b32encode(known + check).decode()
    assert ApprovalCode(SECRET, HASH).text.replace("-", "") == shown
    assert len(ApprovalCode(SECRET, HASH).text) == 69


@given(st.text(max_size=80))
def test_garbage_is_no_code(text: str) -> None:
    with pytest.raises(SealBroken):
        ApprovalCode.from_text(text)


@given(st.integers(0, 55), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_false_letter_is_noticed(place: int, letter: str) -> None:
    """Two bytes of a digest: one mistake in 65,536 may pass, and then no such request is found."""
    right = ApprovalCode(SECRET, HASH).text.replace("-", "")
    false = right[:place] + letter + right[place + 1 :]
    if false == right:
        return
    with pytest.raises(SealBroken):
        ApprovalCode.from_text(false)


def test_a_newer_version_says_so() -> None:
    known = b"\x02" + SECRET + HASH
    text = base64.b32encode(known + digest(Domain.APPROVAL_CODE, b"check", known)[:2]).decode()
    with pytest.raises(SealBroken) as broken:
        ApprovalCode.from_text(text)
    assert broken.value.code is Code.VERSION


def test_neither_the_rendezvous_nor_a_proof_is_the_secret() -> None:
    code, other = ApprovalCode(SECRET, HASH), ApprovalCode(new_secret(), HASH)
    assert code.rendezvous != other.rendezvous
    assert proof_of(SECRET, HASH * 2) != proof_of(other.secret, HASH * 2) != proof_of(SECRET, bytes(32))
    assert SECRET not in code.rendezvous + proof_of(SECRET, HASH * 2)
    assert "secret" not in repr(code)


def test_a_request_other_than_its_own_is_refused() -> None:
    new, other = Newcomer(), Newcomer()
    with pytest.raises(SealBroken):
        approver(other.side.request, other.side.rendezvous, new.code)

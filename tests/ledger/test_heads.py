"""Heads: signed by the ledger's key, for that ledger, and nothing else counts."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import LedgerId
from coterie.base.signing import LedgerKeys
from coterie.ledger.heads import (
    BriefHead,
    Head,
    LightHead,
    SignedHead,
    check_head,
    check_light_head,
    sign_head,
)
from tests.examples import examples
from tests.ledger.accounts import NOW_MS

LEDGER = LedgerId(b"l" * 16)
HEAD = Head(LEDGER, 5, b"r" * 32, NOW_MS)


def test_a_signed_head_comes_back_and_holds(ledger_keys: LedgerKeys) -> None:
    signed = SignedHead.unpack(sign_head(HEAD, ledger_keys).pack())
    assert check_head(signed, ledger_keys.public, LEDGER) == HEAD


def test_a_light_head_comes_back_and_holds(ledger_keys: LedgerKeys) -> None:
    light = LightHead.unpack(sign_head(HEAD, ledger_keys).light.pack())
    assert check_light_head(light, ledger_keys.public, LEDGER) == HEAD
    assert len(light.pack()) < 160


def test_a_brief_head_holds_for_its_own_ledger_alone(ledger_keys: LedgerKeys) -> None:
    signed = sign_head(HEAD, ledger_keys)
    brief = BriefHead.unpack(signed.brief.pack())
    assert brief.light(LEDGER) == signed.light
    assert len(brief.pack()) < 115
    other = LedgerId(b"m" * 16)
    with pytest.raises(SealBroken):
        check_light_head(brief.light(other), ledger_keys.public, other)


def test_another_ledger_or_key_is_refused(ledger_keys: LedgerKeys) -> None:
    signed = sign_head(HEAD, ledger_keys)
    stranger = LedgerKeys.generate()
    for public, ledger in ((stranger.public, LEDGER), (ledger_keys.public, LedgerId(b"m" * 16))):
        with pytest.raises(SealBroken):
            check_head(signed, public, ledger)
        with pytest.raises(SealBroken):
            check_light_head(signed.light, public, ledger)


def test_both_signatures_of_a_signed_head_must_hold(ledger_keys: LedgerKeys) -> None:
    signed, forged = sign_head(HEAD, ledger_keys), sign_head(HEAD, LedgerKeys.generate())
    for wrong in (
        msgspec.structs.replace(signed, ed25519=forged.ed25519),
        msgspec.structs.replace(signed, mldsa=forged.mldsa),
    ):
        with pytest.raises(SealBroken):
            check_head(wrong, ledger_keys.public, LEDGER)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=examples(100), deadline=None)
def test_one_corrupted_bit_is_refused(ledger_keys: LedgerKeys, at: int, bit: int) -> None:
    packed = bytearray(sign_head(HEAD, ledger_keys).pack())
    packed[at % len(packed)] ^= 1 << bit
    with pytest.raises((RemoteError, SealBroken)):
        check_head(SignedHead.unpack(bytes(packed)), ledger_keys.public, LEDGER)

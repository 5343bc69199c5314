"""Emoji to compare: the same on both sides, others for whoever stands between, nothing after a false step."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId
from coterie.e2ee.pairwise import Party
from coterie.e2ee.sas import EMOJI_SHOWN, Agreement, Answerer, SasPurpose, Starter, Terms
from coterie.e2ee.sas_emoji import EMOJI
from coterie.e2ee.vodo import EmojiKey
from tests.e2ee.test_vodo import LOW_ORDER
from tests.examples import examples

ALICE = Party(AccountId(b"a" * 32), DeviceId(b"a" * 16), b"A" * 32)
BOB = Party(AccountId(b"b" * 32), DeviceId(b"b" * 16), b"B" * 32)
MALLORY = Party(AccountId(b"m" * 32), DeviceId(b"m" * 16), b"M" * 32)
EXCHANGE = bytes(range(16))
TERMS = Terms(SasPurpose.CONTACT, EXCHANGE, ALICE)


def both(terms_of_alice: Terms, terms_of_bob: Terms, *, seen_as: Party = BOB) -> tuple[Agreement, Agreement]:
    """An exchange through a server that changes nothing; the two may see different terms."""
    alice = Starter(terms_of_alice)
    bob = Answerer(terms_of_bob, BOB, terms_of_bob.commitment(alice.public))
    return alice.agree(seen_as, bob.public), bob.agree(alice.public)


def test_both_see_the_same_and_believe_each_others_yes() -> None:
    alice = Starter(TERMS)
    bob = Answerer(TERMS, BOB, alice.commitment)
    here, there = alice.agree(BOB, bob.public), bob.agree(alice.public)
    assert here.emoji == there.emoji
    assert len(here.emoji) == EMOJI_SHOWN
    here.check(there.confirmation)
    there.check(here.confirmation)


@pytest.mark.parametrize(
    "other",
    [
        Terms(SasPurpose.DEVICE, EXCHANGE, ALICE),
        Terms(SasPurpose.CONTACT, bytes(16), ALICE),
        Terms(SasPurpose.CONTACT, EXCHANGE, MALLORY),
        Terms(SasPurpose.CONTACT, EXCHANGE, Party(ALICE.account, BOB.device, ALICE.ed25519)),
        Terms(SasPurpose.CONTACT, EXCHANGE, Party(ALICE.account, ALICE.device, BOB.ed25519)),
        Terms(SasPurpose.CONTACT, EXCHANGE, ALICE, b"another device's keys"),
    ],
    ids=["purpose", "exchange", "account", "device", "key", "context"],
)
def test_whoever_sees_other_terms_sees_other_emoji(other: Terms) -> None:
    """Emoji that match mean that both saw the same accounts, devices, keys, exchange and purpose."""
    here, there = both(TERMS, other)
    assert here.emoji != there.emoji
    with pytest.raises(SealBroken):
        here.check(there.confirmation)


def test_an_answerer_known_by_another_name_sees_other_emoji() -> None:
    for seen_as in (MALLORY, Party(BOB.account, ALICE.device, BOB.ed25519)):
        here, there = both(TERMS, TERMS, seen_as=seen_as)
        assert here.emoji != there.emoji


def test_somebody_in_between_shows_each_of_them_something_else() -> None:
    """Attack: Mallory runs one exchange with Alice and another with Bob, and passes on what she can."""
    alice = Starter(TERMS)
    to_bob = Starter(TERMS)
    bob = Answerer(TERMS, BOB, to_bob.commitment)
    to_alice = Answerer(TERMS, BOB, alice.commitment)
    at_alice = alice.agree(BOB, to_alice.public)
    at_bob = bob.agree(to_bob.public)
    at_mallory = to_alice.agree(alice.public), to_bob.agree(BOB, bob.public)
    assert (at_alice.emoji, at_bob.emoji) == (at_mallory[0].emoji, at_mallory[1].emoji)
    assert at_alice.emoji != at_bob.emoji
    with pytest.raises(SealBroken):
        at_alice.check(at_bob.confirmation)


def test_a_key_other_than_the_one_committed_to_is_refused() -> None:
    """Attack: Mallory waits for Bob's key and then looks for one of her own that shows what she wants."""
    committed, better = Starter(TERMS), Starter(TERMS)
    bob = Answerer(TERMS, BOB, committed.commitment)
    with pytest.raises(SealBroken):
        bob.agree(better.public)


def test_ones_own_confirmation_is_not_the_others() -> None:
    """Attack: the server sends back what it was given."""
    here, there = both(TERMS, TERMS)
    for each in (here, there):
        with pytest.raises(SealBroken):
            each.check(each.confirmation)


@pytest.mark.parametrize("key", LOW_ORDER)
def test_keys_of_low_order_are_refused_on_both_sides(key: bytes) -> None:
    with pytest.raises(SealBroken):
        Starter(TERMS).agree(BOB, key)
    with pytest.raises(SealBroken):
        Answerer(TERMS, BOB, TERMS.commitment(key)).agree(key)


def test_a_key_agrees_once() -> None:
    alice = Starter(TERMS)
    alice.agree(BOB, EmojiKey().public)
    with pytest.raises(SealBroken):
        alice.agree(BOB, EmojiKey().public)


@given(st.binary(max_size=64))
@settings(max_examples=examples(200))
def test_garbage_is_refused_or_agreed_upon(data: bytes) -> None:
    alice = Starter(TERMS)
    bob = Answerer(TERMS, BOB, alice.commitment)
    with pytest.raises(SealBroken):
        bob.agree(data)
    try:
        agreement = alice.agree(BOB, data)
    except SealBroken:
        return
    with pytest.raises(SealBroken):
        agreement.check(data)


def test_a_second_implementation_comes_to_the_same() -> None:
    """docs/protocol.md 5.6, with nothing of ours and nothing of vodozemac's."""
    private = X25519PrivateKey.from_private_bytes(secrets.token_bytes(32))
    public = private.public_key().public_bytes_raw()
    alice = Starter(TERMS)
    agreement = alice.agree(BOB, public)

    def parts(*fields: bytes) -> bytes:
        return b"".join(len(field).to_bytes(4, "big") + field for field in fields)

    starter = (b"\x01", EXCHANGE, b"a" * 32, b"a" * 16, b"A" * 32, b"")
    commitment = hashlib.sha256(b"coterie sas commitment\x00\x01" + parts(*starter, alice.public)).digest()
    assert alice.commitment == commitment
    seen = hashlib.sha256(
        b"coterie sas\x00\x01" + parts(*starter, b"b" * 32, b"b" * 16, b"B" * 32, alice.public, public)
    ).hexdigest()
    shared = private.exchange(X25519PublicKey.from_public_bytes(alice.public))

    def derived(length: int, info: str) -> bytes:
        return HKDF(SHA256(), length, None, info.encode()).derive(shared)

    bits = int.from_bytes(derived(6, f"coterie sas emoji {seen}"), "big") >> 6
    assert agreement.emoji == tuple(bits >> (6 * place) & 63 for place in range(6, -1, -1))
    for who, said in (("starter", agreement.confirmation), ("answerer", b"")):
        mac = hmac.digest(derived(32, f"coterie sas {who} says yes"), seen.encode(), "sha256")
        if said:
            assert said == mac
        else:
            agreement.check(mac)


def test_every_number_has_an_emoji_of_its_own() -> None:
    assert len(EMOJI) == 64
    assert len({emoji for emoji, _ in EMOJI}) == len({name for _, name in EMOJI}) == 64
    assert all(name.isascii() and name.islower() for _, name in EMOJI)

"""Envelopes: they open between two devices and nowhere else, and prove who sealed them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import AccountId, DeviceId, EnvelopeId
from coterie.e2ee import hybrid
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import (
    FreshKey,
    OlmPlaintext,
    Party,
    PlainKind,
    envelope_info,
    open_envelope_outer,
    open_plaintext,
    peek_prekey_id,
    seal_envelope,
)
from coterie.e2ee.vodo import OlmSession
from tests.e2ee.pair import ENVELOPE, Person, first_session, forgeries, person, sessions
from tests.examples import examples

OTHER_ENVELOPE = EnvelopeId(b"f" * 16)


def sealed_to(
    recipient: Person, session: OlmSession, sender: Person, *, fresh_key: FreshKey | None = None
) -> bytes:
    return seal_envelope(
        session,
        sender.party,
        recipient.party,
        ENVELOPE,
        PlainKind.KEY_SHARE,
        b"content",
        recipient.prekey_id,
        recipient.x_wing.public,
        fresh_key,
    )


def outer(
    sealed: bytes, sender: Party, recipient: Person, envelope: EnvelopeId = ENVELOPE
) -> tuple[int, bytes]:
    return open_envelope_outer(
        sealed,
        sender.account,
        sender.device,
        recipient.party.account,
        recipient.party.device,
        envelope,
        recipient.private_of,
    )


def test_an_envelope_carries_its_content_and_a_fresh_key(alice: Person, bob: Person) -> None:
    fresh = FreshKey(12, XWingKey.generate().public)
    sealed = sealed_to(bob, first_session(alice, bob), alice, fresh_key=fresh)
    assert len(sealed) <= limits.ENVELOPE_BYTES
    assert peek_prekey_id(sealed) == 7
    _, message = outer(sealed, alice.party, bob)
    _, plaintext = bob.keys.open_first(alice.keys.curve25519, message)
    opened = open_plaintext(plaintext, alice.party, bob.party, ENVELOPE)
    assert (opened.kind, opened.content, opened.fresh_key) == (PlainKind.KEY_SHARE, b"content", fresh)


def test_answers_come_the_same_way(alice: Person, bob: Person) -> None:
    out, back = sessions(alice, bob)
    sealed = sealed_to(alice, back, bob)
    plaintext = out.open(*outer(sealed, bob.party, alice))
    assert open_plaintext(plaintext, bob.party, alice.party, ENVELOPE).fresh_key is None


def test_an_envelope_opens_for_exactly_the_devices_and_the_id_it_was_sealed_for(
    alice: Person, bob: Person
) -> None:
    sealed = sealed_to(bob, first_session(alice, bob), alice)
    names = (
        alice.party.account,
        alice.party.device,
        bob.party.account,
        bob.party.device,
        ENVELOPE,
    )
    open_envelope_outer(sealed, *names, bob.private_of)
    others = (
        AccountId(b"o" * 32),
        DeviceId(b"o" * 16),
        AccountId(b"o" * 32),
        DeviceId(b"o" * 16),
        OTHER_ENVELOPE,
    )
    for place in range(5):
        sender_account, sender_device, account, device, envelope = (
            others[each] if each == place else names[each] for each in range(5)
        )
        with pytest.raises(SealBroken):
            open_envelope_outer(
                sealed,
                AccountId(sender_account),
                DeviceId(sender_device),
                AccountId(account),
                DeviceId(device),
                EnvelopeId(envelope),
                bob.private_of,
            )


def test_the_prekey_id_in_the_clear_is_bound_too(alice: Person, bob: Person) -> None:
    sealed = sealed_to(bob, first_session(alice, bob), alice)
    start = len(prefix(Domain.ENVELOPE))
    altered = sealed[:start] + (8).to_bytes(8, "big") + sealed[start + 8 :]
    assert peek_prekey_id(altered) == 8
    with pytest.raises(SealBroken, match="not here"):
        outer(altered, alice.party, bob)
    bob.prekey_id = 8
    with pytest.raises(SealBroken, match="does not open"):
        outer(altered, alice.party, bob)


def test_no_forgery_opens_and_the_genuine_one_still_does(alice: Person, bob: Person) -> None:
    sealed = sealed_to(bob, first_session(alice, bob), alice)
    for wrong in forgeries(sealed, 300):
        with pytest.raises(SealBroken):
            outer(wrong, alice.party, bob)
    _, message = outer(sealed, alice.party, bob)
    assert bob.keys.open_first(alice.keys.curve25519, message)


def test_another_suite_is_refused_as_such(alice: Person, bob: Person) -> None:
    sealed = sealed_to(bob, first_session(alice, bob), alice)
    start = len(prefix(Domain.ENVELOPE))
    newer = sealed[: start - 1] + b"\x02" + sealed[start:]
    for attempt in (lambda: outer(newer, alice.party, bob), lambda: peek_prekey_id(newer)):
        with pytest.raises(SealBroken) as refused:
            attempt()
        assert refused.value.code is Code.BAD_SUITE


def test_unknown_key_share_a_device_listed_with_somebody_elses_key(
    alice: Person, bob: Person, mallory: Person
) -> None:
    """Mallory lists Bob's Curve25519 key as her own and passes on, as if from Alice to Bob, what Alice sealed
    for her. Bare Olm opens it; the names inside do not fit."""
    listed = Party(mallory.party.account, mallory.party.device, mallory.keys.ed25519)
    session = first_session(alice, bob)
    sealed = seal_envelope(
        session, alice.party, listed, ENVELOPE, PlainKind.KEY_SHARE, b"for mallory", 7, mallory.x_wing.public
    )
    kind, message = open_envelope_outer(
        sealed,
        alice.party.account,
        alice.party.device,
        mallory.party.account,
        mallory.party.device,
        ENVELOPE,
        mallory.private_of,
    )
    info = envelope_info(
        alice.party.account, alice.party.device, bob.party.account, bob.party.device, 7, ENVELOPE
    )
    passed_on = (
        prefix(Domain.ENVELOPE)
        + (7).to_bytes(8, "big")
        + hybrid.seal(bob.x_wing.public, info, bytes((kind,)) + message)
    )
    _, reaching_bob = outer(passed_on, alice.party, bob)
    _, plaintext = bob.keys.open_first(alice.keys.curve25519, reaching_bob)
    with pytest.raises(SealBroken, match="for another device"):
        open_plaintext(plaintext, alice.party, bob.party, ENVELOPE)


def test_unknown_key_share_a_sender_listed_with_somebody_elses_key(
    alice: Person, bob: Person, mallory: Person
) -> None:
    """Mallory lists Alice's Curve25519 key as her own: Bob would take what Alice sealed as Mallory's."""
    sealed = sealed_to(bob, first_session(alice, bob), alice)
    _, message = outer(sealed, alice.party, bob)
    _, plaintext = bob.keys.open_first(alice.keys.curve25519, message)
    for pretended in (
        mallory.party,
        Party(mallory.party.account, alice.party.device, alice.party.ed25519),
        Party(alice.party.account, mallory.party.device, alice.party.ed25519),
        Party(alice.party.account, alice.party.device, mallory.party.ed25519),
    ):
        with pytest.raises(SealBroken, match="another device than its sender"):
            open_plaintext(plaintext, pretended, bob.party, ENVELOPE)
    for other in (
        Party(mallory.party.account, bob.party.device, bob.party.ed25519),
        Party(bob.party.account, mallory.party.device, bob.party.ed25519),
        Party(bob.party.account, bob.party.device, mallory.party.ed25519),
    ):
        with pytest.raises(SealBroken, match="for another device"):
            open_plaintext(plaintext, alice.party, other, ENVELOPE)
    with pytest.raises(SealBroken, match="another id"):
        open_plaintext(plaintext, alice.party, bob.party, OTHER_ENVELOPE)
    open_plaintext(plaintext, alice.party, bob.party, ENVELOPE)


def test_kinds_of_a_newer_version_open_for_the_caller_to_pass_over(alice: Person, bob: Person) -> None:
    newer = OlmPlaintext(alice.party, bob.party, 4711, ENVELOPE, None, b"?").pack()
    assert open_plaintext(newer, alice.party, bob.party, ENVELOPE).kind == 4711


def test_a_bad_prekey_is_refused_and_the_session_goes_on(alice: Person, bob: Person) -> None:
    out, back = sessions(alice, bob)
    for public in (bob.x_wing.public[:-1], bob.x_wing.public[:1184] + bytes(32), b""):
        with pytest.raises(SealBroken):
            seal_envelope(
                out, alice.party, bob.party, ENVELOPE, PlainKind.KEY_SHARE, b"", bob.prekey_id, public
            )
    plaintext = back.open(*outer(sealed_to(bob, out, alice), alice.party, bob))
    open_plaintext(plaintext, alice.party, bob.party, ENVELOPE)


def test_misuse_of_our_own_is_refused_as_such(alice: Person, bob: Person) -> None:
    out, _ = sessions(alice, bob)
    for prekey_id in (-1, 1 << 63):
        with pytest.raises(LocalError):
            seal_envelope(
                out, alice.party, bob.party, ENVELOPE, PlainKind.KEY_SHARE, b"", prekey_id, bob.x_wing.public
            )
    short = EnvelopeId(b"e" * 15)
    with pytest.raises(LocalError):
        seal_envelope(out, alice.party, bob.party, short, PlainKind.KEY_SHARE, b"", 7, bob.x_wing.public)
    with pytest.raises(LocalError):
        envelope_info(
            AccountId(b"a" * 31), alice.party.device, bob.party.account, bob.party.device, 7, ENVELOPE
        )
    content = bytes(limits.REPAIR_ENVELOPE_BYTES)
    with pytest.raises(LocalError) as refused:
        seal_envelope(out, alice.party, bob.party, ENVELOPE, PlainKind.REPAIR, content, 7, bob.x_wing.public)
    assert refused.value.code is Code.TOO_LARGE


def test_an_envelope_of_nothing_is_refused(alice: Person, bob: Person) -> None:
    info = envelope_info(
        alice.party.account, alice.party.device, bob.party.account, bob.party.device, 7, ENVELOPE
    )
    empty = prefix(Domain.ENVELOPE) + (7).to_bytes(8, "big") + hybrid.seal(bob.x_wing.public, info, b"")
    with pytest.raises(SealBroken):
        outer(empty, alice.party, bob)


def test_a_cut_envelope_has_no_prekey_id(alice: Person, bob: Person) -> None:
    sealed = sealed_to(bob, first_session(alice, bob), alice)
    start = len(prefix(Domain.ENVELOPE))
    for wrong in (
        sealed[:start],
        sealed[: start + 7],
        sealed[: start + 8 + hybrid.OVERHEAD_BYTES - 1],
        sealed[:start] + b"\x80" + sealed[start + 1 :],
    ):
        with pytest.raises(SealBroken, match="cut"):
            peek_prekey_id(wrong)


_bob = person("b")
_alice = person("a")


@settings(max_examples=examples(150), deadline=None)
@given(
    garbage=st.one_of(
        st.binary(max_size=60),
        st.binary(max_size=60).map(lambda rest: prefix(Domain.ENVELOPE) + rest),
        st.binary(min_size=1150, max_size=1250).map(
            lambda rest: prefix(Domain.ENVELOPE) + (7).to_bytes(8, "big") + rest
        ),
    )
)
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(SealBroken):
        outer(garbage, _alice.party, _bob)
    with pytest.raises(SealBroken):
        open_plaintext(garbage, _alice.party, _bob.party, ENVELOPE)
    try:
        assert 0 <= peek_prekey_id(garbage) < 1 << 63
    except SealBroken:
        assert len(garbage) < 1162 or not garbage.startswith(prefix(Domain.ENVELOPE))

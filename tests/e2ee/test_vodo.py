"""Olm and Megolm behind their border: round trips, forgeries, the pitfalls of the binding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import vodozemac
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import LocalError, SealBroken
from coterie.base.signing import verify_device
from coterie.e2ee import vodo
from coterie.e2ee.vodo import (
    NORMAL,
    PRE_KEY,
    DeviceKeys,
    GroupIn,
    GroupOut,
    OlmSession,
    first_session_id,
    pickle_key,
)
from tests.e2ee.pair import Person, first_session, forgeries, person, sessions
from tests.examples import examples

KEY = bytes(range(32))
PRIME = 2**255 - 19
LOW_ORDER = [
    (number | high).to_bytes(32, "little")
    for number in (
        0,
        1,
        0x00B8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0,
        0x57119FD0DD4E22D8868E1C58C45C44045BEF839C55B1D0B1248C50A3BC959C5F,
        PRIME - 1,
        PRIME,
        PRIME + 1,
    )
    for high in (0, 1 << 255)
]


def test_olm_carries_both_ways_and_both_sides_know_it_by_the_same_id(alice: Person, bob: Person) -> None:
    out = first_session(alice, bob)
    kind, message = out.seal(b"one")
    back, plaintext = bob.keys.open_first(alice.keys.curve25519, message)
    assert (kind, plaintext) == (PRE_KEY, b"one")
    assert out.id == back.id == first_session_id(message)
    assert len(out.id) == 32
    kind, message = back.seal(b"two")
    assert (kind, out.open(kind, message)) == (NORMAL, b"two")
    assert back.open(*out.seal(b"")) == b""


def test_only_the_first_messages_of_a_session_match_it(alice: Person, bob: Person) -> None:
    one, other = first_session(alice, bob), first_session(alice, bob)
    _, message = one.seal(b"x")
    back, _ = bob.keys.open_first(alice.keys.curve25519, message)
    assert back.matches(*one.seal(b"y"))
    assert not back.matches(*other.seal(b"y"))
    one.open(*back.seal(b"z"))
    normal = one.seal(b"n")
    assert normal[0] == NORMAL
    assert not back.matches(*normal)
    assert not back.matches(NORMAL, message)
    assert not back.matches(PRE_KEY, b"garbage")


def test_pickles_go_on_where_they_were(alice: Person, bob: Person) -> None:
    out, back = sessions(alice, bob)
    out = OlmSession.from_pickle(out.pickle(KEY), KEY)
    back = OlmSession.from_pickle(back.pickle(KEY), KEY)
    assert back.open(*out.seal(b"after")) == b"after"
    group = GroupOut.create()
    reader = GroupIn.from_session_key(group.session_key())
    group.seal(b"first")
    group = GroupOut.from_pickle(group.pickle(KEY), KEY)
    reader = GroupIn.from_pickle(reader.pickle(KEY), KEY)
    assert (group.index, reader.first_index, group.id) == (1, 0, reader.id)
    assert reader.open(group.seal(b"second")) == (b"second", 1)
    again = DeviceKeys.from_pickle(alice.keys.pickle(KEY), KEY)
    assert (again.curve25519, again.ed25519) == (alice.keys.curve25519, alice.keys.ed25519)


@pytest.mark.parametrize(
    "restore", [DeviceKeys.from_pickle, OlmSession.from_pickle, GroupOut.from_pickle, GroupIn.from_pickle]
)
def test_a_pickle_opens_with_its_own_key_and_unaltered_or_not_at_all(
    restore: Callable[[bytes, bytes], object], alice: Person, bob: Person
) -> None:
    group = GroupOut.create()
    pickles: dict[Callable[[bytes, bytes], object], bytes] = {
        DeviceKeys.from_pickle: alice.keys.pickle(KEY),
        OlmSession.from_pickle: first_session(alice, bob).pickle(KEY),
        GroupOut.from_pickle: group.pickle(KEY),
        GroupIn.from_pickle: GroupIn.from_session_key(group.session_key()).pickle(KEY),
    }
    pickle = pickles[restore]
    restore(pickle, KEY)
    for key in (bytes(32), KEY[:31], KEY + b"\x00", b""):
        with pytest.raises(SealBroken):
            restore(pickle, key)
    for wrong in forgeries(pickle, 40):
        with pytest.raises(SealBroken):
            restore(wrong, KEY)


def test_a_one_time_key_opens_once_and_a_forgery_does_not_use_it_up(alice: Person, bob: Person) -> None:
    _, message = first_session(alice, bob).seal(b"once")
    for wrong in forgeries(message, 200):
        with pytest.raises(SealBroken):
            bob.keys.open_first(alice.keys.curve25519, wrong)
    _, plaintext = bob.keys.open_first(alice.keys.curve25519, message)
    assert plaintext == b"once"
    with pytest.raises(SealBroken):
        bob.keys.open_first(alice.keys.curve25519, message)


def test_a_replay_under_a_fallback_key_opens_and_shows_the_same_session_id(
    alice: Person, bob: Person
) -> None:
    _, message = alice.keys.start(bob.keys.curve25519, bob.keys.new_fallback()).seal(b"again")
    first, _ = bob.keys.open_first(alice.keys.curve25519, message)
    replayed, _ = bob.keys.open_first(alice.keys.curve25519, message)
    assert first.id == replayed.id == first_session_id(message)


def test_the_fallback_key_before_the_present_one_opens_and_the_one_before_that_does_not(
    alice: Person, bob: Person
) -> None:
    oldest, older, newest = (bob.keys.new_fallback() for _ in range(3))
    for key in (older, newest):
        _, message = alice.keys.start(bob.keys.curve25519, key).seal(b"x")
        bob.keys.open_first(alice.keys.curve25519, message)
    _, message = alice.keys.start(bob.keys.curve25519, oldest).seal(b"x")
    with pytest.raises(SealBroken):
        bob.keys.open_first(alice.keys.curve25519, message)


def test_dropping_fallback_keys_drops_all_but_the_new_one(alice: Person, bob: Person) -> None:
    before = [bob.keys.new_fallback(), bob.keys.new_fallback()]
    newest = bob.keys.drop_old_fallback()
    for key in before:
        _, message = alice.keys.start(bob.keys.curve25519, key).seal(b"x")
        with pytest.raises(SealBroken):
            bob.keys.open_first(alice.keys.curve25519, message)
    _, message = alice.keys.start(bob.keys.curve25519, newest).seal(b"x")
    assert bob.keys.open_first(alice.keys.curve25519, message)[1] == b"x"


def test_a_first_message_names_the_identity_that_made_it(alice: Person, bob: Person, mallory: Person) -> None:
    _, message = first_session(alice, bob).seal(b"x")
    with pytest.raises(SealBroken):
        bob.keys.open_first(mallory.keys.curve25519, message)


@pytest.mark.parametrize("low", LOW_ORDER, ids=bytes.hex)
def test_keys_of_low_order_are_refused(low: bytes, alice: Person, bob: Person) -> None:
    (one_time,) = bob.keys.new_one_time_keys(1)
    for identity, key in ((low, one_time), (bob.keys.curve25519, low), (low, low)):
        with pytest.raises(SealBroken):
            alice.keys.start(identity, key)
    _, message = first_session(alice, bob).seal(b"x")
    base_key = message.index(b"\x12\x20") + 2
    with pytest.raises(SealBroken):
        bob.keys.open_first(alice.keys.curve25519, message[:base_key] + low + message[base_key + 32 :])
    identity_key = message.index(b"\x1a\x20") + 2
    with pytest.raises(SealBroken):
        bob.keys.open_first(low, message[:identity_key] + low + message[identity_key + 32 :])


def test_an_olm_session_goes_on_after_any_number_of_forgeries(alice: Person, bob: Person) -> None:
    out, back = sessions(alice, bob)
    back.open(*out.seal(b"index 0, which an altered encoding may leave out"))
    kind, message = out.seal(b"genuine")
    for wrong in forgeries(message, 600):
        with pytest.raises(SealBroken):
            back.open(kind, wrong)
    for wrong_kind in (PRE_KEY, 2, 255, -1, 1 << 70):
        with pytest.raises(SealBroken):
            back.open(wrong_kind, message)
    assert back.open(kind, message) == b"genuine"
    with pytest.raises(SealBroken):
        back.open(kind, message)
    for text in (b"a", b"b", b"c"):
        assert out.open(*back.seal(text)) == text
        assert back.open(*out.seal(text)) == text


def test_ciphertexts_are_malleable_so_they_identify_nothing(alice: Person, bob: Person) -> None:
    """Fields unknown to protobuf and longer numbers lie outside MAC and signature of the binding."""
    group = GroupOut.create()
    reader = GroupIn.from_session_key(group.session_key())
    message = group.seal(b"hello")
    content, tail = message[:-72], message[-72:]
    for altered in (content + b"\x18\x01" + tail, content[:1] + b"\x08\x80\x00" + content[3:] + tail):
        assert altered != message
        assert reader.open(altered) == reader.open(message) == (b"hello", 0)
    out, back = sessions(alice, bob)
    kind, sealed = out.seal(b"hello")
    assert back.open(kind, sealed[:-8] + b"\x28\x01" + sealed[-8:]) == b"hello"


def test_signatures_verify_with_the_ordinary_library(alice: Person) -> None:
    signature = alice.keys.sign(b"message")
    verify_device(alice.keys.ed25519, b"message", signature)
    with pytest.raises(SealBroken):
        verify_device(alice.keys.ed25519, b"massage", signature)


def test_one_time_keys_come_once_in_the_number_asked_for() -> None:
    keys = DeviceKeys.create()
    first, second = keys.new_one_time_keys(50), keys.new_one_time_keys(3)
    assert len(set(first)) == 50
    assert len(second) == 3
    assert not set(first) & set(second)
    assert all(len(key) == 32 for key in first)
    for count in (0, -1, 51, 1 << 70):
        with pytest.raises(LocalError):
            keys.new_one_time_keys(count)


def test_the_panic_of_the_binding_does_not_cross_the_border() -> None:
    """44 characters of unpadded base64 panic with a BaseException; we never decode such a thing."""
    with pytest.raises(SealBroken, match="a note of ours"), vodo._Border("a note of ours"):
        vodozemac.Ed25519PublicKey.from_base64("A" * 44)
    with pytest.raises(KeyboardInterrupt), vodo._Border("a note of ours"):
        raise KeyboardInterrupt
    with pytest.raises(LocalError), vodo._Border("a note of ours"):
        DeviceKeys.create().new_one_time_keys(0)


def test_other_types_than_bytes_are_refused(alice: Person, bob: Person) -> None:
    out, back = sessions(alice, bob)
    group = GroupOut.create()
    reader = GroupIn.from_session_key(group.session_key())
    kind, message = out.seal(b"x")
    for wrong in (bytearray(message), memoryview(message)):
        with pytest.raises(SealBroken):
            back.open(kind, wrong)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(SealBroken):
        reader.open(bytearray(group.seal(b"x")))  # type: ignore[arg-type]  # wrong on purpose


def test_pickle_keys_differ_by_root_and_by_every_part_of_the_id() -> None:
    keys = {
        pickle_key(KEY, b"olm", b"1"),
        pickle_key(KEY, b"olm1"),
        pickle_key(KEY, b"olm", b"", b"1"),
        pickle_key(bytes(32), b"olm", b"1"),
    }
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
    with pytest.raises(LocalError):
        pickle_key(KEY[:16], b"olm")


_alice, _bob = person("a"), person("b")
_out, _back = sessions(_alice, _bob)
_group = GroupOut.create()
_reader = GroupIn.from_session_key(_group.session_key())

base64_like = st.text("ABab01+/", max_size=310).map(str.encode)


@settings(max_examples=examples(200), deadline=None)
@given(
    garbage=st.one_of(
        st.binary(max_size=300),
        base64_like,
        st.binary(max_size=200).map(lambda rest: b"\x03" + rest),
        st.binary(min_size=150, max_size=200).map(lambda rest: b"\x03\x0a\x20" + rest),
        st.binary(max_size=200).map(lambda rest: b"\x04\x08\x00\x12\x10" + rest),
    ),
    kind=st.integers(),
)
def test_garbage_breaks_no_seal_and_no_program(garbage: bytes, kind: int) -> None:
    for attempt in (
        lambda: _back.open(kind, garbage),
        lambda: _back.open(PRE_KEY, garbage),
        lambda: _back.open(NORMAL, garbage),
        lambda: _bob.keys.open_first(_alice.keys.curve25519, garbage),
        lambda: _bob.keys.open_first(garbage, garbage),
        lambda: _alice.keys.start(garbage, garbage),
        lambda: first_session_id(garbage),
        lambda: _reader.open(garbage),
        lambda: GroupIn.from_session_key(garbage),
        lambda: GroupIn.import_(garbage),
        lambda: GroupIn.from_pickle(garbage, KEY),
        lambda: GroupOut.from_pickle(garbage, KEY),
        lambda: OlmSession.from_pickle(garbage, KEY),
        lambda: DeviceKeys.from_pickle(garbage, KEY),
    ):
        try:
            attempt()
        except SealBroken:
            continue
        assert len(garbage) == 32, "garbage was accepted"
    assert not _back.matches(kind, garbage)
    assert _back.open(*_out.seal(b"still here")) == b"still here"
    assert _reader.open(_group.seal(b"still here"))[0] == b"still here"

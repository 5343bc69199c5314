"""Megolm behind its border: what a session key opens, and what nobody may pass off as one."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from coterie.base.errors import SealBroken
from coterie.e2ee.vodo import GroupIn, GroupOut
from tests.e2ee.pair import forgeries

KEY = bytes(range(32))


def test_a_session_key_whose_signer_has_low_order_is_refused() -> None:
    """With the neutral point as key and nonce, S = 0 satisfies the bare Ed25519 equation for everything."""
    genuine = base64.b64decode(GroupOut.create().session_key() + b"==")
    neutral = b"\x01" + bytes(31)
    forged = base64.b64encode(genuine[:133] + neutral + neutral + bytes(32)).rstrip(b"=")
    with pytest.raises(SealBroken):
        GroupIn.from_session_key(forged)


def test_a_group_session_goes_on_after_any_number_of_forgeries() -> None:
    group = GroupOut.create()
    reader = GroupIn.from_session_key(group.session_key())
    group.seal(b"index 0, which an altered encoding may leave out")
    message = group.seal(b"genuine")
    for wrong in forgeries(message, 600):
        with pytest.raises(SealBroken):
            reader.open(wrong)
    assert reader.first_index == 0
    assert reader.open(message) == (b"genuine", 1)


def test_a_message_of_another_session_does_not_open() -> None:
    group, other = GroupOut.create(), GroupOut.create()
    with pytest.raises(SealBroken):
        GroupIn.from_session_key(group.session_key()).open(other.seal(b"x"))


def test_a_session_key_opens_from_its_index_on() -> None:
    group = GroupOut.create()
    early = group.seal(b"early")
    late_reader = GroupIn.from_session_key(group.session_key())
    assert late_reader.first_index == group.index == 1
    with pytest.raises(SealBroken):
        late_reader.open(early)
    assert late_reader.open(group.seal(b"late")) == (b"late", 1)


def test_a_restored_sending_session_repeats_an_index() -> None:
    """Why outbound state is never cloned, and why receivers dedupe by (session, index)."""
    group = GroupOut.create()
    reader = GroupIn.from_session_key(group.session_key())
    saved = group.pickle(KEY)
    first = reader.open(group.seal(b"one thing"))
    second = reader.open(GroupOut.from_pickle(saved, KEY).seal(b"another"))
    assert (first[1], second[1]) == (0, 0)
    assert first[0] != second[0]


def test_exports_are_not_session_keys_and_altered_ones_keep_their_id() -> None:
    """So an export is taken from one's own archive alone: nothing in it proves who made it."""
    group = GroupOut.create()
    reader = GroupIn.from_session_key(group.session_key())
    message = group.seal(b"x")
    exported = reader.export_at(0)
    with pytest.raises(SealBroken):
        GroupIn.from_session_key(exported)
    with pytest.raises(SealBroken):
        GroupIn.import_(group.session_key())
    again = GroupIn.import_(exported)
    assert (again.id, again.open(message)) == (reader.id, (b"x", 0))
    raw = bytearray(base64.b64decode(exported))
    raw[10] ^= 1
    altered = GroupIn.import_(base64.b64encode(raw).rstrip(b"="))
    assert altered.id == reader.id
    with pytest.raises(SealBroken):
        altered.open(message)


def test_altered_session_keys_are_refused() -> None:
    raw = base64.b64decode(GroupOut.create().session_key() + b"==")
    for place in range(0, len(raw), 3):
        wrong = bytearray(raw)
        wrong[place] ^= 1
        with pytest.raises(SealBroken):
            GroupIn.from_session_key(base64.b64encode(wrong).rstrip(b"="))


def test_exports_begin_at_their_index() -> None:
    group = GroupOut.create()
    group.seal(b"x")
    reader = GroupIn.from_session_key(group.session_key())
    assert GroupIn.import_(reader.export_at(5)).first_index == 5
    for index in (0, -1, 1 << 32, 1 << 70):
        with pytest.raises(SealBroken):
            reader.export_at(index)


@pytest.mark.parametrize(
    "alter",
    [
        lambda key: key + b"==",
        lambda key: key[:-1],
        lambda key: key + b"A",
        lambda key: key + b"AAAA",
        lambda key: key.replace(key[5:6], b"-", 1),
        lambda key: b"\xff" + key[1:],
        lambda key: key[:-1] + b"\n",
        lambda key: "é".encode() * 153,
        lambda key: b"",
    ],
)
def test_session_keys_in_any_other_base64_are_refused(alter: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SealBroken):
        GroupIn.from_session_key(alter(GroupOut.create().session_key()))

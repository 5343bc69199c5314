"""Messages to a conversation: what they say is committed to, padded, and bound to its place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, SessionId
from coterie.content.padding import padded_size
from coterie.e2ee.group import (
    InnerMessage,
    KeyShare,
    LeftOut,
    Parent,
    accept_share,
    check_place,
    commit,
    count_began,
    open_message,
    seal_message,
)
from coterie.e2ee.vodo import GroupIn, GroupOut
from tests.e2ee.pair import (
    CONVERSATION,
    MEMBERSHIP,
    MESSAGE,
    Person,
    forgeries,
    inner_message,
    person,
    sealed_by,
)
from tests.examples import examples

PREFIX = prefix(Domain.GROUP_MESSAGE)
INNER = prefix(Domain.INNER_MESSAGE)
"""What an inner message begins with, and is sealed without."""


def group() -> tuple[GroupOut, GroupIn]:
    out = GroupOut.create()
    return out, GroupIn.from_session_key(out.session_key())


def share_of(out: GroupOut, **changes: object) -> KeyShare:
    share = KeyShare(CONVERSATION, MEMBERSHIP, out.id, out.session_key(), out.index, b"", 0, b"")
    return msgspec.structs.replace(share, **changes)


def test_a_message_says_on_the_other_side_what_it_said(alice: Person) -> None:
    out, reader = group()
    inner = msgspec.structs.replace(
        inner_message(alice, n=3, body="héllo 🙂".encode()),
        parents=(Parent(b"i" * 32, DeviceId(b"o" * 16), 9),),
        left_out=(LeftOut(AccountId(b"l" * 32), DeviceId(b"l" * 16), Code.BAD_PREKEY.value),),
        head=b"head",
    )
    sealed = seal_message(out, inner, padded_size)
    opened = open_message(reader, sealed.ciphertext, sealed.commitment)
    assert opened.inner == inner
    assert opened.packed == sealed.inner == inner.pack()
    assert opened.hash == sealed.hash == hashlib.sha256(sealed.inner).digest()
    assert (opened.franking_key, opened.index) == (sealed.franking_key, sealed.index)
    assert commit(opened.franking_key, opened.packed) == sealed.commitment


def test_indices_count_up_and_every_message_has_its_own_franking_key(alice: Person) -> None:
    out, reader = group()
    first, second = sealed_by(out, alice, n=1), sealed_by(out, alice, n=1)
    assert (first.index, second.index) == (0, 1)
    assert first.franking_key != second.franking_key
    assert first.commitment != second.commitment
    assert first.hash == second.hash
    assert open_message(reader, second.ciphertext, second.commitment).index == 1


@pytest.mark.parametrize("size", [1, 20, 60, 100, 300, 5000, limits.TEXT_BYTES])
def test_length_shows_in_powers_of_two_alone(size: int, alice: Person) -> None:
    out, reader = group()
    sealed = sealed_by(out, alice, body=b"x" * size)
    overhead = len(sealed.ciphertext) - padded_size(len(sealed.inner) - len(INNER) + len(PREFIX) + 36)
    assert 0 < overhead < 128
    assert len(sealed.ciphertext) <= limits.CIPHERTEXT_BYTES
    assert open_message(reader, sealed.ciphertext, sealed.commitment).inner.body == b"x" * size


def test_short_texts_come_in_two_sizes(alice: Person) -> None:
    out, _ = group()
    sizes = {len(sealed_by(out, alice, body=b"x" * size).ciphertext) for size in range(1, 120)}
    assert len(sizes) == 2


def test_a_commitment_to_anything_else_is_refused(alice: Person) -> None:
    out, reader = group()
    sealed, other = sealed_by(out, alice, body=b"one"), sealed_by(out, alice, body=b"two")
    for wrong in (
        other.commitment,
        bytes(32),
        b"",
        sealed.commitment[:-1],
        sealed.commitment + b"\x00",
        commit(other.franking_key, sealed.inner),
        commit(sealed.franking_key, other.inner),
    ):
        with pytest.raises(SealBroken, match="commitment"):
            open_message(reader, sealed.ciphertext, wrong)
    open_message(reader, sealed.ciphertext, sealed.commitment)


def test_no_forgery_opens_as_anything_else_and_the_genuine_one_still_does(alice: Person) -> None:
    out, reader = group()
    sealed_by(out, alice)
    sealed = sealed_by(out, alice, body=b"genuine")
    for wrong in forgeries(sealed.ciphertext, 400):
        with pytest.raises(SealBroken):
            open_message(reader, wrong, sealed.commitment)
    assert open_message(reader, sealed.ciphertext, sealed.commitment).inner.body == b"genuine"


def test_an_altered_encoding_is_the_same_message(alice: Person) -> None:
    """Hash, index and commitment stay: nothing is told apart by its ciphertext."""
    out, reader = group()
    sealed = sealed_by(out, alice)
    altered = sealed.ciphertext[:-72] + b"\x18\x01" + sealed.ciphertext[-72:]
    genuine = open_message(reader, sealed.ciphertext, sealed.commitment)
    assert open_message(reader, altered, sealed.commitment) == genuine


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        PREFIX,
        PREFIX[:-1] + b"\x02" + bytes(300),
        prefix(Domain.KEY_SHARE) + bytes(300),
        PREFIX + bytes(35),
        PREFIX + b"k" * 32 + b"\xff\xff\xff\xff" + bytes(100),
        PREFIX + b"k" * 32 + b"\x00\x00\x00\x65" + bytes(100),
        PREFIX + b"k" * 32 + bytes(4) + bytes(100),
    ],
)
def test_a_member_that_seals_garbage_breaks_nothing(plaintext: bytes) -> None:
    """Sealed with a real session: only what is inside is wrong, and its commitment is right."""
    out, reader = group()
    key_and_inner = plaintext[len(PREFIX) :]
    end = 36 + int.from_bytes(key_and_inner[32:36], "big")
    with pytest.raises(SealBroken):
        open_message(reader, out.seal(plaintext), commit(key_and_inner[:32], INNER + key_and_inner[36:end]))


@pytest.mark.parametrize(("n", "previous"), [(1, b"h" * 32), (2, b""), (2, b"h" * 31)])
def test_a_message_names_the_one_before_it_where_there_is_one(n: int, previous: bytes, alice: Person) -> None:
    """Refused on both sides: who leaves it out would hide which message of theirs came before."""
    out, reader = group()
    wrong = msgspec.structs.replace(inner_message(alice), n=n, previous=previous)
    with pytest.raises(LocalError):
        seal_message(out, wrong, padded_size)
    content = msgspec.msgpack.encode(wrong)
    plain = PREFIX + b"k" * 32 + len(content).to_bytes(4, "big") + content
    with pytest.raises(SealBroken, match="contradicts"):
        open_message(reader, out.seal(plain), commit(b"k" * 32, INNER + content))


def test_padding_carries_nothing(alice: Person) -> None:
    out, reader = group()
    packed = inner_message(alice).pack()
    content = packed.removeprefix(INNER)
    plain = PREFIX + b"k" * 32 + len(content).to_bytes(4, "big") + content
    commitment = commit(b"k" * 32, packed)
    open_message(reader, out.seal(plain + bytes(50)), commitment)
    for padding in (b"hidden", bytes(20) + b"\x01", b"\x01" + bytes(20)):
        with pytest.raises(SealBroken, match="padding"):
            open_message(reader, out.seal(plain + padding), commitment)


def test_a_length_beyond_the_end_is_refused(alice: Person) -> None:
    out, reader = group()
    packed = inner_message(alice).pack()
    content = packed.removeprefix(INNER)
    plain = PREFIX + b"k" * 32 + (len(content) + 1).to_bytes(4, "big") + content
    with pytest.raises(SealBroken, match="padding"):
        open_message(reader, out.seal(plain), commit(b"k" * 32, packed))


def test_another_suite_is_refused_as_such(alice: Person) -> None:
    out, reader = group()
    packed = inner_message(alice).pack()
    content = packed.removeprefix(INNER)
    newer = PREFIX[:-1] + b"\x02" + b"k" * 32 + len(content).to_bytes(4, "big") + content
    with pytest.raises(SealBroken) as refused:
        open_message(reader, out.seal(newer), commit(b"k" * 32, packed))
    assert refused.value.code is Code.BAD_SUITE


def test_a_message_counts_only_where_its_entry_stands(alice: Person, mallory: Person) -> None:
    out, reader = group()
    sealed = sealed_by(out, alice)
    inner = open_message(reader, sealed.ciphertext, sealed.commitment).inner
    place = (CONVERSATION, alice.party.account, alice.party.device, MESSAGE)
    check_place(inner, *place)
    for wrong in (
        (ConversationId(b"d" * 16), *place[1:]),
        (place[0], mallory.party.account, *place[2:]),
        (*place[:2], mallory.party.device, place[3]),
        (*place[:3], MessageId(b"n" * 16)),
    ):
        with pytest.raises(SealBroken):
            check_place(inner, *wrong)


def test_a_squatted_session_gives_nobody_anothers_words(alice: Person, mallory: Person) -> None:
    """Mallory passes Alice's session key on as her own: same session id, and Alice's messages open with it,
    but they name Alice, and Mallory cannot seal with it."""
    out, _ = group()
    squatted = accept_share(share_of(out))
    sealed = sealed_by(out, alice)
    opened = open_message(squatted, sealed.ciphertext, sealed.commitment)
    with pytest.raises(SealBroken, match="another device"):
        check_place(opened.inner, CONVERSATION, mallory.party.account, mallory.party.device, MESSAGE)


def test_a_share_must_be_what_it_says() -> None:
    out, _ = group()
    out.seal(b"x")
    session = accept_share(share_of(out))
    assert (session.id, session.first_index) == (out.id, 1)
    for wrong in (
        share_of(out, session=SessionId(b"s" * 32)),
        share_of(out, session=GroupOut.create().id),
        share_of(out, index=0),
        share_of(out, index=2),
        share_of(out, session_key=b"A" * 306),
    ):
        with pytest.raises(SealBroken):
            accept_share(wrong)


def test_an_export_of_a_session_is_no_share() -> None:
    """Whoever got a session by a share cannot give it to others with an earlier or altered ratchet."""
    out, reader = group()
    exported = reader.export_at(0)
    with pytest.raises(LocalError):
        share_of(out, session_key=exported).pack()
    with pytest.raises(SealBroken):
        accept_share(share_of(out, session_key=exported.ljust(306, b"A")))


def test_limits_hold_before_anything_is_sealed(alice: Person) -> None:
    out, _ = group()
    parent = Parent(b"h" * 32, alice.party.device, 1)
    with pytest.raises(LocalError):
        seal_message(out, msgspec.structs.replace(inner_message(alice), parents=(parent,) * 8), padded_size)
    seal_message(out, msgspec.structs.replace(inner_message(alice), parents=(parent,) * 7), padded_size)
    with pytest.raises(LocalError) as refused:
        sealed_by(out, alice, body=bytes(300 * 1024))
    assert refused.value.code is Code.TOO_LARGE
    assert out.index == 1


def test_the_largest_text_with_the_most_left_out_still_goes(alice: Person) -> None:
    out, reader = group()
    left = LeftOut(AccountId(b"l" * 32), DeviceId(b"l" * 16), Code.MAILBOX_FULL.value)
    inner = inner_message(alice, body=b"x" * limits.TEXT_BYTES)
    sealed = seal_message(out, msgspec.structs.replace(inner, left_out=(left,) * 2000), padded_size)
    assert len(open_message(reader, sealed.ciphertext, sealed.commitment).inner.left_out) == 2000


def test_nothing_of_a_message_shows(alice: Person) -> None:
    out, reader = group()
    sealed = sealed_by(out, alice, body=b"secret words")
    opened = open_message(reader, sealed.ciphertext, sealed.commitment)
    assert (repr(sealed), repr(opened)) == ("<SealedMessage>", "<Opened>")


_alice = person("a")
_out, _reader = group()
ids16, ids32 = st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
naturals = st.integers(0, 1 << 62)


def begins(n: int) -> bool:
    return n == count_began(n) + 1


inner_messages: st.SearchStrategy[InnerMessage] = st.builds(
    InnerMessage,
    conversation=ids16.map(ConversationId),
    account=ids32.map(AccountId),
    device=ids16.map(DeviceId),
    membership_hash=ids32,
    message=ids16.map(MessageId),
    n=st.integers(1, 1 << 62).filter(lambda n: n > count_began(n)),
    previous=ids32,
    parents=st.lists(st.builds(Parent, ids32, ids16, st.integers(1, 99)), max_size=7).map(tuple),
    left_out=st.lists(st.builds(LeftOut, ids32, ids16, st.text(max_size=32)), max_size=3).map(tuple),
    time_ms=naturals,
    head=st.binary(max_size=200),
    body=st.binary(max_size=600),
).map(lambda each: msgspec.structs.replace(each, previous=b"" if begins(each.n) else each.previous))


@settings(max_examples=examples(100), deadline=None)
@given(inner=inner_messages)
def test_every_inner_message_makes_the_way(inner: InnerMessage) -> None:
    sealed = seal_message(_out, inner, padded_size)
    assert open_message(_reader, sealed.ciphertext, sealed.commitment).inner == inner


@settings(max_examples=examples(200), deadline=None)
@given(garbage=st.binary(max_size=400), sealed_by_a_member=st.booleans())
def test_garbage_is_refused(garbage: bytes, sealed_by_a_member: bool) -> None:
    ciphertext = _out.seal(garbage) if sealed_by_a_member else garbage
    with pytest.raises(SealBroken):
        open_message(_reader, ciphertext, bytes(32))
    attempts: tuple[Callable[[], object], ...] = (
        lambda: InnerMessage.unpack(garbage),
        lambda: KeyShare.unpack(garbage),
        lambda: accept_share(share_of(_out, session_key=garbage)),
    )
    for attempt in attempts:
        with pytest.raises(SealBroken):
            attempt()

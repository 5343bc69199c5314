"""The key file: whole or not there, readable by either key, and never a riddle when it is damaged."""

from __future__ import annotations

import stat
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import LocalError, Refused, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.client.store.keys import (
    KEY_FILE_BYTES,
    KeyFile,
    StoreWrap,
    StoreWrapKind,
    new_database_key,
    open_database_key,
    pack,
    read_key_file,
    unpack,
    wrap_database_key,
    write_key_file,
)
from coterie.client.store.profiles import ProfilePlace
from tests.client.store.places import DATABASE_KEY, PASSWORD_KEY, RECOVERY_KEY, sample_key_file

NUMBER = st.integers(0, 2**32)
WRAPS = st.builds(
    StoreWrap,
    st.sampled_from(StoreWrapKind),
    st.binary(min_size=12, max_size=12),
    st.binary(min_size=48, max_size=48),
)
KEY_FILES = st.builds(
    KeyFile,
    name=st.text(st.characters(exclude_categories=["Cs"]), max_size=32).map(UserName),
    founding=st.binary(min_size=32, max_size=32).map(AccountId),
    random=st.binary(min_size=16, max_size=16),
    memory_kib=NUMBER,
    passes=NUMBER,
    lanes=NUMBER,
    wraps=st.lists(WRAPS, max_size=3).map(tuple),
)


@dataclass(frozen=True)
class Opener:
    kind: StoreWrapKind
    key: bytes


PASSWORD = Opener(StoreWrapKind.PASSWORD, PASSWORD_KEY)
RECOVERY = Opener(StoreWrapKind.RECOVERY, RECOVERY_KEY)


@pytest.mark.parametrize("opener", [PASSWORD, RECOVERY])
def test_either_key_opens(place: ProfilePlace, opener: Opener) -> None:
    assert open_database_key(read_key_file(place), opener.kind, opener.key) == DATABASE_KEY


@pytest.mark.parametrize(
    "opener",
    [
        Opener(StoreWrapKind.PASSWORD, b"x" * 32),
        Opener(StoreWrapKind.PASSWORD, RECOVERY_KEY),
        Opener(StoreWrapKind.RECOVERY, PASSWORD_KEY),
    ],
)
def test_another_key_does_not(opener: Opener) -> None:
    with pytest.raises(Refused) as raised:
        open_database_key(sample_key_file(), opener.kind, opener.key)
    assert raised.value.code is Code.WRONG_CREDENTIALS


def test_a_wrapping_says_what_it_is_for() -> None:
    """One key used for both: the wrapping of the one does not pass for that of the other."""
    wrapped = wrap_database_key(DATABASE_KEY, PASSWORD_KEY, StoreWrapKind.PASSWORD)
    renamed = msgspec.structs.replace(wrapped, kind=StoreWrapKind.RECOVERY)
    file = msgspec.structs.replace(sample_key_file(), wraps=(renamed,))
    for kind in StoreWrapKind:
        with pytest.raises(Refused):
            open_database_key(file, kind, PASSWORD_KEY)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_keys_of_another_length_are_a_bug(length: int) -> None:
    with pytest.raises(LocalError):
        wrap_database_key(bytes(length), PASSWORD_KEY, StoreWrapKind.PASSWORD)
    with pytest.raises(LocalError):
        wrap_database_key(DATABASE_KEY, bytes(length), StoreWrapKind.PASSWORD)
    with pytest.raises(LocalError):
        open_database_key(sample_key_file(), StoreWrapKind.PASSWORD, bytes(length))


def test_keys_and_wrappings_are_never_the_same_twice() -> None:
    assert new_database_key() != new_database_key()
    first, second = (wrap_database_key(DATABASE_KEY, PASSWORD_KEY, StoreWrapKind.PASSWORD) for _ in range(2))
    assert first.nonce != second.nonce
    assert first.ciphertext != second.ciphertext


@settings(max_examples=50, deadline=None)
@given(KEY_FILES)
def test_unpack_undoes_pack(key_file: KeyFile) -> None:
    assert unpack(pack(key_file)) == key_file


GARBAGE = (
    st.binary(max_size=300)
    | st.binary(max_size=300).map(lambda data: prefix(Domain.STORE_WRAP) + data)
    | st.recursive(st.integers() | st.binary() | st.text(), lambda inner: st.lists(inner, max_size=8)).map(
        lambda value: prefix(Domain.STORE_WRAP) + msgspec.msgpack.encode(str(value)[:99])
    )
    | KEY_FILES.map(lambda file: pack(file)[:-1])
    | KEY_FILES.map(lambda file: pack(file) + b"\x00")
    | st.tuples(KEY_FILES, st.binary(max_size=47)).map(
        lambda both: pack(
            msgspec.structs.replace(both[0], wraps=(StoreWrap(StoreWrapKind.PASSWORD, bytes(12), both[1]),))
        )
    )
)


@settings(max_examples=100, deadline=None)
@given(GARBAGE)
def test_garbage_is_named_as_damage(data: bytes) -> None:
    with pytest.raises(Unavailable) as raised:
        unpack(data)
    assert raised.value.code is Code.DAMAGED
    assert raised.value.note.startswith("the key file of this profile is damaged")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_opens_nothing(position: int, change: int) -> None:
    """It is damage, or another key file: which the keys, the salt or the parameters then do not fit."""
    whole = sample_key_file()
    data = bytearray(pack(whole))
    data[position % len(data)] ^= change
    try:
        changed = unpack(bytes(data))
    except Unavailable:
        return
    assert changed != whole


@pytest.mark.parametrize("content", [b"", b"\xff" * 1000, bytes(KEY_FILE_BYTES + 1), b"[" * 100_000])
def test_a_damaged_file(place: ProfilePlace, content: bytes) -> None:
    place.key_file.write_bytes(content)
    with pytest.raises(Unavailable) as raised:
        read_key_file(place)
    assert raised.value.code is Code.DAMAGED


@pytest.mark.parametrize("more", [b"\x00", b"\x91" * 60_000], ids=["a number", "a deep nest"])
def test_one_value_too_many_is_damage(more: bytes) -> None:
    packed = msgspec.msgpack.encode(sample_key_file())
    longer = bytes((packed[0] + 1,)) + packed[1:] + more
    with pytest.raises(Unavailable) as raised:
        unpack(prefix(Domain.STORE_WRAP) + longer)
    assert raised.value.code is Code.DAMAGED


def test_no_file_is_no_profile(place: ProfilePlace) -> None:
    place.key_file.unlink()
    with pytest.raises(Refused) as raised:
        read_key_file(place)
    assert raised.value.code is Code.NO_PROFILE


def test_a_key_file_is_replaced_on_purpose_only(place: ProfilePlace) -> None:
    before = read_key_file(place)
    other = msgspec.structs.replace(before, wraps=before.wraps[:1])
    with pytest.raises(Refused) as raised:
        write_key_file(place, other)
    assert raised.value.code is Code.PROFILE_EXISTS
    assert read_key_file(place) == before
    place.key_file.with_name("keys.new").write_bytes(b"what a crash left")
    write_key_file(place, other, replace=True)
    assert read_key_file(place) == other
    assert stat.S_IMODE(place.key_file.stat().st_mode) == 0o600
    assert sorted(path.name for path in place.folder.iterdir()) == ["keys", "store.db"]


def test_a_folder_that_is_gone(place: ProfilePlace) -> None:
    nowhere = ProfilePlace(place.folder / "nowhere", "alice")
    with pytest.raises(Unavailable) as raised:
        write_key_file(nowhere, sample_key_file())
    assert raised.value.code is Code.DISK
    assert "nowhere" not in str(raised.value)

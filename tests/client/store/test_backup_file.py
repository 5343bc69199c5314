"""The backup file: whole or not at all, for its owner alone, and nothing else is taken for one."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.domains import Domain, wrap
from coterie.base.errors import Unavailable
from coterie.base.ids import UserName
from coterie.client.store import keys
from coterie.client.store.backup_file import (
    LENGTH_BYTES,
    VERSION,
    BackupHead,
    copy_database,
    read_backup,
    write_backup,
)
from tests.client.store.places import sample_key_file

DATABASE = b"pages" * 20_000
KEY_FILE = sample_key_file()


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backups") / "good"
    write_backup(path, KEY_FILE, 7, lambda target: write(target, DATABASE))
    return path


def write(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def refused(path: Path) -> Code:
    with pytest.raises(Unavailable) as raised:
        read_backup(path)
    return raised.value.code


def sealed_with(path: Path, packed: bytes) -> Path:
    """A file of that head whose digest is right, over a database of two bytes."""
    rest = b"db" + packed + len(packed).to_bytes(LENGTH_BYTES, "big")
    path.write_bytes(rest + hashlib.sha256(rest).digest())
    return path


def test_what_goes_in_comes_out(good: Path, tmp_path: Path) -> None:
    backup = read_backup(good)
    assert (backup.made_ms, backup.database_bytes, backup.key_file) == (7, len(DATABASE), KEY_FILE)
    copy_database(good, backup, tmp_path / "store.db")
    assert (tmp_path / "store.db").read_bytes() == DATABASE
    for path in (good, tmp_path / "store.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_is_written_over(good: Path, tmp_path: Path) -> None:
    before = good.read_bytes()
    with pytest.raises(Unavailable) as raised:
        write_backup(good, KEY_FILE, 8, lambda target: write(target, b"other"))
    assert raised.value.code is Code.DISK
    assert good.read_bytes() == before
    with pytest.raises(Unavailable):
        copy_database(good, read_backup(good), good)


def test_what_fails_midway_leaves_nothing(tmp_path: Path) -> None:
    def full(target: Path) -> None:
        target.write_bytes(b"half")
        raise Unavailable(Code.DISK, "no space is left")

    with pytest.raises(Unavailable):
        write_backup(tmp_path / "backup", KEY_FILE, 7, full)
    assert list(tmp_path.iterdir()) == []


@given(place=st.integers(0, len(DATABASE) + 500), bit=st.integers(0, 7))
def test_any_changed_bit_is_noticed(good: Path, place: int, bit: int) -> None:
    content = bytearray(good.read_bytes())
    content[place % len(content)] ^= 1 << bit
    changed = good.with_name("changed")
    changed.write_bytes(content)
    assert refused(changed) is Code.DAMAGED


@given(cut=st.integers(1, len(DATABASE) + 500))
def test_any_cut_is_noticed(good: Path, cut: int) -> None:
    short = good.with_name("short")
    short.write_bytes(good.read_bytes()[: -min(cut, good.stat().st_size)])
    assert refused(short) is Code.DAMAGED


@given(data=st.binary(max_size=400))
def test_garbage_is_no_backup(good: Path, data: bytes) -> None:
    garbage = good.with_name("garbage")
    garbage.write_bytes(data)
    assert refused(garbage) is Code.DAMAGED


@given(packed=st.binary(max_size=400))
def test_garbage_under_a_right_digest_is_no_backup(good: Path, packed: bytes) -> None:
    for head in (packed, wrap(Domain.BACKUP, packed)):
        assert refused(sealed_with(good.with_name("sealed"), head)) is Code.DAMAGED


@pytest.mark.parametrize("name", ["../../bob", "Bob", "", "a/b"])
def test_a_name_that_nobody_can_have_is_no_backup(tmp_path: Path, name: str) -> None:
    hostile = msgspec.structs.replace(KEY_FILE, name=UserName(name))
    head = BackupHead(VERSION, 1, 2, keys.pack(hostile)).pack()
    assert refused(sealed_with(tmp_path / "hostile", head)) is Code.DAMAGED


def test_a_head_that_is_good_is_taken(tmp_path: Path) -> None:
    head = BackupHead(VERSION, 1, 2, keys.pack(KEY_FILE))
    assert read_backup(sealed_with(tmp_path / "one", head.pack())).database_bytes == 2
    longer = msgspec.structs.replace(head, database_bytes=3).pack()
    assert refused(sealed_with(tmp_path / "two", longer)) is Code.DAMAGED


def test_a_newer_version_is_said(tmp_path: Path) -> None:
    head = BackupHead(VERSION + 1, 1, 2, b"something new").pack()
    assert refused(sealed_with(tmp_path / "newer", head)) is Code.NEWER_SCHEMA


def test_one_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing") is Code.DISK

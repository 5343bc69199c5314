"""How many frames of a log were on the disk for certain: logs that SQLite has written, and garbage."""

from __future__ import annotations

import io
from pathlib import Path

import apsw
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.write_ahead_log import FRAME_HEADER_BYTES, HEADER_BYTES, synced_frames

PAGE_BYTES = 512
FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES


def log_of(folder: Path, commits: int, *, begun_anew: bool = False) -> bytes:
    """The log that so many commits of one page each leave; begun_anew: over an older one."""
    connection = apsw.Connection(str(folder / "some.db"))
    for sql in (f"PRAGMA page_size = {PAGE_BYTES}", "PRAGMA journal_mode = wal", "CREATE TABLE t (a)"):
        connection.execute(sql).fetchall()
    if begun_anew:
        for _ in range(20):
            connection.execute("INSERT INTO t VALUES (1)").fetchall()
    connection.execute("PRAGMA wal_checkpoint(restart)").fetchall()
    for _ in range(commits):
        connection.execute("INSERT INTO t VALUES (1)").fetchall()
    log = (folder / "some.db-wal").read_bytes()
    connection.close()
    return log


def test_all_but_the_last_commit_was_synced_for_certain(tmp_path: Path) -> None:
    log = log_of(tmp_path, 5)
    assert len(log) == HEADER_BYTES + 5 * FRAME_BYTES
    assert synced_frames(io.BytesIO(log)) == 4
    assert synced_frames(io.BytesIO(log[:-1])) == 4, "the page of the last one may be missing"
    assert synced_frames(io.BytesIO(log[:-FRAME_BYTES])) == 3


def test_frames_of_an_older_log_count_for_nothing(tmp_path: Path) -> None:
    log = log_of(tmp_path, 5, begun_anew=True)
    assert len(log) > HEADER_BYTES + 20 * FRAME_BYTES
    assert synced_frames(io.BytesIO(log)) == 4


def test_a_frame_that_was_spoiled_hides_no_later_one(tmp_path: Path) -> None:
    log = bytearray(log_of(tmp_path, 5))
    salt = HEADER_BYTES + FRAME_BYTES + 8
    log[salt] ^= 1
    assert synced_frames(io.BytesIO(bytes(log))) == 4


def test_frames_without_a_commit_are_no_loss(tmp_path: Path) -> None:
    """A transaction that was rolled back, or never came to its end."""
    log = bytearray(log_of(tmp_path, 5))
    for frame in (2, 3, 4):
        at = HEADER_BYTES + frame * FRAME_BYTES + 4
        log[at : at + 4] = bytes(4)
    assert synced_frames(io.BytesIO(bytes(log))) == 2


@given(st.binary(max_size=200))
def test_garbage_is_no_log(data: bytes) -> None:
    assert synced_frames(io.BytesIO(data)) == 0


@given(st.binary(max_size=4 * FRAME_BYTES))
def test_garbage_behind_a_header_is_counted_at_most(rest: bytes) -> None:
    header = bytes.fromhex("377f0682002de218") + PAGE_BYTES.to_bytes(4, "big") + bytes(20)
    assert 0 <= synced_frames(io.BytesIO(header + rest)) <= len(rest) / FRAME_BYTES

"""The mark of what `coterie listen` has printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base.errors import Unavailable
from coterie.cli.commands.listened import FILE, Listened


def test_a_profile_that_never_listened_begins_at_the_beginning(tmp_path: Path) -> None:
    with Listened(tmp_path) as listened:
        assert listened.order == 0


def test_the_mark_is_there_at_once(tmp_path: Path) -> None:
    with Listened(tmp_path) as listened:
        for order in (3, 1 << 40, 2):
            listened.order = order
            with Listened(tmp_path) as other:
                assert other.order == order
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\1", bytes(7)])
def test_a_mark_that_was_cut_short_counts_as_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    with Listened(tmp_path) as listened:
        assert listened.order == 0


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Listened(tmp_path / "gone")

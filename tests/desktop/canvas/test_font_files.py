from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.desktop.canvas.font_files import FontFiles, character_map
from tests.examples import examples


def table(groups: list[tuple[int, int]], kind: int = 12) -> bytes:
    """A character map with these ranges."""
    if kind == 12:
        body = b"".join(struct.pack(">III", first, last, 1) for first, last in groups)
        sub = struct.pack(">HHIII", 12, 0, 16 + len(body), 0, len(groups)) + body
        return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + sub
    ends = [*(last for _, last in groups), 0xFFFF]
    starts = [*(first for first, _ in groups), 0xFFFF]
    count = len(ends)
    segments = struct.pack(f">{count}H", *ends) + b"\0\0" + struct.pack(f">{count}H", *starts)
    sub = struct.pack(">HHHHHHH", 4, 14 + len(segments), 0, 2 * count, 0, 0, 0) + segments
    return struct.pack(">HHHHI", 0, 1, 3, 1, 12) + sub


def font(cmap: bytes, *, collection: bool = False, extra: bytes | None = None) -> bytes:
    """A font file that has nothing but a character map."""
    start = 16 if collection else 0
    names = [b"cmap", *([extra] if extra else [])]
    offset = start + 12 + 16 * len(names)
    head = struct.pack(">4sHHHH", b"\0\1\0\0", len(names), 0, 0, 0)
    entries = b"".join(struct.pack(">4sIII", name, 0, offset, len(cmap)) for name in names)
    prefix = struct.pack(">4sIII", b"ttcf", 0x10000, 1, start) if collection else b""
    return prefix + head + entries + cmap


@pytest.mark.parametrize("kind", [4, 12])
@pytest.mark.parametrize("collection", [False, True])
def test_the_characters_of_a_font_are_known(tmp_path: Path, kind: int, collection: bool) -> None:
    path = tmp_path / "a.ttf"
    path.write_bytes(font(table([(0x20, 0x7E), (0x5D0, 0x5EA)], kind), collection=collection))
    assert character_map(path) == ((0x20, 0x7E), (0x5D0, 0x5EA))


def test_the_likeliest_font_that_has_the_character_is_taken(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name, ranges in (
        ("sub/DejaVuSans.ttf", [(0x20, 0x7E)]),
        ("DejaVuSans-Bold.ttf", [(0x20, 0x7E)]),
        ("Zed.ttf", [(0x900, 0x97F)]),
        ("NotoColorEmoji.ttf", [(0x1F600, 0x1F64F)]),
    ):
        extra = b"CBDT" if "Color" in name else None
        (tmp_path / name).write_bytes(font(table(ranges), extra=extra))
    (tmp_path / "broken.ttf").write_bytes(b"\0\1\0\0\xff\xff")
    files = FontFiles((tmp_path, tmp_path / "missing"))
    found = files.having("a", False)
    assert found is not None
    assert found.path.name == "DejaVuSans.ttf"
    bold = files.having("a", True)
    assert bold is not None
    assert bold.path.name == "DejaVuSans-Bold.ttf"
    shaping = files.having("ह", False)
    assert shaping is not None
    assert shaping.path.name == "Zed.ttf"
    assert files.having("😀", False) is None
    assert files.having("م", False) is None


@settings(max_examples=examples(100))
@given(data=st.binary(max_size=300) | st.binary(max_size=200).map(font))
def test_any_file_is_a_font_or_has_nothing(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.ttf"
    path.write_bytes(data)
    for first, last in character_map(path):
        assert first <= last

"""Finds a font file of this machine that has a character, for text that Pillow draws.

Only the character map of a font is read (OpenType 1.9, cmap, formats 4 and 12). Fonts with coloured glyphs
are left out, and a file that cannot be read counts as having nothing.
"""

from __future__ import annotations

import os
import struct
import sys
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

FILES_MAX: Final = 400
"""Files whose character maps are read at most."""
CMAP_MAX_BYTES: Final = 4 << 20
_SUFFIXES: Final = frozenset((".ttf", ".otf", ".ttc"))
_COLOURED: Final = frozenset((b"CBDT", b"COLR", b"sbix", b"SVG "))
_PREFERRED: Final = (
    "inter", "notosans", "notonaskharabicui", "segoeui", "sfns", "arialunicode", "dejavusans", "arial",
    "liberationsans", "freesans", "notonaskharabic", "noto",
)  # fmt: skip
_AVOIDED: Final = (
    "mono",
    "serif",
    "italic",
    "oblique",
    "condensed",
    "light",
    "thin",
    "black",
    "emoji",
    "medium",
)
_BOLD: Final = "bold"

Ranges = tuple[tuple[int, int], ...]


class FontFile(msgspec.Struct, frozen=True):
    path: Path
    ranges: Ranges
    """First and last code points that it has, ascending."""

    def has(self, char: str) -> bool:
        at = bisect_right(self.ranges, (ord(char), sys.maxunicode + 1)) - 1
        return at >= 0 and self.ranges[at][0] <= ord(char) <= self.ranges[at][1]


class FontFiles:
    """The fonts of this machine, looked at when a character first needs one."""

    def __init__(self, folders: tuple[Path, ...] | None = None) -> None:
        self._folders = system_folders() if folders is None else folders
        self._candidates: dict[bool, Iterator[Path]] = {}
        self._read: dict[bool, list[FontFile]] = {True: [], False: []}
        self._found: dict[tuple[str, bool], FontFile | None] = {}

    def having(self, char: str, bold: bool) -> FontFile | None:
        """The best font with the character, None where there is none."""
        key = (char, bold)
        if key not in self._found:
            self._found[key] = self._look(char, bold)
        return self._found[key]

    def _look(self, char: str, bold: bool) -> FontFile | None:
        for file in self._read[bold]:
            if file.has(char):
                return file
        if bold not in self._candidates:
            self._candidates[bold] = iter(_ranked(self._folders, bold)[:FILES_MAX])
        for path in self._candidates[bold]:
            file = FontFile(path, character_map(path))
            self._read[bold].append(file)
            if file.has(char):
                return file
        return None


def system_folders() -> tuple[Path, ...]:
    """Where fonts lie on this kind of system."""
    home = Path.home()
    if sys.platform == "win32":
        return (Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",)
    if sys.platform == "darwin":
        return (Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts")
    return (
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
    )


def character_map(path: Path) -> Ranges:
    """The code points that a font has, empty for what is no font or has coloured glyphs."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
            start = struct.unpack(">I", head[12:16])[0] if head[:4] == b"ttcf" else 0
            file.seek(start)
            count = struct.unpack(">4xH6x", file.read(12))[0]
            tables = dict(_table(file.read(16)) for _ in range(count))
            if b"cmap" not in tables or _COLOURED & tables.keys():
                return ()
            offset, length = tables[b"cmap"]
            file.seek(offset)
            return _ranges(file.read(min(length, CMAP_MAX_BYTES)))
    except (OSError, struct.error, ValueError, OverflowError):
        return ()


def _ranked(folders: tuple[Path, ...], bold: bool) -> list[Path]:
    """Font files, the likeliest to look well first."""
    found = [
        Path(folder) / name
        for root in folders
        for folder, _, names in os.walk(root)
        for name in names
        if Path(name).suffix.lower() in _SUFFIXES
    ]
    return sorted(found, key=lambda path: (_rank(path, bold), path.name))


def _rank(path: Path, bold: bool) -> int:
    name = path.stem.lower().replace("-", "").replace("_", "").replace(" ", "")
    first = next(
        (place for place, prefix in enumerate(_PREFERRED) if name.startswith(prefix)), len(_PREFERRED)
    )
    wrong = sum(word in name for word in _AVOIDED) + ((_BOLD in name) != bold)
    return wrong * 100 + first


def _table(entry: bytes) -> tuple[bytes, tuple[int, int]]:
    tag, offset, length = struct.unpack(">4s4xII", entry)
    return tag, (offset, length)


def _ranges(cmap: bytes) -> Ranges:
    """The ranges of the fullest subtable for Unicode."""
    count = struct.unpack(">2xH", cmap[:4])[0]
    best: list[tuple[int, int]] = []
    for index in range(count):
        platform, _, offset = struct.unpack(">HHI", cmap[4 + 8 * index : 12 + 8 * index])
        kind = struct.unpack(">H", cmap[offset : offset + 2])[0]
        if platform not in (0, 3) or kind not in (4, 12):
            continue
        ranges = _format_12(cmap[offset:]) if kind == 12 else _format_4(cmap[offset:])
        if _size(ranges) > _size(best):
            best = ranges
    return tuple(sorted(best))


def _size(ranges: list[tuple[int, int]]) -> int:
    return sum(last - first + 1 for first, last in ranges)


def _format_12(table: bytes) -> list[tuple[int, int]]:
    groups = struct.unpack(">I", table[12:16])[0]
    body = table[16 : 16 + 12 * groups]
    return [(first, last) for first, last, _ in struct.iter_unpack(">III", body) if first <= last]


def _format_4(table: bytes) -> list[tuple[int, int]]:
    doubled = struct.unpack(">H", table[6:8])[0]
    ends = struct.iter_unpack(">H", table[14 : 14 + doubled])
    starts = struct.iter_unpack(">H", table[16 + doubled : 16 + 2 * doubled])
    pairs = [(start, end) for (end,), (start,) in zip(ends, starts, strict=True)]
    return [(start, end) for start, end in pairs if start <= end and start != 0xFFFF]

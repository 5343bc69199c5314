"""The disc that stands for a person: initials, and a colour chosen by the name."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Final

_PARTS: Final = re.compile(r"[\s._-]+")
_INITIALS_MAX: Final = 2


@lru_cache(maxsize=1_000)
def initials(name: str) -> str:
    """The first letters of up to two parts of the name, upper case where the script has cases."""
    letters = [part[0] for part in _PARTS.split(name) if part]
    return "".join(letters[:_INITIALS_MAX]).upper()[:_INITIALS_MAX] or "?"


@lru_cache(maxsize=1_000)
def colour_index(name: str, colours: int) -> int:
    """Which of the theme's avatar colours: the same for a name everywhere and always."""
    return zlib.crc32(name.encode("utf-8", "replace")) % colours

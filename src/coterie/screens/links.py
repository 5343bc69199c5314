"""Links in messages: what is shown, what opens, and whether the shown text could hide the host that opens."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, urlsplit

from coterie.base.quiet import Quiet

_AFTER: Final = ".,:;!?'\"*_~"
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}
_KEEP: Final = "%/?#[]@!$&'()*+,;=:-._~"
_ADDRESS_MAX: Final = 2_000
_HOST: Final = re.compile("[0-9a-z._:-]+")


class Link(Quiet, frozen=True):
    text: str
    """The part of the message that is the link."""
    address: str
    """What opens: pure ASCII, without user name and password."""
    host: str
    says_host: bool
    """The text could mislead (another alphabet, a name before an @): the host must be shown beside it."""


def link(text: str) -> Link | None:
    """The link at the beginning of the text, without the punctuation after it. None where it is none."""
    text = _trimmed(text[: _ADDRESS_MAX + 1])
    if len(text) > _ADDRESS_MAX:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError:
        return None
    if not _HOST.fullmatch(host) or not host.strip("."):
        return None
    place = f"[{host}]" if ":" in host else host
    if port is not None:
        place += f":{port}"
    rest = text[text.index("://") + 3 :][len(parts.netloc) :]
    address = f"{parts.scheme}://{place}{quote(rest, safe=_KEEP)}"
    return Link(text, address, host, "@" in parts.netloc or "\\" in text or not text.isascii())


def _trimmed(text: str) -> str:
    """Without closing punctuation, but with a bracket that the link itself opened."""
    while text:
        last = text[-1]
        if last in _AFTER or (last in _CLOSING and text.count(last) > text.count(_CLOSING[last])):
            text = text[:-1]
        else:
            break
    return text

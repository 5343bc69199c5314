"""The number of every kind of body. Numbers are final and never used again (docs/protocol.md, Bodies)."""

from __future__ import annotations

from enum import IntEnum


class BodyKind(IntEnum):
    """Kinds without a type of their own in this version unpack as Unknown."""

    TEXT = 1
    EDIT = 2
    DELETION = 3
    REACTION = 4
    RECEIPT = 5
    FILE = 6
    TYPING = 7
    GROUP_CHANGE = 8
    ACCEPTANCE = 9
    VERIFY_START = 10
    VERIFY_KEY = 11
    VERIFY_REVEAL = 12
    VERIFY_CONFIRM = 13
    VERIFY_CANCEL = 14

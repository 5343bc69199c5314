"""What a name may be, and the one form in which it is kept (docs/protocol.md, Names; encryption rule 4)."""

from __future__ import annotations

import unicodedata
from functools import cache

from precis_i18n import get_profile
from precis_i18n.profile import Profile

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import UserName
from coterie.base.scripts import scripts_of

RESERVED = frozenset({"everyone", "all", "here", "me", "admin", "server", "coterie"})
PUNCTUATION = "._-"
DIGITS = "0123456789"
MARKS_PER_LETTER = 4
TYPED_CHARACTERS = 4 * limits.NAME_CHARACTERS
"""Longer input is refused before any work; composing may shorten a name, but not that much."""

_WRITINGS = {
    "Hani": frozenset({"Jpan", "Kore", "Hanb"}),
    "Hira": frozenset({"Jpan"}),
    "Kana": frozenset({"Jpan"}),
    "Hang": frozenset({"Kore"}),
    "Bopo": frozenset({"Hanb"}),
}
"""Japanese, Korean and Bopomofo are written in several scripts that count as one (UTS 39 5.1)."""


_NAME_CATEGORIES = frozenset({"Ll", "Lu", "Lo", "Lm", "Mn", "Mc", "Nd", "Cn"})
"""RFC 8264 9.1, and what this Python does not know yet."""
_JOINERS = "\u200c\u200d"


def canonical(name: str) -> UserName:
    """The name as it is kept, compared and hashed; idempotent. Raises Refused(bad-name).

    1-32 letters, digits, dots, underscores and hyphens of one script and of Unicode 14, beginning with a
    letter or digit; PRECIS UsernameCaseMapped (RFC 8265 3.3), so "Bob" is "bob". Letters are those of
    RFC 8264 9.1, with the marks that their own script writes on them. Reserved words are refused.

    For what a person types and at sign-up alone: whoever receives a name compares its bytes.
    """
    if not 0 < len(name) <= TYPED_CHARACTERS:
        raise _bad("a name has 1 to 32 characters")
    try:
        mapped = _profile().enforce(name)
    except ValueError:
        raise _bad("not letters, digits, dots, underscores and hyphens") from None
    if len(mapped) > limits.NAME_CHARACTERS:
        raise _bad("a name has 1 to 32 characters")
    if mapped[0] in PUNCTUATION:
        raise _bad("a name begins with a letter or digit")
    _check_one_script(mapped)
    _check_marks(mapped)
    if mapped in RESERVED:
        raise _bad("a reserved word")
    return UserName(mapped)


def could_be_name(name: str) -> bool:
    """Whether a name that others made could have come out of canonical(), whatever Unicode they know.

    Nobody's server can be trusted to have checked: a name of control characters would be shown to everybody.
    """
    return (
        0 < len(name) <= limits.NAME_CHARACTERS
        and name[0] not in PUNCTUATION
        and all(_could_stand_in_a_name(character) for character in name)
    )


def _could_stand_in_a_name(character: str) -> bool:
    if character in PUNCTUATION or character in _JOINERS:
        return True
    return unicodedata.category(character) in _NAME_CATEGORIES and character.lower() == character


@cache
def _profile() -> Profile:
    return get_profile("UsernameCaseMapped")


def _check_one_script(name: str) -> None:
    """Every character known, and a script or writing that all of them belong to."""
    shared: frozenset[str] | None = None
    for character in name:
        if character in PUNCTUATION or character in DIGITS:
            continue
        scripts = scripts_of(character)
        if not scripts:
            raise _bad("not letters, digits, dots, underscores and hyphens")
        written = scripts.union(*(_WRITINGS.get(script, ()) for script in scripts))
        shared = written if shared is None else shared & written
        if not shared:
            raise _bad("letters of several scripts")


def _check_marks(name: str) -> None:
    """Marks stand on letters, a few on each."""
    room = 0
    for character in name:
        match unicodedata.category(character)[0]:
            case "L":
                room = MARKS_PER_LETTER
            case "M":
                room -= 1
            case _:
                room = 0
        if room < 0:
            raise _bad("a mark without its letter")


def _bad(note: str) -> Refused:
    return Refused(Code.BAD_NAME, note)

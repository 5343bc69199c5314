"""The error tree, its codes, and what an error shows."""

from __future__ import annotations

import re

import pytest

from coterie.base.codes import Code
from coterie.base.errors import (
    CoterieError,
    LocalError,
    Refused,
    RemoteError,
    SealBroken,
    SecurityStop,
    Unavailable,
)


def test_codes_are_distinct_words_for_scripts() -> None:
    assert len({code.value for code in Code}) == len(Code)
    for code in Code:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.value)
        assert len(code.value) <= 32


@pytest.mark.parametrize("kind", [LocalError, RemoteError, Refused, Unavailable])
def test_an_error_shows_its_code_and_note(
    kind: type[LocalError | RemoteError | Refused | Unavailable],
) -> None:
    error = kind(Code.BUSY, "too many at once")
    assert isinstance(error, CoterieError)
    assert (error.code, error.note) == (Code.BUSY, "too many at once")
    assert str(error) == "busy: too many at once"
    assert str(kind(Code.BUSY)) == "busy"


def test_a_refusal_may_say_when_to_try_again() -> None:
    assert Refused(Code.BUSY).retry_after_seconds == 0.0
    assert Refused(Code.BUSY, retry_after_seconds=2.5).retry_after_seconds == 2.5


def test_a_broken_seal_and_a_security_stop() -> None:
    assert SealBroken("note").code is Code.SEAL_BROKEN
    assert SealBroken("note", Code.BAD_MANIFEST).code is Code.BAD_MANIFEST
    stop = SecurityStop(Code.IDENTITY_CHANGED, "note")
    assert isinstance(stop, SealBroken)
    assert (stop.code, stop.note, str(stop)) == (Code.IDENTITY_CHANGED, "note", "identity-changed: note")

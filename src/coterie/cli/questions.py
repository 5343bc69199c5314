"""Questions to a person on the terminal; where nobody is there, nothing is assumed."""

from __future__ import annotations

import sys

YES = frozenset({"y", "yes"})
NO = frozenset({"n", "no"})


def word_of(line: bytes) -> bool | None:
    """Whether a line of standard input says yes or no; None where it says neither."""
    word = line.decode("utf-8", "replace").strip().casefold()
    return True if word in YES else False if word in NO else None


def typed(question: str) -> str | None:
    """What a person answers; None where there is no terminal to ask on."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    sys.stderr.write(f"{question}: ")
    sys.stderr.flush()
    return sys.stdin.readline().rstrip("\n")


def confirmed(question: str) -> bool | None:
    """Whether a person says yes; None where there is no terminal to ask on."""
    answer = typed(f"{question} [y/N]")
    return None if answer is None else answer.strip().lower() in YES

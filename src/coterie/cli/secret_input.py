"""Passwords and recovery keys: asked for on the terminal or read from a file, never from the command line."""

from __future__ import annotations

import getpass
import os
import sys
import warnings
from pathlib import Path

from coterie.cli.arguments import Arguments
from coterie.cli.parser import UsageError

PASSWORD_FILE_VARIABLE = "COTERIE_PASSWORD_FILE"
STDIN = "-"
MOST_BYTES = 64 * 1024


def read_password(given: Arguments, question: str, *, twice: bool = False) -> str:
    """The first line of --password-file or $COTERIE_PASSWORD_FILE, else what a person types.

    twice: a new password, asked for again. Raises UsageError.
    """
    file = password_file(given)
    password = _first_line(file, "the password file") if file else _ask(question)
    if not password:
        raise UsageError("", "the password is empty")
    if twice and not file and _ask(f"{question} (again)") != password:
        from coterie.screens.form_texts import FormText

        raise UsageError("", FormText.PASSWORD_MISMATCH.value)
    return password


def read_reset_code(file: str | None) -> str:
    """The operator's code: of the file, else what a person types. Raises UsageError."""
    return _first_line(file, "the reset code file") if file else _ask("Reset code")


def read_new_password(file: str | None) -> str:
    """The first line of the file, else what a person types twice. Raises UsageError."""
    from coterie.screens.form_texts import FormText

    password = _first_line(file, "the new password file") if file else _ask(FormText.NEW_PASSWORD.value)
    if not password:
        raise UsageError("", "the password is empty")
    if not file and _ask(f"{FormText.NEW_PASSWORD.value} (again)") != password:
        raise UsageError("", FormText.PASSWORD_MISMATCH.value)
    return password


def password_file(given: Arguments) -> str | None:
    """Where the password stands, None where it is asked for."""
    return given.password_file or os.environ.get(PASSWORD_FILE_VARIABLE) or None


def read_recovery_key(file: str) -> str:
    """All words of the file, whatever stands between them. Raises UsageError."""
    return " ".join(_read(file, "the recovery key file").split())


def _first_line(file: str, what: str) -> str:
    return _read(file, what).split("\n", 1)[0].removesuffix("\r")


def _read(file: str, what: str) -> str:
    try:
        if file == STDIN:
            data = sys.stdin.buffer.read(MOST_BYTES)
        else:
            with Path(file).open("rb") as handle:
                data = handle.read(MOST_BYTES)
        return data.decode("utf-8")
    except OSError as error:
        raise UsageError("", f"{what} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError("", f"{what} holds no text") from None


def _ask(question: str) -> str:
    """Without an echo. Raises UsageError where there is no terminal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            return getpass.getpass(f"{question}: ")
    except (getpass.GetPassWarning, EOFError, OSError):
        hint = f"no terminal to ask on: give --password-file, or set ${PASSWORD_FILE_VARIABLE}"
        raise UsageError("", hint) from None

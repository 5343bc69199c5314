"""How what went wrong ends: an exit code, one sentence, in JSON an object; no stack trace for a person."""

from __future__ import annotations

import logging
import sys
import traceback
from enum import IntEnum

from coterie.base.codes import Code
from coterie.base.errors import (
    CoterieError,
    LocalError,
    NameNotInLedger,
    PersonChanged,
    Refused,
    RemoteError,
    SealBroken,
    Unavailable,
)
from coterie.cli.output import Output, complain

UNEXPECTED = "unexpected"
"""Stands where a code would: a bug of ours."""

_WITH_NOTE = frozenset(
    {
        Code.USAGE,
        Code.PROFILE_IN_USE,
        Code.DISK,
        Code.DAMAGED,
        Code.MISSING_PART,
        Code.NEWER_SCHEMA,
        Code.NEEDS_INVITE,
    }
)
"""Their notes say what a person needs: whose process, which option, which part."""
_IN_FORMS = frozenset({Code.TOO_MANY_TRIES, Code.BUSY})


class Exit(IntEnum):
    """Exit codes; scripts read them."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    SECURITY_STOP = 4
    HUNG_UP = 129
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143


def exit_of(error: BaseException) -> Exit:
    """The exit code of an error."""
    match error:
        case CoterieError(code=Code.USAGE):
            return Exit.USAGE
        case SealBroken():
            return Exit.SECURITY_STOP
        case Unavailable() | RemoteError():
            return Exit.UNAVAILABLE
        case Refused() | LocalError():
            return Exit.REFUSED
        case _:
            return Exit.REFUSED


def sentence_of(error: BaseException) -> str:
    """What a person is told."""
    if isinstance(error, PersonChanged):
        from coterie.screens.verifying import changed_line

        return changed_line(error.name, error.changed_ms, verified=error.verified, by=error.by)
    if isinstance(error, NameNotInLedger):
        from coterie.screens.i18n import Text, say

        return say(Text.NAME_NOT_IN_LEDGER, name=error.name)
    if not isinstance(error, CoterieError):
        return f"something went wrong inside coterie ({type(error).__name__}); -v says more"
    if error.code in _WITH_NOTE and error.note:
        return error.note
    return sentence(error.code)


def sentence(code: Code) -> str:
    """The text of a code: of the forms where they have one, else of the main screen."""
    from coterie.screens import form_texts, i18n

    in_form = form_texts.refusal_text(code)
    unknown = form_texts.FormText.UNEXPECTED.format(code=code.value)
    return i18n.refusal(code) if in_form == unknown else in_form


def report(error: BaseException, output: Output, *, verbose: bool) -> Exit:
    """Say what went wrong; gives the exit code."""
    if verbose:
        sys.stderr.write("".join(traceback.format_exception(error)))
    code = error.code.value if isinstance(error, CoterieError) else UNEXPECTED
    refuse(code, sentence_of(error), output)
    return exit_of(error)


def refuse(code: str, message: str, output: Output, line: int | None = None) -> None:
    """The sentence on standard error, or the object on standard output."""
    if output.as_json:
        from coterie.cli.shapes import ErrorShape

        output.show(ErrorShape(error=code, message=message, line=line), "")
        return
    where = f"line {line}: " if line is not None else ""
    complain(f"{where}{message} [{code}]")


class _OneSentence(logging.Formatter):
    """A record without its stack trace."""

    def format(self, record: logging.LogRecord) -> str:
        return f"coterie: {record.getMessage()} (-v says more)"


def set_up_logging(*, verbose: bool) -> None:
    """Records go to standard error: all of them with -v, else errors, each as one sentence."""
    handler = logging.StreamHandler()
    if verbose:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    else:
        handler.setLevel(logging.ERROR)
        handler.setFormatter(_OneSentence())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO if verbose else logging.WARNING)

"""What goes to standard output: JSON objects, or sentences for people. Each line leaves at once."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coterie.cli.shapes import Shape


class Output:
    """One command's standard output. as_json: objects only."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def show(self, shape: Shape, sentence: str) -> None:
        """Print the object, or the sentence that says the same to a person (none where it is empty)."""
        line = self.rendered(shape, sentence)
        if line:
            self.line(line)

    def rendered(self, shape: Shape, sentence: str) -> str:
        """What show() prints: names too are words of strangers."""
        return as_line(shape) if self.as_json else harmless(sentence)

    def tell(self, sentence: str) -> None:
        """A sentence for a person; nothing in JSON."""
        if not self.as_json:
            self.line(harmless(sentence))

    def line(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def as_line(shape: Shape) -> str:
    """ASCII only: the same in every locale, and no control character of a stranger reaches a terminal."""
    import msgspec

    return json.dumps(msgspec.to_builtins(shape))


def print_anything() -> None:
    """What a terminal's character set lacks is printed as its number."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def harmless(text: str) -> str:
    """A stranger's text for a terminal: nothing in it moves the cursor or reorders what is around it. Loads
    nothing for what is plain: a server prints too."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    from coterie.screens.cleaning import clean

    return clean(text)


def complain(sentence: str) -> None:
    """A sentence on standard error, where there is one to take it."""
    try:
        sys.stderr.write(f"coterie: {sentence}\n")
        sys.stderr.flush()
    except OSError:
        return

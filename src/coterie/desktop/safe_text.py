"""A text field into which no coloured glyph ever comes: emoji stand in it as pictures.

Typed, pasted, dropped or set: all of it reaches a Tk text through its `insert` and `replace` commands, and
these are taken over here before Tk sees a letter. Each picture is named after its code points, so the text
can be read back.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from typing import Final

from coterie.base.limits import TEXT_BYTES
from coterie.desktop.canvas.clusters import clusters, unsafe_runs
from coterie.desktop.canvas.faces import Face, FaceName
from coterie.desktop.canvas.kit import Kit
from coterie.desktop.canvas.pictures import Photo
from coterie.desktop.canvas.text_images import OVERSHOOT
from coterie.screens.cleaning import clean, loose
from coterie.screens.emoji_sequences import pieces

CHANGED: Final = "<<SafeTextChanged>>"
UNDO_MAX: Final = 100
_PREFIX: Final = "u"
_PROXY: Final = """
rename {path} {path}.coterie_text
proc {path} {{command args}} {{
    if {{$command eq "insert"}} {{
        return [{python} [lindex $args 0] [lindex $args 1]]
    }}
    if {{$command eq "replace"}} {{
        {path}.coterie_text delete [lindex $args 0] [lindex $args 1]
        return [{python} [lindex $args 0] [lindex $args 2]]
    }}
    set result [uplevel 1 [linsert $args 0 {path}.coterie_text $command]]
    if {{$command eq "delete"}} {{ event generate {path} {changed} }}
    return $result
}}
"""


class SafeText(tk.Text):
    """A tk.Text; use text() and set_text(). Generates <<SafeTextChanged>> with each change, at once."""

    def __init__(self, parent: tk.Misc, kit: Kit, face: FaceName, *, lines: bool = True) -> None:
        super().__init__(parent, borderwidth=0, highlightthickness=0, wrap="word", undo=False, height=1)
        self._kit = kit
        self._face_name = face
        self._lines = lines
        self._photos: dict[str, Photo] = {}
        self._undo: list[tuple[str, str]] = []
        self._shown = ""
        self.on_too_long: Callable[[], None] = self.bell
        path = str(self)
        self._command = self.register(self._insert)
        self._original = f"{path}.coterie_text"
        self.tk.eval(_PROXY.format(path=path, python=self._command, changed=CHANGED))
        for sequence, call in (("<<Copy>>", self.copy), ("<<Cut>>", self._cut), ("<<Undo>>", self._undone)):
            self.bind(sequence, call)
        self.bind(CHANGED, lambda _: self._remember(), add="+")
        self.restyle()

    @property
    def _face(self) -> Face:
        return self._kit.faces[self._face_name]

    def restyle(self) -> None:
        """The theme or the zoom changed."""
        colours = self._kit.colours
        self.configure(
            font=self._face.font,
            foreground=colours.text,
            insertbackground=colours.link,
            selectbackground=colours.selection,
            selectforeground=colours.text,
            inactiveselectbackground=colours.selection,
        )

    def destroy(self) -> None:
        self.tk.deletecommand(str(self))
        super().destroy()

    def text(self, first: str = "1.0", last: str = "end-1c") -> str:
        """What stands here, emoji as the sequences that they are."""
        dumped = self.tk.splitlist(self.tk.call(self._original, "dump", "-text", "-image", first, last))
        found: list[str] = []
        for kind, value in zip(dumped[0::3], dumped[1::3], strict=True):
            found.append(str(value) if str(kind) == "text" else _sequence(str(value)))
        return "".join(found)

    def set_text(self, text: str) -> None:
        """Put another text here, the cursor at its end."""
        if text == self.text():
            return
        self.tk.call(self._original, "delete", "1.0", "end")
        self._insert("1.0", text)
        self.mark_set("insert", "end-1c")
        self._undo.clear()
        self.see("insert")

    def _insert(self, index: str, text: str, *_tags: object) -> str:
        """What Tk's insert does, piece by piece. Called by Tk, and so never raises."""
        text = str(text)
        if len(text) > TEXT_BYTES:
            self.on_too_long()
            return ""
        parts = text.split("\t") if self._lines else [" ".join(text.split("\n"))]
        cleaned = ("\t" if self._lines else " ").join(clean(part) for part in parts)
        call, own = self.tk.call, self._original
        call(own, "mark", "set", "coterie_at", index)
        call(own, "mark", "gravity", "coterie_at", "right")
        for part, unsafe in _parts(cleaned):
            if unsafe:
                self._put_picture(part)
            else:
                call(own, "insert", "coterie_at", part)
        if str(index) == "insert":
            call(own, "mark", "set", "insert", "coterie_at")
        call(own, "mark", "unset", "coterie_at")
        self.event_generate(CHANGED)
        return ""

    def _put_picture(self, part: str) -> None:
        name = _PREFIX + "-".join(f"{ord(char):x}" for char in part)
        photo = self._photos.get(name)
        if photo is None:
            photo = self._photos[name] = self._photo(part)
        self.tk.call(
            self._original, "image", "create", "coterie_at", "-image", str(photo), "-name", name, "-padx", 1
        )

    def _photo(self, part: str) -> Photo:
        cell = pieces(part)[0].cell
        if cell >= 0:
            return self._kit.emoji_photo((cell,), self._face.height)
        face, texts = self._face, self._kit.texts
        line, baseline = face.height - 2 * OVERSHOOT, face.ascent - OVERSHOOT
        colour = self._kit.colours.text
        return self._kit.pictures.photo(
            texts.image(part, face.size, face.bold, False, colour, line, baseline)
        )

    def copy(self, _event: object) -> str:
        """Put what is marked on the clipboard, emoji included."""
        if self.tag_ranges("sel"):
            self.clipboard_clear()
            self.clipboard_append(self.text("sel.first", "sel.last"))
        return "break"

    def _cut(self, event: object) -> str:
        if self.tag_ranges("sel"):
            self.copy(event)
            self.delete("sel.first", "sel.last")
        return "break"

    def _remember(self) -> None:
        """Keep what stood here before each word or larger change, for undoing."""
        text = self.text()
        before, self._shown = self._shown, text
        if before == text:
            return
        typed_on = text[:-1] == before and not text[-1:].isspace()
        if not typed_on or not self._undo:
            self._undo.append((before, self.index("insert")))
            del self._undo[:-UNDO_MAX]

    def _undone(self, _event: object) -> str:
        while self._undo:
            text, at = self._undo.pop()
            if text == self.text():
                continue
            kept = self._undo[:]
            self.set_text(text)
            self.mark_set("insert", at)
            self._undo, self._shown = kept, text
            break
        return "break"


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text cut into what Tk may draw (False) and what has to be one picture (True)."""
    for piece in pieces(text):
        if piece.cell >= 0:
            yield piece.text, True
            continue
        for run, unsafe in unsafe_runs(loose(piece.text)):
            if unsafe:
                yield from ((cluster, True) for cluster in clusters(run))
            else:
                yield run, False


def _sequence(name: str) -> str:
    """The characters that a picture of this name stands for. Tk adds #1, #2 to a name used again."""
    points = name.partition("#")[0].removeprefix(_PREFIX)
    return "".join(chr(int(point, 16)) for point in points.split("-"))

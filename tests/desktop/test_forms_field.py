"""One entry: no picture ever gets into it, nothing hidden gets out of it."""

from __future__ import annotations

import tkinter as tk
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.desktop.forms.field import Field
from coterie.desktop.forms.plain import is_plain, plain
from coterie.desktop.look import Look

Wait = Callable[[Callable[[], bool]], None]
TypeInto = Callable[[Field, str], None]

SYMBOLS = "Emoji and symbols cannot be used here"


@pytest.fixture
def field(look: Look, wait: Wait) -> Field:
    field = Field(look.root, "User name")
    field.pack(fill="x")
    wait(lambda: bool(field.entry.winfo_viewable()))
    field.entry.focus_force()
    wait(lambda: look.root.focus_displayof() is field.entry)
    return field


@pytest.fixture
def secret(look: Look, wait: Wait) -> Field:
    field = Field(look.root, "Password", secret=True)
    field.pack(fill="x")
    wait(lambda: bool(field.entry.winfo_viewable()))
    field.entry.focus_force()
    wait(lambda: look.root.focus_displayof() is field.entry)
    return field


@pytest.mark.parametrize(
    "text", ["alice", "Zoë_9", "你好", "مرحبا", "हिन्दी", "naïve 10° ½ €5 x<y", "a\u0301"]
)
def test_words_of_every_script_are_plain(text: str) -> None:
    assert is_plain(text)
    assert plain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "👨‍👩‍👧",
        "🇫🇷",
        "☺",
        "❤️",
        "1️⃣",
        "✅",
        "©",
        "‼",
        "〰",
        "↔",
        "\U0001d518",
        "\u202e",
        "\u200b",
        "\x00",
        "\n",
    ],
)
def test_pictures_and_invisible_characters_are_not(text: str) -> None:
    assert not is_plain(text)
    assert plain(f"a{text}b") == "ab" or text == "1️⃣"


@given(st.text())
def test_what_plain_leaves_is_plain_and_can_be_shown(text: str) -> None:
    left = plain(text)
    assert is_plain(left)
    assert all(ord(character) <= 0xFFFF for character in left)
    assert not any(unicodedata.category(character) in ("Cs", "Cc", "Cf") for character in left)


def test_pasting_leaves_pictures_out_and_says_so(field: Field, wait: Wait) -> None:
    field.clipboard_clear()
    field.clipboard_append("al😀ice\nsecond line")
    field.entry.event_generate("<<Paste>>")
    wait(lambda: field.line == SYMBOLS)
    assert field.value == "alice second line"


def test_pasting_plain_text_replaces_what_is_marked(field: Field) -> None:
    field.put("alice")
    field.entry.selection_range(0, "end")
    field.clipboard_clear()
    field.clipboard_append("bob")
    field.entry.event_generate("<<Paste>>")
    field.update()
    assert (field.value, field.line) == ("bob", "")


def test_pasting_an_empty_clipboard_does_nothing(field: Field) -> None:
    field.put("alice")
    field.clipboard_clear()
    field.entry.event_generate("<<Paste>>")
    field.update()
    assert field.value == "alice"


def test_nothing_gets_a_picture_in_past_the_paste(field: Field, wait: Wait) -> None:
    field.put("al😀ice")
    assert field.value == "alice"
    field.entry.insert("end", "😀")
    wait(lambda: field.line == SYMBOLS)
    assert field.value == "alice"


def test_a_complaint_goes_with_the_next_key(field: Field, type_into: TypeInto) -> None:
    field.problem("User already exists")
    assert field.entry.instate(["invalid"])
    type_into(field, "b")
    assert field.line == ""
    assert field.entry.instate(["!invalid"])


def test_what_is_hidden_cannot_be_copied(secret: Field) -> None:
    secret.clipboard_clear()
    secret.clipboard_append("before")
    secret.put("hunter2")
    secret.entry.selection_range(0, "end")
    secret.entry.event_generate("<<Copy>>")
    secret.entry.event_generate("<<Cut>>")
    secret.update()
    assert secret.clipboard_get() == "before"
    assert secret.value == "hunter2"
    with pytest.raises(tk.TclError):
        secret.tk.call("selection", "get", "-selection", "PRIMARY")
    secret.hide(hidden=False)
    secret.entry.selection_range(0, "end")
    secret.entry.event_generate("<<Copy>>")
    secret.update()
    assert secret.clipboard_get() == "hunter2"


def test_changes_are_told_after_they_happened(field: Field, type_into: TypeInto) -> None:
    seen: list[str] = []
    field.on_change(lambda: seen.append(field.value))
    type_into(field, "ab")
    assert seen[-1] == "ab"


def test_a_field_that_goes_away_right_after_a_change_leaves_no_error(field: Field) -> None:
    field.entry.insert("end", "a")
    root = field.winfo_toplevel()
    field.destroy()
    root.update()

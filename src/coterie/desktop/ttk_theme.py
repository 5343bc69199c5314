"""Our ttk themes: one per appearance, children of clam, coloured by the tokens of screens/theme.py."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk
from typing import Final

from coterie.desktop.fonts import Fonts
from coterie.screens.theme import Theme

DISABLED: Final = "disabled"
ENTRY_PAD_X: Final = 11
BORDER: Final = 1


def use(root: tk.Misc, theme: Theme, fonts: Fonts) -> None:
    """Give every ttk widget of the root this look; those that exist change at once (<<ThemeChanged>>)."""
    style = ttk.Style(root)
    name = f"coterie-{theme.appearance.value}"
    if name not in style.theme_names():
        style.theme_create(name, parent="clam")
    style.theme_use(name)
    for part in (_surfaces, _labels, _entries, _buttons, _choices):
        part(style, theme, fonts)
    _combobox_list(root, theme, fonts)


def _surfaces(style: ttk.Style, theme: Theme, fonts: Fonts) -> None:
    colours = theme.colours
    style.configure(".", background=colours.panel, foreground=colours.text, font=fonts.body, borderwidth=0)
    style.configure("TFrame", background=colours.panel)
    style.configure("Field.TFrame", background=colours.field)


def _labels(style: ttk.Style, theme: Theme, fonts: Fonts) -> None:
    colours = theme.colours
    style.configure("TLabel", background=colours.panel, foreground=colours.text)
    style.configure("Title.TLabel", font=fonts.title)
    style.configure("Subtitle.TLabel", foreground=colours.muted)
    style.configure("FieldName.TLabel", foreground=colours.muted, font=fonts.small)
    style.configure("Hint.TLabel", foreground=colours.muted, font=fonts.tiny)
    style.configure("Error.TLabel", foreground=colours.danger, font=fonts.tiny)
    style.configure("Success.TLabel", foreground=colours.success, font=fonts.tiny)
    style.configure("Word.TLabel", background=colours.field, font=fonts.body)
    style.configure("WordNumber.TLabel", background=colours.field, foreground=colours.muted, font=fonts.tiny)


def _entries(style: ttk.Style, theme: Theme, fonts: Fonts) -> None:
    colours, spacing = theme.colours, theme.spacing
    pad_y = (spacing.field_height - fonts.body.metrics("linespace")) // 2 - BORDER
    for kind in ("TEntry", "TCombobox"):
        style.configure(
            kind,
            fieldbackground=colours.field,
            background=colours.field,
            foreground=colours.text,
            insertcolor=colours.text,
            selectbackground=colours.selection,
            selectforeground=colours.on_accent if theme.appearance.value == "dark" else colours.text,
            bordercolor=colours.field,
            lightcolor=colours.field,
            darkcolor=colours.field,
            arrowcolor=colours.muted,
            padding=(ENTRY_PAD_X, pad_y),
            relief="flat",
        )
        style.map(
            kind,
            bordercolor=[("invalid", colours.danger), ("focus", colours.accent)],
            lightcolor=[],
            darkcolor=[],
            background=[],
            fieldbackground=[(DISABLED, colours.field), ("readonly", colours.field)],
            foreground=[(DISABLED, colours.muted)],
        )


def _buttons(style: ttk.Style, theme: Theme, fonts: Fonts) -> None:
    colours, spacing = theme.colours, theme.spacing
    bold_height = fonts.bold.metrics("linespace")
    for kind, background, hover, foreground, font, height in (
        (
            "Main.TButton",
            colours.accent,
            colours.selected,
            colours.on_accent,
            fonts.bold,
            spacing.button_height,
        ),
        ("Field.TButton", colours.field, colours.hover, colours.text, fonts.small, spacing.field_height),
        ("Link.TButton", colours.panel, colours.panel, colours.link, fonts.small, bold_height + 8),
    ):
        style.configure(
            kind,
            background=background,
            foreground=foreground,
            font=font,
            bordercolor=background,
            lightcolor=background,
            darkcolor=background,
            focuscolor=background,
            padding=(
                0 if kind == "Link.TButton" else 8,
                max(0, (height - font.metrics("linespace")) // 2 - 2),
            ),
            borderwidth=1,
            relief="flat",
            anchor="center",
        )
        style.map(
            kind,
            background=[
                (DISABLED, colours.field if background != colours.panel else background),
                ("active", hover),
            ],
            foreground=[(DISABLED, colours.muted)],
            bordercolor=[(DISABLED, background), ("focus", colours.text)],
            lightcolor=[],
            darkcolor=[],
            relief=[],
        )


def _choices(style: ttk.Style, theme: Theme, fonts: Fonts) -> None:
    colours = theme.colours
    style.configure(
        "TCheckbutton",
        background=colours.panel,
        foreground=colours.text,
        font=fonts.small,
        indicatorbackground=colours.field,
        indicatorforeground=colours.on_accent,
        upperbordercolor=colours.muted,
        lowerbordercolor=colours.muted,
        indicatorsize=14,
        indicatormargin=(0, 0, 8, 0),
        focuscolor=colours.panel,
        padding=2,
    )
    style.map(
        "TCheckbutton",
        background=[],
        foreground=[(DISABLED, colours.muted), ("focus", colours.link)],
        indicatorbackground=[("selected", colours.accent), ("active", colours.hover)],
        indicatorforeground=[],
    )


def _combobox_list(root: tk.Misc, theme: Theme, fonts: Fonts) -> None:
    """The list that drops down is a plain Tk listbox and takes its look from the option database."""
    colours = theme.colours
    for option, value in (
        ("background", colours.field),
        ("foreground", colours.text),
        ("selectBackground", colours.selected),
        ("selectForeground", colours.selected_text),
        ("font", fonts.body.name),
        ("borderWidth", "0"),
        ("highlightThickness", "0"),
    ):
        root.option_add(f"*TCombobox*Listbox.{option}", value)

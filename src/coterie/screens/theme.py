"""The look of every screen as plain tokens: colours for dark and light, font sizes and spacing.

Colours are "#rrggbb", sizes are pixels at zoom 1. The desktop draws with these, the terminal maps them to its
own styles, and tests compare single pixels with them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Appearance(StrEnum):
    DARK = "dark"
    LIGHT = "light"


class Colours(msgspec.Struct, frozen=True, kw_only=True):
    """One colour for each thing that is drawn."""

    # surfaces
    window: str
    """Behind the timeline, and behind the cards of the forms."""
    panel: str
    """List, header, composer, card of a form."""
    field: str
    """Entries and the button beside one."""
    divider: str
    hover: str
    """A row of the list under the pointer."""
    selected: str
    """The selected row of the list."""
    # texts
    text: str
    muted: str
    link: str
    """Links, names of senders, quiet buttons."""
    selected_text: str
    selected_muted: str
    selected_link: str
    on_accent: str
    """Text on accent, pill, avatar and badge."""
    danger: str
    success: str
    verified: str
    """The mark of somebody who is verified."""
    changed: str
    """The mark of somebody whose identity changed."""
    # things that stand out
    accent: str
    """The main button, badges."""
    pill: str
    """Day separators, notices, the scrollbar's thumb."""
    unread_line: str
    unread_text: str
    selection: str
    """Behind text that is marked for copying."""
    hit: str
    """Behind words that were searched for."""
    hit_text: str
    # bubbles
    incoming: str
    incoming_code: str
    incoming_muted: str
    outgoing: str
    outgoing_code: str
    outgoing_muted: str
    # presence
    online: str
    away: str
    offline: str
    avatars: tuple[str, ...]
    """Backgrounds of initials; a person's is chosen by the hash of the name."""


class FontSizes(msgspec.Struct, frozen=True):
    """Pixels at zoom 1."""

    body: int = 14
    small: int = 12
    tiny: int = 11
    heading: int = 16
    title: int = 20
    avatar: int = 18
    large_avatar: int = 26
    mono: int = 13


class Spacing(msgspec.Struct, frozen=True):
    """Pixels at zoom 1."""

    list_width: int = 300
    list_row: int = 66
    list_avatar: int = 48
    list_margin: int = 12
    presence_dot: int = 12
    header: int = 56
    composer: int = 48
    gutter: int = 56
    """Left of incoming bubbles: room for the sender's avatar."""
    timeline_avatar: int = 34
    timeline_margin: int = 15
    scrollbar: int = 13
    bubble_radius: int = 12
    bubble_pad_x: int = 12
    bubble_pad_y: int = 7
    bubble_gap: int = 2
    """Between consecutive messages of one sender."""
    group_gap: int = 8
    """Between messages of different senders."""
    bubble_max: int = 520
    """Widest text of a bubble."""
    card_width: int = 400
    card_pad: int = 32
    card_radius: int = 16
    field_height: int = 38
    button_height: int = 46
    gap: int = 8


class Theme(msgspec.Struct, frozen=True):
    appearance: Appearance
    colours: Colours
    sizes: FontSizes = FontSizes()
    spacing: Spacing = Spacing()


_AVATARS: Final = ("#a695e7", "#e17076", "#faa774", "#6ec9cb", "#7bc862", "#ee7aae")

DARK: Final = Theme(
    Appearance.DARK,
    Colours(
        window="#0e1621",
        panel="#17212b",
        field="#242f3d",
        divider="#101921",
        hover="#202b36",
        selected="#2b5278",
        text="#f5f5f5",
        muted="#7d8b99",
        link="#5eb5f7",
        selected_text="#ffffff",
        selected_muted="#d6e6f2",
        selected_link="#d6e6f2",
        on_accent="#ffffff",
        danger="#e5534b",
        success="#3ec46d",
        verified="#5eb5f7",
        changed="#f0b232",
        accent="#4082bc",
        pill="#3e546a",
        unread_line="#1d2b3a",
        unread_text="#5eb5f7",
        selection="#4082bc",
        hit="#7d6420",
        hit_text="#ffffff",
        incoming="#182533",
        incoming_code="#101a26",
        incoming_muted="#7d8b99",
        outgoing="#2b5278",
        outgoing_code="#244566",
        outgoing_muted="#8eb2d8",
        online="#3ec46d",
        away="#f0b232",
        offline="#9aa0a6",
        avatars=_AVATARS,
    ),
)

LIGHT: Final = Theme(
    Appearance.LIGHT,
    Colours(
        window="#e7edf3",
        panel="#ffffff",
        field="#f1f3f5",
        divider="#dfe4e8",
        hover="#f1f3f5",
        selected="#419fd9",
        text="#101417",
        muted="#8a949e",
        link="#168acd",
        selected_text="#ffffff",
        selected_muted="#d6e6f2",
        selected_link="#ffffff",
        on_accent="#ffffff",
        danger="#d13438",
        success="#2a9d54",
        verified="#168acd",
        changed="#d98b00",
        accent="#4fa9e6",
        pill="#b6c0c9",
        unread_line="#d5e1ec",
        unread_text="#168acd",
        selection="#a8d3f5",
        hit="#ffe08a",
        hit_text="#101417",
        incoming="#ffffff",
        incoming_code="#f1f4f7",
        incoming_muted="#8a949e",
        outgoing="#dbf3d0",
        outgoing_code="#baceb0",
        outgoing_muted="#60ae5b",
        online="#3ec46d",
        away="#f0b232",
        offline="#9aa0a6",
        avatars=_AVATARS,
    ),
)


def theme(appearance: Appearance) -> Theme:
    """The tokens of one appearance."""
    return DARK if appearance is Appearance.DARK else LIGHT

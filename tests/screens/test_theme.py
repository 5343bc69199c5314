from __future__ import annotations

import re

import msgspec
import pytest

from coterie.screens.theme import DARK, LIGHT, Appearance, Theme, theme


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("each", [DARK, LIGHT])
def test_every_colour_is_written_in_full(each: Theme) -> None:
    for name, value in msgspec.structs.asdict(each.colours).items():
        for colour in value if name == "avatars" else (value,):
            assert re.fullmatch("#[0-9a-f]{6}", colour), name


@pytest.mark.parametrize("each", [DARK, LIGHT])
def test_texts_can_be_read(each: Theme) -> None:
    colours = each.colours
    for ground in (colours.panel, colours.incoming, colours.outgoing, colours.window, colours.field):
        assert contrast(colours.text, ground) > 7
    assert contrast(colours.link, colours.panel) > 3
    assert contrast(colours.danger, colours.panel) > 3


def test_the_system_says_which() -> None:
    assert theme(Appearance.DARK) is DARK
    assert theme(Appearance.LIGHT) is LIGHT

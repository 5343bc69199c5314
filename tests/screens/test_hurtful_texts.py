"""Texts that hurt, through the presenter: every row, preview and note that a screen is given is harmless."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.ids import UserName
from coterie.client.events import NotFor
from coterie.screens.row_maker import NOTES_MAX
from coterie.screens.rows import MessageRow
from tests.hurtful import TEXTS
from tests.screens.screen import Screen
from tests.screens.street import Street

HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown_texts(value: object) -> Iterator[str]:
    """Every text of what a screen is given, but what a message is copied as: that stays what was written."""
    match value:
        case str():
            yield value
        case msgspec.Struct():
            for name in value.__struct_fields__:
                if not (isinstance(value, MessageRow) and name == "text"):
                    yield from shown_texts(getattr(value, name))
        case tuple():
            for each in value:
                yield from shown_texts(each)
        case _:
            return


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_nothing_harmful_reaches_a_screen(text: str) -> None:
    street = Street()
    screen = Screen(street)
    left_out = NotFor(UserName("bob"), text[:64], Code.NO_PREKEY)
    street.write(street.everyone, "mine", not_for=(left_out,) * (NOTES_MAX + 1))
    screen.begin()
    for conversation in (street.everyone, street.direct("bob")):
        screen.take(street.arrive("bob", conversation, text))
    assert len(screen.rows) == 2
    assert len(screen.chats) >= 2
    given = [*shown_texts(tuple(screen.timeline)), *shown_texts(tuple(screen.chats))]
    assert [shown for shown in given if HARMFUL.search(shown)] == []

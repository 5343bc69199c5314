from __future__ import annotations

import string

import pytest

from coterie.base.codes import Code
from coterie.client.events import LinkState
from coterie.screens.i18n import Text, link_line, online_line, refusal, say, unread_line


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_sentence(code: Code) -> None:
    assert refusal(code)


@pytest.mark.parametrize("text", list(Text))
def test_every_sentence_can_be_said(text: Text) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(text.value) if field}
    said = say(text, **dict.fromkeys(fields, "{x}"))
    assert said.count("{x}") == len(fields)


def test_only_a_live_link_says_nothing() -> None:
    assert {state for state in LinkState if not link_line(state, None)} == {LinkState.LIVE}
    assert link_line(LinkState.CONNECTING, None) == "connecting ..."
    assert link_line(LinkState.CONNECTING, Code.UNREACHABLE) == "connecting ..."
    for state in (LinkState.CONNECTING, LinkState.OFFLINE):
        assert link_line(state, Code.RESET_PENDING) == refusal(Code.RESET_PENDING)
    assert link_line(LinkState.STOPPED, Code.REVOKED) == refusal(Code.REVOKED)


def test_numbers_are_told_in_words_that_fit() -> None:
    assert unread_line(1) == "1 unread message"
    assert unread_line(12) == "12 unread messages"
    assert unread_line(0) == "Unread messages"
    assert (online_line(1), online_line(2)) == ("1 person online", "2 people online")

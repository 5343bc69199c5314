"""Ids of what is said: never the same, and side by side in an index."""

from __future__ import annotations

from coterie.base.ids import ConversationId
from coterie.client.message_ids import ALIKE, BEGINNING_BYTES, MessageIds

HERE, THERE = ConversationId(b"h" * 16), ConversationId(b"t" * 16)


def test_a_few_ids_in_a_row_begin_alike_and_all_are_different() -> None:
    ids = MessageIds()
    drawn = [ids.new(HERE) for _ in range(10 * ALIKE)]
    assert len(set(drawn)) == 10 * ALIKE
    assert {len(id) for id in drawn} == {16}
    beginnings = [id[:BEGINNING_BYTES] for id in drawn]
    assert len(set(beginnings)) == 10
    assert all(len(set(beginnings[at : at + ALIKE])) == 1 for at in range(0, 10 * ALIKE, ALIKE))


def test_neither_another_conversation_nor_another_start_has_the_same_beginning() -> None:
    """Who reads two conversations could else tell by it what was said in between; a copy of the profile draws
    its own ids."""
    ids = MessageIds()
    beginnings = {
        id[:BEGINNING_BYTES] for id in (ids.new(HERE), ids.new(THERE), MessageIds().new(HERE), ids.new(HERE))
    }
    assert len(beginnings) == 3

"""The newest tips of the conversations in use: each message that is sealed names them, each that comes moves
one."""

from __future__ import annotations

from typing import Final

from coterie.base.ids import ConversationId
from coterie.client.store.records import TipRow

CONVERSATIONS_MAX: Final = 256


class NewestTips:
    """By conversation and by how many were asked for, newest by order first."""

    def __init__(self) -> None:
        self._of: dict[ConversationId, dict[int, list[TipRow]]] = {}

    def of(self, conversation: ConversationId, limit: int) -> list[TipRow] | None:
        """Not to be changed. None where they are to be read."""
        return self._of.get(conversation, {}).get(limit)

    def read(self, conversation: ConversationId, limit: int, tips: list[TipRow]) -> None:
        """As they stand in the store."""
        if conversation not in self._of and len(self._of) >= CONVERSATIONS_MAX:
            del self._of[next(iter(self._of))]
        self._of.setdefault(conversation, {})[limit] = tips

    def saved(self, record: TipRow) -> None:
        """A tip is in the store now. One that has gone back may let another in: then they are read again."""
        known = self._of.get(record.conversation)
        if not known:
            return
        for limit, tips in list(known.items()):
            before = next((tip for tip in tips if tip.device == record.device), None)
            if before is not None and record.order < before.order:
                del known[limit]
                continue
            others = [tip for tip in tips if tip is not before]
            known[limit] = sorted((record, *others), key=_order, reverse=True)[: max(limit, 0)]

    def forget(self) -> None:
        self._of.clear()


def _order(tip: TipRow) -> int:
    return tip.order

"""Conversations that a turn has changed: screens hear once how each of them stands, however much came."""

from __future__ import annotations

from coterie.base.ids import ConversationId
from coterie.client.core.ports import Reads
from coterie.client.core.views import Views
from coterie.client.events import ConversationChanged
from coterie.client.outcome import Outcome


class News:
    """Collected by the steps of a turn, told at its end."""

    def __init__(self, reads: Reads, views: Views) -> None:
        self._reads = reads
        self._views = views
        self._changed: dict[ConversationId, None] = {}

    def of(self, conversation: ConversationId) -> None:
        """Something changed there."""
        self._changed[conversation] = None

    def tell(self) -> Outcome:
        """How the conversations stand now, in the order in which they changed."""
        changed, self._changed = self._changed, {}
        stand = [row for row in map(self._reads.conversation, changed) if row is not None]
        return Outcome(show=tuple(map(ConversationChanged, map(self._views.conversation, stand))))

    def forget(self) -> None:
        """The turn has failed."""
        self._changed.clear()

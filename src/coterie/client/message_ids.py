"""Ids of what this device says (docs/decisions/0032): random, but a few in a row begin alike.

So they lie side by side in the index of everybody's store, where ids that begin anyhow make each message
change another page.
"""

from __future__ import annotations

import secrets

from coterie.base.ids import SHORT_ID_BYTES, ConversationId, MessageId

BEGINNING_BYTES = 6
ALIKE = 64
"""So many ids of a conversation have one beginning: they fit into half a page of the index."""


class MessageIds:
    """One for each start of the program. Beginnings are never kept: a copy of the profile draws others."""

    def __init__(self) -> None:
        self._beginnings: dict[ConversationId, tuple[bytes, int]] = {}
        """With how many ids have it."""

    def new(self, conversation: ConversationId) -> MessageId:
        """16 bytes: a beginning, and 10 that are new."""
        beginning, count = self._beginnings.get(conversation, (b"", ALIKE))
        if count == ALIKE:
            beginning, count = secrets.token_bytes(BEGINNING_BYTES), 0
        self._beginnings[conversation] = (beginning, count + 1)
        return MessageId(beginning + secrets.token_bytes(SHORT_ID_BYTES - BEGINNING_BYTES))

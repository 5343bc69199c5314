"""Whom a conversation's messages reach: what sending asks about shares and devices."""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from coterie.base.ids import DeviceId, SessionId
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.sharing import SessionKeyAt, Sharing
from coterie.client.events import ConversationKind, MessageState
from coterie.client.store.records import ConversationRow, MessageRow, PeerDevice, Setting, ShareState

OTHERS_RETURN_MS: Final = 60_000
"""For so long after a restore of the server the others may not have brought it their keys."""


class Reach:
    """Reads alone."""

    def __init__(self, reads: Reads, people: People, sharing: Sharing) -> None:
        self._reads = reads
        self._people = people
        self._sharing = sharing

    def all_dormant(self, conversation: ConversationRow, now_ms: int) -> bool:
        """Whether no device of the other person is entitled to anything new: the server would take a message
        at once, and hand it to nobody."""
        if conversation.kind is ConversationKind.EVERYONE or conversation.peer == self._people.me:
            return False
        theirs = (each for each in self._people.recipients(conversation) if each.account == conversation.peer)
        return all(self._sharing.is_dormant(each, now_ms) for each in theirs)

    def peer(self, conversation: ConversationRow, session: SessionId) -> bool:
        """Whether at least one device of the other person has, or is being given, the session's key."""
        if conversation.kind is ConversationKind.EVERYONE or conversation.peer == self._people.me:
            return True
        return any(
            share.account == conversation.peer and share.state is not ShareState.LEFT_OUT
            for share in self._reads.shares(session)
        )

    def others_return(self, now_ms: int) -> bool:
        """Whether the server was restored just now."""
        restored = self._reads.setting(Setting.RESTORED_MS)
        return restored is not None and 0 <= now_ms - int.from_bytes(restored, "big") < OTHERS_RETURN_MS

    def owed(
        self, conversation: ConversationRow, key: SessionKeyAt, named: list[DeviceId]
    ) -> tuple[PeerDevice, ...]:
        """Of the devices that the server misses: those proven that were not left out. Where the other person
        cannot be reached at all, also those that were left out before: their reason may have passed."""
        proven = {each.device: each for each in self._people.recipients(conversation)}
        left = self.left_out(key.session) if self.peer(conversation, key.session) else {}
        return tuple(proven[device] for device in named if device in proven and device not in left)

    def left_out(self, session: SessionId) -> dict[DeviceId, str]:
        """Which devices do not have a session's key, and why."""
        return {
            share.device: share.reason
            for share in self._reads.shares(session)
            if share.state is ShareState.LEFT_OUT
        }

    def together(self, messages: list[MessageRow]) -> list[MessageRow]:
        """Those of sealed messages that may be sent at once: of what was taken before, one session's."""
        if not messages or not _was_taken(messages[0]):
            return messages
        session = messages[0].session
        return list(takewhile(lambda each: each.session == session, messages))

    def came_later(self, message: MessageRow, named: list[DeviceId]) -> frozenset[DeviceId]:
        """Of a message that a restored server gets again: whom it was not for when it was first said, though
        later ones of its session may have been. They get no key of it."""
        if not _was_taken(message):
            return frozenset()
        shares = self._reads.shares(SessionId(message.session))
        given = {share.device for share in shares if share.index <= message.index}
        return frozenset(device for device in named if device not in given)


def _was_taken(message: MessageRow) -> bool:
    """Whether a server had this before it was restored from a copy."""
    return message.state in (MessageState.SENT, MessageState.DELIVERED)

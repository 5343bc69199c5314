"""Sessions that a turn needs behind the one under way: begun together, their keys in one envelope for each
device (docs/decisions/0058-the-keys-of-a-turn-share-an-envelope.md)."""

from __future__ import annotations

from collections.abc import Generator

from coterie.base import limits
from coterie.client.core.fanout import Fanout
from coterie.client.core.people import People
from coterie.client.core.reach import Reach
from coterie.client.core.sealing import Sealing
from coterie.client.core.sharing import SessionKeyAt, Sharing
from coterie.client.core.trust import Trust
from coterie.client.outcome import Outcome
from coterie.client.store.records import ConversationRow, GroupOutRow

SHARE_AT_ONCE = 32
"""Devices that get a key in one turn: more would hold up the loop, and with it the window."""


class Ahead:
    """Begins sessions whose keys nothing keeps back now; any other begins alone, when its turn comes."""

    def __init__(
        self,
        people: People,
        sealing: Sealing,
        sharing: Sharing,
        fanout: Fanout,
        trust: Trust,
        reach: Reach,
    ) -> None:
        self._people = people
        self._sealing = sealing
        self._sharing = sharing
        self._fanout = fanout
        self._trust = trust
        self._reach = reach

    def begin(
        self, conversation: ConversationRow, session: GroupOutRow, messages: int, now_ms: int
    ) -> Generator[Outcome, None, tuple[GroupOutRow, ...]]:
        """The sessions behind this one that so many messages take, four at most. None where somebody has to
        be claimed or confirmed first, or where there are more devices than a turn gives keys to.

        They have to be used in this turn: what is saved last of a conversation is its session.
        """
        left = messages - self._sealing.room(conversation, session)
        if left <= 0:
            return ()
        recipients = self._people.recipients(conversation)
        devices = tuple(each for each in recipients if not self._sharing.is_dormant(each, now_ms))
        if len(devices) > SHARE_AT_ONCE or not self._sharing.reaches(devices, now_ms):
            return ()
        if self._trust.held.among(conversation, recipients):
            return ()
        begun: list[GroupOutRow] = []
        keys: list[SessionKeyAt] = []
        while left > 0 and len(begun) < limits.KEYS_PER_ENVELOPE:
            session, kept = self._sealing.begin(conversation, session.session, now_ms)
            yield Outcome(save=(session, kept))
            begun.append(session)
            keys.append(SessionKeyAt.of(kept))
            left -= self._sealing.room(conversation, session)
        yield from self._fanout.share(conversation, tuple(keys), devices, now_ms)
        return tuple(begun) if self._reach.peer(conversation, begun[0].session) else ()

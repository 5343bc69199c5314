"""A look into a closed store, with its password: what it holds, without a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from coterie.base.clock import Clock
from coterie.base.ids import ConversationId
from coterie.client.api.me import Me
from coterie.client.api.opening import open_store
from coterie.client.core.profile import Profile, unpack_profile
from coterie.client.events import Message, MessageState
from coterie.client.store.lock import ProfileLock
from coterie.client.store.profiles import find_profile
from coterie.client.store.records import MessageRow, OutboxState, Setting, WaitingRow
from coterie.client.store.sqlite import ClientStore
from coterie.trials.soak.texts import text_digest
from coterie.trials.talk_records import FoundMessage, HeldMessage, HeldStore, Unread

PAGE = 500


def found_in(me: Me) -> Iterator[FoundMessage]:
    """What an open client shows: everything in its store."""
    for conversation in me.conversations():
        before: int | None = None
        while messages := me.history(conversation.id, limit=PAGE, before=before):
            yield from (_found(each, me) for each in messages)
            before = messages[0].order


def _found(message: Message, me: Me) -> FoundMessage:
    mine = message.sender_device == me.device
    return FoundMessage(
        conversation=message.conversation,
        message=message.id,
        device=message.sender_device,
        seq=message.seq,
        sent=message.state in (MessageState.SENT, MessageState.DELIVERED),
        digest=text_digest(message.text) if mine else b"",
    )


@contextmanager
def opened(home: Path, password: str, lock: ProfileLock) -> Iterator[tuple[ClientStore, Profile]]:
    """The only profile of a home, whose lock is held."""
    try:
        store, _ = open_store(find_profile(home, None), password)
        try:
            yield store, unpack_profile(store.setting(Setting.PROFILE))
        finally:
            store.close()
    finally:
        lock.release()


async def look(
    home: Path, password: str, marked: Mapping[bytes, int], shown: Mapping[ConversationId, int], clock: Clock
) -> HeldStore:
    """Everything that the check asks for. marked: conversation -> order up to which all counts as read;
    shown: conversation -> unread in the newest event."""
    lock = await ProfileLock.acquire(find_profile(home, None), clock)
    with opened(home, password, lock) as (store, profile):
        conversations = [row.id for row in store.conversations()]
        messages = [held for conversation in conversations for held in _messages(store, conversation)]
        return HeldStore(
            device=profile.device,
            messages=tuple(messages),
            unread=tuple(_unread(store, each, marked, shown) for each in conversations),
            waiting=tuple(_waiting(row) for row in store.waiting()),
            broken=int.from_bytes(store.setting(Setting.BROKEN_COUNT) or b"", "big"),
            unsent=tuple(_unsent(store, each) for each in store.outbox_conversations()),
        )


def _waiting(row: WaitingRow) -> str:
    return f"{row.reason.value}, at {row.seq} of {row.stream.hex()[:10]}, of device {row.device.hex()[:8]}"


def _unsent(store: ClientStore, conversation: ConversationId) -> str:
    counts = {
        state.value: len(store.outbox(conversation, state, PAGE))
        for state in (OutboxState.WAITING, OutboxState.SEALED)
    }
    return f"in the outbox of conversation {conversation.hex()[:8]}: {counts}"


def _messages(store: ClientStore, conversation: ConversationId) -> Iterator[HeldMessage]:
    before: int | None = None
    while rows := store.history(conversation, PAGE, before):
        yield from (_held(row) for row in rows)
        before = rows[0].order


def _held(row: MessageRow) -> HeldMessage:
    return HeldMessage(
        conversation=row.conversation,
        message=row.message,
        device=row.device,
        order=row.order,
        seq=row.seq,
        own=row.own,
        readable=row.readable,
        sent=row.state not in (MessageState.QUEUED, MessageState.UNSURE),
        digest=text_digest(row.text),
    )


def _unread(
    store: ClientStore,
    conversation: ConversationId,
    marked: Mapping[bytes, int],
    shown: Mapping[ConversationId, int],
) -> Unread:
    counted, _ = store.unread(conversation)
    row = store.conversation(conversation)
    elsewhere = row.read_seq if row else 0
    return Unread(conversation, counted, shown.get(conversation, -1), marked.get(conversation, 0), elsewhere)

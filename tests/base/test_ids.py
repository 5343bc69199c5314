"""Ids and streams."""

from __future__ import annotations

from coterie.base.ids import (
    NO_HASH,
    ConversationId,
    DeviceId,
    conversation_of,
    is_mailbox,
    log_of,
    mailbox_of,
)


def test_a_mailbox_and_a_log_of_the_same_bytes_differ() -> None:
    same = bytes(range(16))
    mailbox, log = mailbox_of(DeviceId(same)), log_of(ConversationId(same))
    assert mailbox != log
    assert (len(mailbox), len(log)) == (17, 17)
    assert is_mailbox(mailbox)
    assert not is_mailbox(log)
    assert conversation_of(log) == same


def test_no_hash_is_as_long_as_a_hash() -> None:
    assert bytes(32) == NO_HASH

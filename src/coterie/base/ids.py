"""The ids of coterie: bytes inside, lower-case hex outside (docs/protocol.md, Ids)."""

from __future__ import annotations

from typing import NewType

UserName = NewType("UserName", str)
"""A canonical name (base.names.canonical has accepted it)."""
AccountId = NewType("AccountId", bytes)
"""32 bytes: SHA-256 over both identity public keys (base.signing.account_id)."""
DeviceId = NewType("DeviceId", bytes)
"""16 random bytes, drawn by the device itself."""
ConversationId = NewType("ConversationId", bytes)
"""16 bytes, a hash (docs/protocol.md, Membership)."""
MessageId = NewType("MessageId", bytes)
"""16 random bytes, drawn by the sending device."""
EnvelopeId = NewType("EnvelopeId", bytes)
"""16 random bytes, drawn by the sending device."""
BlobId = NewType("BlobId", bytes)
"""16 random bytes, drawn by the device that uploads it."""
SessionId = NewType("SessionId", bytes)
"""32 bytes: the id of a Megolm session."""
LedgerId = NewType("LedgerId", bytes)
"""16 bytes, a hash of the founding identity and a nonce."""
StreamId = NewType("StreamId", bytes)
"""17 bytes: a kind byte and a device id (mailbox) or conversation id (log)."""

ACCOUNT_ID_BYTES = 32
SHORT_ID_BYTES = 16
HASH_BYTES = 32
NO_HASH = bytes(HASH_BYTES)
"""Stands where a hash of "the one before" has nothing before it."""

MAILBOX_KIND = b"m"
LOG_KIND = b"l"


def mailbox_of(device: DeviceId) -> StreamId:
    """The stream of envelopes for one device."""
    return StreamId(MAILBOX_KIND + device)


def log_of(conversation: ConversationId) -> StreamId:
    """The stream of messages of one conversation."""
    return StreamId(LOG_KIND + conversation)


def is_mailbox(stream: StreamId) -> bool:
    """Whether the stream is a mailbox (else it is a log)."""
    return stream[:1] == MAILBOX_KIND


def conversation_of(stream: StreamId) -> ConversationId:
    """The conversation whose log this stream is."""
    return ConversationId(stream[1:])

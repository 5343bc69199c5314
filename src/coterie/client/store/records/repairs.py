"""What is kept of messages that are not here yet, and of those that were given to others again."""

from __future__ import annotations

import msgspec

from coterie.base.ids import AccountId, ConversationId, DeviceId


class AwaitedRow(msgspec.Struct, frozen=True):
    """An entry that cannot be opened, or a run of messages of one device that never came.

    message: id of the entry (first_n and last_n 0), or b"" for a run of the numbers first_n to last_n. hash:
    SHA-256 of the inner message of last_n, b"" while nobody has named it; named_by: the account whose message
    did. order: kept for the entry, or for first_n; those of the others follow it. seq: of the
    entry in its log. mailbox_end: where the key of
    the entry stands at the latest. asked: how often; next_ms: when to ask next.
    """

    conversation: ConversationId
    device: DeviceId
    message: bytes
    first_n: int
    last_n: int
    account: AccountId
    hash: bytes
    named_by: bytes
    order: int
    seq: int
    mailbox_end: int
    since_ms: int
    asked: int
    next_ms: int

    @property
    def count(self) -> int:
        return self.last_n - self.first_n + 1

    @property
    def last_order(self) -> int:
        """The highest order that is kept for it."""
        return self.order + self.count - 1

    def order_of(self, n: int) -> int:
        """The one kept for a number of a run."""
        return self.order + n - self.first_n


class DropAwaited(msgspec.Struct, frozen=True):
    conversation: ConversationId
    device: DeviceId
    message: bytes
    first_n: int


class RepairGiven(msgspec.Struct, frozen=True):
    """A device was given the message of this order, for the times-th time."""

    device: DeviceId
    order: int
    times: int
    at_ms: int


class DeviceSince(msgspec.Struct, frozen=True):
    """Leaf of the manifest by which this device first saw another in a ledger: it was there from then on,
    perhaps earlier."""

    account: AccountId
    device: DeviceId
    ledger: bytes
    leaf: int

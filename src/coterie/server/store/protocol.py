"""What the server needs of a database. One contract suite runs on every implementation.

All raise Unavailable(disk) where the database cannot be used now: StoreLost, which is one, where something
was being written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, BlobId, DeviceId, StreamId, UserName
from coterie.server.store.blobs import BlobRow
from coterie.server.store.records import Record, Verifier
from coterie.server.store.results import GivenKeys, Result
from coterie.wire.frames.connection import StreamEnd
from coterie.wire.frames.messages import LogEntry, MailboxEntry

ALONE_SECONDS = 10.0

Place = tuple[StreamId, int]
"""In a log: behind this seq."""


class StoreLost(Unavailable):
    """The way to the database broke. What was being committed may hold or not, and another may have written
    since: whoever remembers something of it reads that again before going on."""


class LoginRow(msgspec.Struct, frozen=True):
    """What a login needs. manifest: the newest, packed; resetting: as in AccountRow."""

    account: AccountId
    vault: bytes
    verifiers: tuple[Verifier, ...]
    manifest: bytes
    resetting: bool = False


class AccountRow(msgspec.Struct, frozen=True):
    """An account at its newest manifest (packed); leaf: the index of that manifest's leaf."""

    account: AccountId
    name: UserName
    seq: int
    hash: bytes
    leaf: int
    manifest: bytes
    verifiers: tuple[Verifier, ...]
    vault: bytes
    resetting: bool = False
    """Somebody is about to begin the name anew: leaf is that one's, and the next manifest passes over its
    number."""


class DeviceRow(msgspec.Struct, frozen=True):
    """A device that a manifest names; run and run_nonce: of its newest start, 0 and b"" before the first.
    ended: its account was deleted; succeeded: it goes on under another identity. waits_until_ms: until then
    its account is nobody yet; 0: it is somebody."""

    device: DeviceId
    account: AccountId
    name: UserName
    ed25519: bytes
    revoked: bool
    run: int
    run_nonce: bytes
    ended: bool = False
    waits_until_ms: int = 0
    succeeded: bool = False


class StoredHead(msgspec.Struct, frozen=True):
    """The newest signed head."""

    size: int
    time_ms: int
    signed: bytes


class Reads(Protocol):
    """What commands may ask."""

    async def name_taken(self, name: UserName) -> bool:
        """Whether an account has or had this name."""
        ...

    async def salt(self, name: UserName) -> bytes | None:
        """The random part of the salt; costs the same whether there is such a name or not."""
        ...

    async def login(self, name: UserName) -> LoginRow | None: ...
    async def account(self, account: AccountId) -> AccountRow | None: ...
    async def resets_due(self, now_ms: int) -> bool:
        """Whether a reset has to take effect."""
        ...

    async def deletion(self, account: AccountId) -> bytes | None:
        """What ended an account, packed and signed."""
        ...

    async def succession(self, account: AccountId) -> bytes | None:
        """What an account began with that follows another by that one's word, packed and signed."""
        ...

    async def device(self, device: DeviceId) -> DeviceRow | None: ...
    async def blob(self, blob: BlobId) -> BlobRow | None:
        """What is known of a sealed file."""
        ...

    async def manifests(
        self, account: AccountId, known_seq: int, ledger_size: int, most_bytes: int
    ) -> tuple[bytes, ...] | None:
        """Packed manifests after known_seq (where that is 0: the newest alone) whose leaf is among the first
        ledger_size; the oldest of them where most_bytes does not hold all. None for an unknown account."""
        ...

    async def standing_keys(self, account: AccountId) -> tuple[GivenKeys, ...]:
        """Fallback and X-Wing prekeys of every live device (one_time is b"")."""
        ...

    async def one_time_keys_left(self, device: DeviceId, now_ms: int) -> int: ...
    async def stream_ends(self, device: DeviceId, most: int, now_ms: int = 0) -> tuple[StreamEnd, ...]:
        """Every stream the device is entitled to: mailbox first, then logs with something new first. Of a
        device that is dormant at now_ms, with what it will skip."""
        ...

    async def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        """Packed leaves start..end-1."""
        ...

    async def ledger_size(self) -> int:
        """How many leaves there are, under a head or not yet."""
        ...

    async def head(self) -> StoredHead | None:
        """The newest one."""
        ...


class Store(Reads, Protocol):
    """Reads, and all that only the gateway, delivery and sequencer use."""

    async def commit(self, batch: Sequence[Record]) -> list[Result]:
        """Save a batch in one transaction, durable on return. A record whose condition does not hold is
        denied, and none of the others is touched by that."""
        ...

    async def fact(self, name: str) -> bytes | None: ...
    async def deletions(self) -> tuple[bytes, ...]:
        """What ended accounts, packed and signed, all of it."""
        ...

    async def statement(self) -> bytes | None:
        """The newest one of the server, packed and signed."""
        ...

    async def token_uses(self, mac: bytes, now_ms: int) -> int:
        """How often a token may still be used."""
        ...

    async def mailbox(
        self, device: DeviceId, after_seq: int, entries: int, most_bytes: int
    ) -> tuple[MailboxEntry, ...]:
        """The next entries, in order: at most so many, and bytes of sealed content; one at least."""
        ...

    async def log(
        self, stream: StreamId, after_seq: int, entries: int, most_bytes: int
    ) -> tuple[LogEntry, ...]:
        """As mailbox(), of a conversation's log."""
        ...

    async def logs(
        self, places: Collection[Place], entries: int, most_bytes: int
    ) -> dict[Place, tuple[LogEntry, ...]]:
        """What log() gives behind each of these places; at once, where each question is a way to go."""
        ...

    async def mail_waiting(self) -> int:
        """How many entries of mailboxes no device has acknowledged, all together."""
        ...

    async def files_kept(self) -> tuple[int, int]:
        """How many sealed files there are or come, and their bytes."""
        ...

    async def prune(self, now_ms: int) -> int:
        """Drop some of what nobody needs any more; how many rows. Called again while there are some."""
        ...

    async def alone(self, patience_seconds: float = ALONE_SECONDS) -> None:
        """Be the only server of this data until beside(); what was read before may not be so any more.

        Before anybody is served. Raises Unavailable(profile-in-use) where others do not end soon."""
        ...

    async def beside(self) -> None:
        """From now on others may serve this data too, where it is of a kind that they can."""
        ...

    async def blobs_due(self, now_ms: int, most: int, kept_longer_ms: int = 0) -> tuple[BlobId, ...]:
        """Sealed files whose time is over, or that were ended and are not forgotten yet."""
        ...

    async def close(self) -> None: ...

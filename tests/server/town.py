"""Records for tests of the store alone: accounts and devices whose bytes nobody checks there."""

from __future__ import annotations

import secrets

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import (
    AccountId,
    ConversationId,
    DeviceId,
    EnvelopeId,
    MessageId,
    SessionId,
    UserName,
    log_of,
)
from coterie.ledger.leaves import NO_LEAF
from coterie.ledger.manifest import PrekeyKind
from coterie.server.store.protocol import Store
from coterie.server.store.records import (
    AppendMessage,
    FoundServer,
    KeptManifest,
    KeyToKeep,
    LeftOut,
    NewDevice,
    NewEnvelope,
    NewLeaf,
    PostEnvelopes,
    Record,
    Register,
    ReplaceManifest,
    Verifier,
)
from coterie.server.store.results import Appended, Denied, LeafAdded, Posted, Result

NOW_MS = 1_800_000_000_000
EVERYONE = ConversationId(b"everyone".ljust(16, b"\0"))


def key(kind: PrekeyKind, id: int, *, created_ms: int = NOW_MS) -> KeyToKeep:
    return KeyToKeep(kind, id, created_ms, f"{kind.name} {id}".encode())


def device_keys(one_time: int = 0, *, created_ms: int = NOW_MS) -> tuple[KeyToKeep, ...]:
    return (
        key(PrekeyKind.FALLBACK, 1001, created_ms=created_ms),
        key(PrekeyKind.X_WING, 1002, created_ms=created_ms),
        *(key(PrekeyKind.ONE_TIME, id, created_ms=created_ms) for id in range(1, one_time + 1)),
    )


def founding() -> FoundServer:
    leaf = NewLeaf(b"leaf 0", b"server".ljust(32, b"\0"), NO_LEAF)
    return FoundServer((("secrets", b"s"),), b"statement 1", leaf, b"head 1", EVERYONE, NOW_MS)


class Machine:
    """A device and what it sends."""

    def __init__(self, account: AccountId) -> None:
        self.account = account
        self.id = DeviceId(secrets.token_bytes(16))
        self.session = SessionId(secrets.token_bytes(32))
        self.last: dict[ConversationId, bytes] = {}

    def new(self, one_time: int = 0, *, created_ms: int = NOW_MS) -> NewDevice:
        return NewDevice(self.id, secrets.token_bytes(32), device_keys(one_time, created_ms=created_ms))

    def message(
        self,
        conversation: ConversationId,
        peer: bytes = b"",
        *,
        message: MessageId | None = None,
        previous: bytes | None = None,
        spared_from: int = -1,
        now_ms: int = NOW_MS,
        ciphertext: bytes = b"sealed",
    ) -> AppendMessage:
        """The next message, not counted as accepted."""
        return AppendMessage(
            self.account,
            self.id,
            conversation,
            peer,
            self.session,
            message or MessageId(secrets.token_bytes(16)),
            self.last.get(conversation, b"") if previous is None else previous,
            ciphertext,
            b"c" * 32,
            b"m" * 32,
            spared_from,
            now_ms,
        )

    def share(
        self,
        conversation: ConversationId | None,
        *to: Machine,
        peer: bytes = b"",
        left_out: tuple[Machine, ...] = (),
        envelope: EnvelopeId | None = None,
        sealed: bytes = b"key",
        now_ms: int = NOW_MS,
    ) -> PostEnvelopes:
        """This session's key; conversation None: envelopes that carry no key."""
        sessions = (self.session,) if conversation is not None else ()
        items = (
            NewEnvelope(
                machine.account,
                machine.id,
                envelope or EnvelopeId(secrets.token_bytes(16)),
                sealed,
                conversation,
                sessions,
            )
            for machine in to
        )
        out = (
            LeftOut(conversation, self.session, machine.id, "no-prekey")
            for machine in left_out
            if conversation is not None
        )
        return PostEnvelopes(self.account, self.id, peer, tuple(items), tuple(out), now_ms)


class Resident:
    """An account."""

    def __init__(self, name: str) -> None:
        self.name = UserName(name)
        self.account = AccountId(secrets.token_bytes(32))
        self.devices = [Machine(self.account)]
        self.seq = 1
        self.hash = secrets.token_bytes(32)
        self.leaf = -1

    @property
    def device(self) -> Machine:
        return self.devices[0]

    @property
    def name_hash(self) -> bytes:
        return self.name.encode().ljust(32, b"\0")

    def direct_with(self, other: Resident) -> ConversationId:
        return direct_id(self.account, other.account)

    def register(self, *, one_time: int = 0, token: bytes | None = None, now_ms: int = NOW_MS) -> Register:
        return Register(
            self.account,
            self.name,
            KeptManifest(1, self.hash, b"manifest 1"),
            NewLeaf(b"leaf of " + self.hash, self.name_hash, NO_LEAF),
            self.device.new(one_time),
            b"salt".ljust(16, b"\0"),
            b"vault",
            (Verifier(b"i" * 16, b"m" * 32),),
            token,
            now_ms,
        )

    def change(
        self,
        *added: Machine,
        revoked: tuple[Machine, ...] = (),
        previous: bytes | None = None,
        now_ms: int = NOW_MS,
    ) -> ReplaceManifest:
        """The next manifest, not counted as accepted."""
        hash = secrets.token_bytes(32)
        return ReplaceManifest(
            self.account,
            self.hash if previous is None else previous,
            KeptManifest(self.seq + 1, hash, b"manifest %d" % (self.seq + 1)),
            NewLeaf(b"leaf of " + hash, self.name_hash, self.leaf),
            tuple(machine.new() for machine in added),
            tuple(machine.id for machine in revoked),
            b"",
            b"",
            (),
            now_ms,
        )

    def changed(self, record: ReplaceManifest, result: Result) -> None:
        """It was accepted."""
        assert isinstance(result, LeafAdded), result
        self.seq, self.hash, self.leaf = record.manifest.seq, record.manifest.hash, result.index


async def save(store: Store, record: Record) -> Result:
    (result,) = await store.commit([record])
    return result


async def settle_in(store: Store, *residents: Resident, one_time: int = 0) -> None:
    """Found the server where needed, and register."""
    if await store.head() is None:
        await save(store, founding())
    for resident in residents:
        result = await save(store, resident.register(one_time=one_time))
        assert isinstance(result, LeafAdded), result
        resident.leaf = result.index


async def say(store: Store, machine: Machine, record: AppendMessage) -> int:
    """Append a message that has to be accepted; its seq."""
    result = await save(store, record)
    assert isinstance(result, Appended), result
    machine.last[record.conversation] = record.message
    return result.seq


async def share(store: Store, record: PostEnvelopes) -> Posted:
    result = await save(store, record)
    assert isinstance(result, Posted), result
    return result


async def log_seqs(store: Store, conversation: ConversationId) -> list[int]:
    entries = await store.log(log_of(conversation), 0, 10_000, 1 << 30)
    return [entry.seq for entry in entries]


def denied(result: Result) -> Code | None:
    """Why, or None where it was not."""
    return result.code if isinstance(result, Denied) else None


async def talk(store: Store, alice: Resident, bob: Resident) -> None:
    """Alice's session key is with bob."""
    await share(store, alice.device.share(alice.direct_with(bob), bob.device, peer=bob.account))

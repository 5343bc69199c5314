"""What a command wants saved. Each record carries the condition under which it may be.

The store checks the condition inside the transaction and answers with a result (results.py): what commands
read before is only a first filter (docs/protocol.md, Races).
"""

from __future__ import annotations

import msgspec

from coterie.base.ids import (
    AccountId,
    ConversationId,
    DeviceId,
    EnvelopeId,
    MessageId,
    SessionId,
    StreamId,
    UserName,
)
from coterie.ledger.manifest import PrekeyKind
from coterie.server.store.blob_records import BeginBlob, EndBlob, ForgetBlob, KeepBlob


class KeyToKeep(msgspec.Struct, frozen=True, gc=False):
    """A checked prekey. signed: packed SignedPrekey."""

    kind: PrekeyKind
    id: int
    created_ms: int
    signed: bytes


class NewDevice(msgspec.Struct, frozen=True):
    """A device that a manifest adds. keys: none where it brings them later itself."""

    device: DeviceId
    ed25519: bytes
    keys: tuple[KeyToKeep, ...] = ()


class NewLeaf(msgspec.Struct, frozen=True):
    """A leaf for the ledger. Condition: `previous` is the index of the name's newest leaf (-1: none)."""

    packed: bytes
    name_hash: bytes
    previous: int


class KeptManifest(msgspec.Struct, frozen=True):
    """A checked manifest. packed: SignedManifest; hash: of its payload."""

    seq: int
    hash: bytes
    packed: bytes


class Verifier(msgspec.Struct, frozen=True):
    """What proves a login. id: as the vault names it, 16 bytes; mac: HMAC of the auth key, 32 bytes."""

    id: bytes
    mac: bytes


class FoundServer(msgspec.Struct, frozen=True):
    """The beginning of a server's data. Condition: nothing was founded here before.

    facts: what has to be remembered, by name; everyone: the conversation of the whole server.
    """

    facts: tuple[tuple[str, bytes], ...]
    statement: bytes
    leaf: NewLeaf
    head: bytes
    everyone: ConversationId
    now_ms: int


class PutFact(msgspec.Struct, frozen=True):
    """One fact, whatever it was before. once: only where there was none; the other one stays."""

    name: str
    value: bytes
    once: bool = False


class PutToken(msgspec.Struct, frozen=True):
    """An invite's token. mac: what it is known by, never the token itself."""

    mac: bytes
    uses: int
    expires_ms: int


class PutStatement(msgspec.Struct, frozen=True):
    """The next statement of the server, and its leaf."""

    seq: int
    signed: bytes
    leaf: NewLeaf


class ChangeIdentity(msgspec.Struct, frozen=True):
    """The server goes on under another identity. facts: its new secrets, and the way from the founding
    identity; change: the leaf of what the old identity signed; statement: the first one of the new identity,
    whose leaf follows that one."""

    facts: tuple[tuple[str, bytes], ...]
    change: NewLeaf
    statement: PutStatement


class OfferedAccount(msgspec.Struct, frozen=True):
    """What a restored copy lacks of an account, checked. Condition: `base` is the hash of its newest manifest
    here, b"" for an account that is not here; its name and devices are free then.

    manifests: those after that one, in order; devices: all of the newest (those that are here already change
    nothing); revoked: among them; deletion: packed SignedDeletion after all these, b"" for none; tombstone:
    hash and number of that. salt: for logins, until the vault comes.
    """

    account: AccountId
    name: UserName
    base: bytes
    manifests: tuple[KeptManifest, ...]
    devices: tuple[NewDevice, ...]
    revoked: tuple[DeviceId, ...]
    deletion: bytes
    tombstone: tuple[bytes, int]
    salt: bytes


class PutVault(msgspec.Struct, frozen=True):
    """A vault that the copy lacks, and its verifiers: these take the place of all that were there.
    Condition: `manifest` is the hash of the account's newest manifest, which names the vault."""

    account: AccountId
    manifest: bytes
    salt: bytes
    vault: bytes
    verifiers: tuple[Verifier, ...]


class TakeOffers(msgspec.Struct, frozen=True):
    """Each is taken by itself: one whose condition does not hold changes nothing. Where there is one alone,
    it is denied then."""

    offers: tuple[OfferedAccount, ...]
    now_ms: int


class BeginLife(msgspec.Struct, frozen=True):
    """The data was restored from a copy: another ledger begins, with these leaves and this head over them.

    facts: by name; statement: the first one of this life, packed, and its number; dormant_before_ms: devices
    whose X-Wing key was younger count as awake now.
    """

    facts: tuple[tuple[str, bytes], ...]
    seq: int
    statement: bytes
    leaves: tuple[NewLeaf, ...]
    head: bytes
    dormant_before_ms: int
    now_ms: int


class PutHead(msgspec.Struct, frozen=True):
    """A signed head over the first `size` leaves. Condition: there are that many, and no head reaches
    further or is as new."""

    size: int
    time_ms: int
    signed: bytes


class Register(msgspec.Struct, frozen=True):
    """A new account. Conditions, in this order: not the repetition of one that is there (which is accepted
    and changes nothing); the token, where one is needed, has uses left; name, account and device are free."""

    account: AccountId
    name: UserName
    manifest: KeptManifest
    leaf: NewLeaf
    device: NewDevice
    salt: bytes
    vault: bytes
    verifiers: tuple[Verifier, ...]
    token: bytes | None
    """mac of the token, None where sign-up is open."""
    now_ms: int


class ReplaceManifest(msgspec.Struct, frozen=True):
    """A checked successor. Condition: `previous` is the hash of the account's newest manifest; not more than
    limits.MANIFESTS_PER_DAY; device ids are free. A repetition changes nothing. vault: b"" keeps the old one
    and its verifiers, else these take their place."""

    account: AccountId
    previous: bytes
    manifest: KeptManifest
    leaf: NewLeaf
    added: tuple[NewDevice, ...]
    revoked: tuple[DeviceId, ...]
    salt: bytes
    vault: bytes
    verifiers: tuple[Verifier, ...]
    now_ms: int


class BeginReset(msgspec.Struct, frozen=True):
    """Somebody begins a name anew. register: the new account, its leaf a RESET, its token the operator's.
    Condition: `previous` is the hash of the newest manifest of the account that has the name."""

    register: Register
    previous: bytes


class CompleteResets(msgspec.Struct, frozen=True):
    """All resets whose time has come take effect."""

    now_ms: int


class EndAccount(msgspec.Struct, frozen=True):
    """A checked deletion (packed SignedDeletion). Condition: `previous` is the hash of the account's newest
    manifest."""

    account: AccountId
    previous: bytes
    deletion: bytes
    leaf: NewLeaf


class Succeed(msgspec.Struct, frozen=True):
    """An account goes on as another one. succession: packed SignedSuccession; manifest, leaf and devices: the
    first of the heir. Condition: `previous` is the hash of the newest manifest of `account`, which has the
    name; device ids are free."""

    account: AccountId
    heir: AccountId
    previous: bytes
    succession: bytes
    manifest: KeptManifest
    leaf: NewLeaf
    devices: tuple[NewDevice, ...]
    salt: bytes
    vault: bytes
    verifiers: tuple[Verifier, ...]
    now_ms: int


class PutRun(msgspec.Struct, frozen=True):
    """A device's start. Condition: no higher run, and no other nonce for the same run, was there before."""

    device: DeviceId
    run: int
    nonce: bytes


class PutPrekeys(msgspec.Struct, frozen=True):
    """Condition: the device is live. One-time keys known already, or given out already, change nothing."""

    device: DeviceId
    keys: tuple[KeyToKeep, ...]
    now_ms: int


class ClaimKeys(msgspec.Struct, frozen=True):
    """One one-time key of each device, given out once."""

    devices: tuple[tuple[AccountId, DeviceId], ...]
    now_ms: int


class NewEnvelope(msgspec.Struct, frozen=True, gc=False):
    """conversation and sessions: whose keys it carries, None and empty where none."""

    account: AccountId
    device: DeviceId
    envelope: EnvelopeId
    sealed: bytes
    conversation: ConversationId | None
    sessions: tuple[SessionId, ...]


class LeftOut(msgspec.Struct, frozen=True, gc=False):
    """A device that a session's key did not go to."""

    conversation: ConversationId
    session: SessionId
    device: DeviceId
    reason: str


class PostEnvelopes(msgspec.Struct, frozen=True):
    """Conditions: the devices are live, there is room in their mailboxes, the sender takes part in the
    conversations named (peer: the other account of a direct one that may not exist yet, b"" for none).
    Envelopes known by (sender, id) and share rows that are there change nothing."""

    account: AccountId
    device: DeviceId
    peer: bytes
    items: tuple[NewEnvelope, ...]
    left_out: tuple[LeftOut, ...]
    now_ms: int


class AppendMessage(msgspec.Struct, frozen=True, gc=False):
    """Conditions, in this order: not known by (device, message), else the old seq is the answer; `previous`
    is the device's last message there; the device is entitled; every other entitled device has a row for the
    session, except those added by leaves from spared_from on (-1: none is spared)."""

    account: AccountId
    device: DeviceId
    conversation: ConversationId
    peer: bytes
    """The other account of a direct conversation, b"" for everyone."""
    session: SessionId
    message: MessageId
    previous: bytes
    ciphertext: bytes
    commitment: bytes
    mac: bytes
    spared_from: int
    now_ms: int


class PutAccept(msgspec.Struct, frozen=True):
    """Condition: the other account is there."""

    account: AccountId
    other: AccountId


class MoveCursor(msgspec.Struct, frozen=True, gc=False):
    """Everything up to seq is committed on the device. Cursors never go back."""

    device: DeviceId
    stream: StreamId
    seq: int


OtherRecord = (
    PostEnvelopes
    | ClaimKeys
    | PutPrekeys
    | PutRun
    | Register
    | ReplaceManifest
    | EndAccount
    | BeginReset
    | CompleteResets
    | Succeed
    | PutAccept
    | PutHead
    | PutStatement
    | ChangeIdentity
    | PutToken
    | PutFact
    | FoundServer
    | BeginLife
    | TakeOffers
    | PutVault
    | BeginBlob
    | KeepBlob
    | EndBlob
    | ForgetBlob
)
"""Everything that can be saved but a message and a cursor, hot ones first."""

Record = AppendMessage | MoveCursor | OtherRecord
"""Everything that can be saved."""

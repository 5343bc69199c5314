"""Messages to everybody in a conversation, and the keys that open them (encryption rules 13, 14, 23).

One sending session per device and conversation (Megolm: GroupOut, GroupIn of vodo). The sealed plaintext is

    prefix("coterie group message") | franking key 32 | length of what follows, 4 bytes big endian
    | inner message without its prefix | zeros up to the padded size

The inner message is packed under its own domain; its prefix, which is always the same here, is hashed and
committed to, but not sent (docs/decisions/0041). commitment = HMAC-SHA256(franking key, prefix("coterie
franking") | inner message) travels outside, where the server adds its MAC to it; a receiver refuses a
mismatch, so one ciphertext cannot be shown to the operator as another text.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, unwrap
from coterie.base.errors import LocalError, RemoteError, SealBroken
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, SessionId
from coterie.base.quiet import Quiet
from coterie.e2ee.packing import Bytes32, Format, Natural, Positive
from coterie.e2ee.vodo import SESSION_KEY_CHARACTERS, GroupIn

FRANKING_KEY_BYTES = 32
_LENGTH_BYTES = 4
_PREFIX = prefix(Domain.GROUP_MESSAGE)
_INNER = prefix(Domain.INNER_MESSAGE)
_FRANKING = prefix(Domain.FRANKING)
_OVERHEAD_BYTES = 128
"""More than Megolm adds: version, index, padding to a block, MAC, signature."""
_HEADER_BYTES = len(_PREFIX) + FRANKING_KEY_BYTES + _LENGTH_BYTES

_Account = Annotated[AccountId, msgspec.Meta(min_length=32, max_length=32)]
_Device = Annotated[DeviceId, msgspec.Meta(min_length=16, max_length=16)]
_Conversation = Annotated[ConversationId, msgspec.Meta(min_length=16, max_length=16)]
_Message = Annotated[MessageId, msgspec.Meta(min_length=16, max_length=16)]
_Session = Annotated[SessionId, msgspec.Meta(min_length=32, max_length=32)]
_HashOrNone = Annotated[bytes, msgspec.Meta(max_length=32)]
_SessionKey = Annotated[
    bytes, msgspec.Meta(min_length=SESSION_KEY_CHARACTERS, max_length=SESSION_KEY_CHARACTERS)
]


COUNT_BITS = 32


def count_of(number: int) -> int:
    """Behind which number of a message this count begins; the first of all is number 0."""
    return number << COUNT_BITS


def count_began(n: int) -> int:
    """Behind which number the count of the message n began."""
    return n >> COUNT_BITS << COUNT_BITS


class GroupCipherOut(Protocol):
    """The sending half of a group protocol: Megolm's GroupOut today, MLS when a fit package exists."""

    @property
    def index(self) -> int: ...
    def seal(self, plaintext: bytes) -> bytes: ...


class GroupCipherIn(Protocol):
    """The receiving half."""

    def open(self, message: bytes) -> tuple[bytes, int]: ...


class KeyShare(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The key of a sending session on its way to one device, the content of an envelope.

    index: the first message that it opens. predecessor: the session before this one of the same conversation,
    account and device, b"" for the first. last_n, last_hash: the sender's newest message so far (0 and b"",
    where there is none).
    """

    conversation: _Conversation
    membership_hash: Bytes32
    session: _Session
    session_key: _SessionKey
    index: Natural
    predecessor: _HashOrNone
    last_n: Natural
    last_hash: _HashOrNone

    def pack(self) -> bytes:
        if not self.coherent:
            raise LocalError(Code.USAGE, "a key share that contradicts itself")
        return _key_share.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> KeyShare:
        share = _key_share.unpack(data)
        if not share.coherent:
            raise SealBroken("a key share that contradicts itself")
        return share

    @property
    def coherent(self) -> bool:
        """Whether there is a hash for a newest message, and none for none."""
        return len(self.predecessor) in (0, 32) and len(self.last_hash) == (32 if self.last_n else 0)


class KeyShares(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The keys of several sessions that follow each other, for one device in one envelope."""

    shares: Annotated[tuple[KeyShare, ...], msgspec.Meta(min_length=2, max_length=limits.KEYS_PER_ENVELOPE)]

    def pack(self) -> bytes:
        if not all(share.coherent for share in self.shares):
            raise LocalError(Code.USAGE, "a key share that contradicts itself")
        return _key_shares.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> KeyShares:
        several = _key_shares.unpack(data)
        if not all(share.coherent for share in several.shares):
            raise SealBroken("a key share that contradicts itself")
        return several


class Parent(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A message that the sender had when it wrote: SHA-256 of its inner message, its device and its n."""

    hash: Bytes32
    device: _Device
    n: Positive


class LeftOut(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A device that did not get the key to this message, and the code why."""

    account: _Account
    device: _Device
    reason: Annotated[str, msgspec.Meta(max_length=32)]


class InnerMessage(Quiet, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """What is sealed besides the franking key.

    n: dense count per (device, conversation), from 1; anew, from count_of(...) + 1, where the server began
    another life. previous: SHA-256 of this device's message n - 1 there, b"" for the first of a count.
    parents: at most 7 newest of others; in the first of a count also the newest of the count before, of this
    device itself. head: packed BriefHead of the sender's ledger, b"" before the first. body: packed.
    """

    conversation: _Conversation
    account: _Account
    device: _Device
    membership_hash: Bytes32
    message: _Message
    n: Positive
    previous: _HashOrNone
    parents: Annotated[tuple[Parent, ...], msgspec.Meta(max_length=limits.OTHER_PARENTS)]
    left_out: Annotated[tuple[LeftOut, ...], msgspec.Meta(max_length=2000)]
    time_ms: Natural
    head: Annotated[bytes, msgspec.Meta(max_length=1024)]
    body: bytes

    def pack(self) -> bytes:
        if not self._coherent:
            raise LocalError(Code.USAGE, "an inner message that contradicts itself")
        return _inner_messages.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> InnerMessage:
        inner = _inner_messages.unpack(data)
        if not inner._coherent:
            raise SealBroken("an inner message that contradicts itself")
        return inner

    @property
    def named(self) -> tuple[Parent, ...]:
        """Every message that this one names: the one before it of the same device, and those of others."""
        before = self.before
        others = tuple([each for each in self.parents if each.device != self.device])
        return (before, *others) if before is not None else others

    @property
    def before(self) -> Parent | None:
        """This device's message before this one."""
        if not self._begins_count:
            return Parent(self.previous, self.device, self.n - 1)
        return next((each for each in self.parents if each.device == self.device and each.n < self.n), None)

    @property
    def _begins_count(self) -> bool:
        return self.n == count_began(self.n) + 1

    @property
    def _coherent(self) -> bool:
        number = self.n - count_began(self.n)
        return number > 0 and len(self.previous) == (0 if number == 1 else 32)


_key_share = Format(Domain.KEY_SHARE, KeyShare)
_key_shares = Format(Domain.KEY_SHARES, KeyShares)
_inner_messages = Format(Domain.INNER_MESSAGE, InnerMessage)


class SealedMessage(Quiet, frozen=True, gc=False):
    """Ready to be sent. inner: the packed inner message, hash: its SHA-256, index: in its session."""

    ciphertext: bytes
    commitment: bytes
    hash: bytes
    franking_key: bytes
    inner: bytes
    index: int


class Opened(Quiet, frozen=True):
    """A message whose commitment holds. packed: the inner message's bytes, hash: their SHA-256."""

    inner: InnerMessage
    index: int
    hash: bytes
    franking_key: bytes
    packed: bytes


def commit(franking_key: bytes, packed: bytes) -> bytes:
    """The commitment to a packed inner message: 32 bytes."""
    return hmac.digest(franking_key, _FRANKING + packed, "sha256")


def franking_keys(count: int) -> list[bytes]:
    """Fresh ones, 32 bytes each, for messages that are sealed at once: the system is asked for them once."""
    drawn = secrets.token_bytes(FRANKING_KEY_BYTES * count)
    return [drawn[start : start + FRANKING_KEY_BYTES] for start in range(0, len(drawn), FRANKING_KEY_BYTES)]


def seal_message(
    out: GroupCipherOut, inner: InnerMessage, pad: Callable[[int], int], franking_key: bytes | None = None
) -> SealedMessage:
    """Seal one message; steps the session. pad: from a size in bytes to the size to fill up to. franking_key:
    one of franking_keys, for this message alone; None: a fresh one."""
    packed = inner.pack()
    content = packed[len(_INNER) :]
    franking_key = franking_key or franking_keys(1)[0]
    length = len(content).to_bytes(_LENGTH_BYTES, "big")
    plaintext = b"".join((_PREFIX, franking_key, length, content))
    plaintext = plaintext.ljust(pad(len(plaintext)), b"\x00")
    if len(plaintext) > limits.CIPHERTEXT_BYTES - _OVERHEAD_BYTES:
        raise LocalError(Code.TOO_LARGE, "a message beyond the limit")
    index = out.index
    return SealedMessage(
        ciphertext=out.seal(plaintext),
        commitment=commit(franking_key, packed),
        hash=hashlib.sha256(packed).digest(),
        franking_key=franking_key,
        inner=packed,
        index=index,
    )


def open_message(session: GroupCipherIn, ciphertext: bytes, commitment: bytes) -> Opened:
    """Open one message and hold its commitment against it.

    Raises SealBroken. Whether the message is where it belongs is for check_place; whether it came before is
    for the caller (by sender device, conversation and message id, and by session and index).
    """
    plaintext, index = session.open(ciphertext)
    franking_key, packed = _split(plaintext)
    if not hmac.compare_digest(commit(franking_key, packed), commitment):
        raise SealBroken("a commitment to another message")
    return Opened(
        inner=InnerMessage.unpack(packed),
        index=index,
        hash=hashlib.sha256(packed).digest(),
        franking_key=franking_key,
        packed=packed,
    )


def check_place(
    inner: InnerMessage,
    conversation: ConversationId,
    account: AccountId,
    device: DeviceId,
    message: MessageId,
) -> None:
    """Refuse a message whose sealed fields differ from the log entry that carried it (SealBroken)."""
    if inner.conversation != conversation:
        raise SealBroken("a message for another conversation")
    if inner.account != account or inner.device != device:
        raise SealBroken("a message by another device than its entry says")
    if inner.message != message:
        raise SealBroken("a message under another id")


def accept_share(share: KeyShare) -> GroupIn:
    """The session that a key share carries, if its id and index are what the share says."""
    session = GroupIn.from_session_key(share.session_key)
    if session.id != share.session or session.first_index != share.index:
        raise SealBroken("a key share with the key of another session")
    return session


def _split(plaintext: bytes) -> tuple[bytes, bytes]:
    """Franking key and packed inner message of an unsealed plaintext."""
    try:
        unwrap(Domain.GROUP_MESSAGE, plaintext)
    except RemoteError as wrong:
        code = Code.BAD_SUITE if wrong.code is Code.BAD_SUITE else Code.SEAL_BROKEN
        raise SealBroken(wrong.note, code) from None
    start = len(_PREFIX) + FRANKING_KEY_BYTES
    end = _HEADER_BYTES + int.from_bytes(plaintext[start:_HEADER_BYTES], "big")
    if end > len(plaintext) or plaintext[end:].strip(b"\x00"):
        raise SealBroken("a message with broken padding")
    return plaintext[len(_PREFIX) : start], _INNER + plaintext[_HEADER_BYTES:end]

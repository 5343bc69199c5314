"""The one module that touches vodozemac: Olm between two devices, Megolm from one to many, emoji to compare.

Everything outside is bytes. What the binding raises, its panics included (a PanicException is a BaseException
and would escape `except Exception`), becomes SealBroken here. A failed open loses nothing: whatever
would have opened before still opens. Nothing that this module returns names a message by its ciphertext, for
the encoding of that is malleable.

Limits of the Olm of this binding: 40 skipped keys, 5 receiving chains, gaps up to 2000, a 64-bit MAC; so
mailboxes are delivered in order and envelopes add a full tag (encryption rule 10).
"""

from __future__ import annotations

import binascii
import re
from types import TracebackType
from typing import Protocol, cast

import vodozemac

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import CoterieError, LocalError, SealBroken
from coterie.base.ids import SessionId
from coterie.e2ee.derive import derive_key

PRE_KEY = 0
"""Olm type of a pre-key message: what is sealed before the other side has answered."""
NORMAL = 1

SESSION_KEY_CHARACTERS = 306
"""229 bytes: version, index, ratchet, Ed25519 key, signature; base64 without padding."""
EXPORTED_KEY_CHARACTERS = 220
"""165 bytes: the same without signature."""
_ALPHABET = re.compile(rb"[A-Za-z0-9+/]+")


def pickle_key(root: bytes, *object_id: bytes) -> bytes:
    """The key of one object's pickle: 32 bytes, from the 32-byte root inside the encrypted store."""
    if len(root) != 32:
        raise LocalError(Code.USAGE, "a pickle root has 32 bytes")
    return derive_key(root, Domain.PICKLE_KEY, *object_id)


class _Border:
    """Turns whatever the binding raises into SealBroken with a note of ours."""

    def __init__(self, note: str) -> None:
        self._note = note

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, (CoterieError, MemoryError)):
            return
        if issubclass(kind, Exception) or kind.__name__ == "PanicException":
            raise SealBroken(self._note) from None


_KEY = _Border("not a usable public key")
_PICKLE = _Border("a pickle that does not open")
_OLM_FIRST = _Border("a first Olm message that does not open")
_OLM = _Border("an Olm message that does not open")
_MEGOLM = _Border("a Megolm message that does not open")
_SESSION_KEY = _Border("not a session key")
_USE = _Border("a ratchet that refuses to go on")


def _decoded(text: str) -> bytes:
    """The bytes of what the binding hands out in base64 without padding."""
    return binascii.a2b_base64(text + "=" * (-len(text) % 4))


def _checked(text: bytes, characters: int) -> str:
    """Base64 of the expected length and alphabet, the one thing that is ever given to a decoder."""
    if len(text) != characters or _ALPHABET.fullmatch(text) is None:
        raise SealBroken("not a session key")
    return text.decode("ascii")


class EarlierIndex(SealBroken):
    """A message from before the index at which this device was given its session's key."""


class OlmSession:
    """A ratchet between this device and one other. Pickle it after each step, before anything leaves."""

    def __init__(self, session: vodozemac.Session) -> None:
        self._session = session
        self.id = _decoded(session.session_id)
        """32 bytes, the same on both sides."""

    def seal(self, plaintext: bytes) -> tuple[int, bytes]:
        """Type (PRE_KEY or NORMAL) and Olm message."""
        with _USE:
            return self._session.encrypt(plaintext).to_parts()

    def open(self, kind: int, message: bytes) -> bytes:
        """The plaintext. Raises SealBroken for a replay too: known envelope ids are dropped before this."""
        with _OLM:
            return self._session.decrypt(vodozemac.AnyOlmMessage.from_parts(kind, message))

    def matches(self, kind: int, message: bytes) -> bool:
        """Whether a first message belongs to this session; False for all others, which do not say."""
        if kind != PRE_KEY:
            return False
        try:
            return self._session.session_matches(_first(message))
        except SealBroken:
            return False

    def pickle(self, key: bytes) -> bytes:
        with _PICKLE:
            return self._session.pickle(key).encode("ascii")

    @classmethod
    def from_pickle(cls, pickle: bytes, key: bytes) -> OlmSession:
        with _PICKLE:
            return cls(vodozemac.Session.from_pickle(pickle.decode("ascii"), key))


def _first(message: bytes) -> vodozemac.PreKeyMessage:
    with _OLM_FIRST:
        first = vodozemac.AnyOlmMessage.from_parts(PRE_KEY, message).to_pre_key()
    return cast(vodozemac.PreKeyMessage, first)


def first_session_id(message: bytes) -> bytes:
    """The id of the session that a first message would open: known ids are refused (encryption rule 11)."""
    with _OLM_FIRST:
        return _decoded(_first(message).session_id())


class _WithFallback(Protocol):
    """What the binding's Account has and its type stub lacks."""

    @property
    def fallback_key(self) -> dict[str, vodozemac.Curve25519PublicKey]: ...
    def generate_fallback_key(self) -> object: ...


class DeviceKeys:
    """The long-lived keys of this device: Curve25519, Ed25519, one-time and fallback keys."""

    def __init__(self, account: vodozemac.Account) -> None:
        self._account = account
        self.curve25519 = account.curve25519_key.to_bytes()
        """32 bytes, public."""
        self.ed25519 = _decoded(account.ed25519_key.to_base64())
        """32 bytes, public."""

    @classmethod
    def create(cls) -> DeviceKeys:
        return cls(vodozemac.Account())

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes; base.signing.verify_device checks it."""
        with _USE:
            return _decoded(self._account.sign(message).to_base64())

    def new_one_time_keys(self, count: int) -> tuple[bytes, ...]:
        """Make one-time keys: their public halves, 32 bytes each, returned once and marked published."""
        if not 1 <= count <= limits.ONE_TIME_KEYS:
            raise LocalError(Code.USAGE, "one-time keys are made 1 to 50 at a time")
        with _USE:
            self._account.generate_one_time_keys(count)
            keys = tuple(key.to_bytes() for key in self._account.one_time_keys.values())
            self._account.mark_keys_as_published()
        return keys

    def new_fallback(self) -> bytes:
        """Make a fallback key and return its public half, 32 bytes.

        The binding holds two: the one before stays usable, the one before that is gone. So a device that
        promises to keep a fallback key for 30 days after replacement replaces it every 30 days at most.
        """
        with _USE:
            account = cast(_WithFallback, self._account)
            account.generate_fallback_key()
            (key,) = account.fallback_key.values()
            public = key.to_bytes()
            self._account.mark_keys_as_published()
        return public

    def drop_old_fallback(self) -> bytes:
        """Make every fallback key so far unusable; returns a new one that must be published in their place.

        The binding has no call to forget one: two new ones push both out.
        """
        self.new_fallback()
        return self.new_fallback()

    def start(self, recipient_curve25519: bytes, one_time_key: bytes) -> OlmSession:
        """A session to another device, from its two public keys (a fallback key does in place of a one-time
        key). Raises SealBroken for keys of low order."""
        with _KEY:
            identity = vodozemac.Curve25519PublicKey.from_bytes(recipient_curve25519)
            one_time = vodozemac.Curve25519PublicKey.from_bytes(one_time_key)
            return OlmSession(self._account.create_outbound_session(identity, one_time))

    def open_first(self, sender_curve25519: bytes, message: bytes) -> tuple[OlmSession, bytes]:
        """The session that a first message begins, and its plaintext. The one-time key is used up by success
        alone; a first message under a fallback key opens again and again, so its session id is remembered."""
        with _OLM_FIRST:
            sender = vodozemac.Curve25519PublicKey.from_bytes(sender_curve25519)
            session, plaintext = self._account.create_inbound_session(sender, _first(message))
            return OlmSession(session), plaintext

    def pickle(self, key: bytes) -> bytes:
        with _PICKLE:
            return self._account.pickle(key).encode("ascii")

    @classmethod
    def from_pickle(cls, pickle: bytes, key: bytes) -> DeviceKeys:
        with _PICKLE:
            return cls(vodozemac.Account.from_pickle(pickle.decode("ascii"), key))


class GroupOut:
    """A sending session of this device. Never cloned: a restored pickle would use a key and IV again."""

    def __init__(self, session: vodozemac.GroupSession) -> None:
        self._session = session
        self.id = SessionId(_decoded(session.session_id))

    @classmethod
    def create(cls) -> GroupOut:
        return cls(vodozemac.GroupSession())

    @property
    def index(self) -> int:
        """Of the next message."""
        return self._session.message_index

    def session_key(self) -> bytes:
        """What lets another device open messages from the present index on: 306 ASCII characters."""
        with _USE:
            return self._session.session_key.to_base64().encode("ascii")

    def seal(self, plaintext: bytes) -> bytes:
        with _USE:
            return self._session.encrypt(plaintext).to_bytes()

    def pickle(self, key: bytes) -> bytes:
        with _PICKLE:
            return self._session.pickle(key).encode("ascii")

    @classmethod
    def from_pickle(cls, pickle: bytes, key: bytes) -> GroupOut:
        with _PICKLE:
            return cls(vodozemac.GroupSession.from_pickle(pickle.decode("ascii"), key))


class GroupIn:
    """A session of another device, by which its messages open."""

    def __init__(self, session: vodozemac.InboundGroupSession) -> None:
        self._session = session
        self.id = SessionId(_decoded(session.session_id))

    @classmethod
    def from_session_key(cls, session_key: bytes) -> GroupIn:
        """From what GroupOut.session_key gave: index and ratchet are signed by the session's own key."""
        text = _checked(session_key, SESSION_KEY_CHARACTERS)
        with _SESSION_KEY:
            return cls(vodozemac.InboundGroupSession(vodozemac.SessionKey(text)))

    @property
    def first_index(self) -> int:
        """The lowest index that this copy can open."""
        return self._session.first_known_index

    def open(self, message: bytes) -> tuple[bytes, int]:
        """Plaintext and index. The same message opens again: the caller dedupes by (session, index). Raises
        SealBroken, of it EarlierIndex by the word of the message alone."""
        with _MEGOLM:
            said = vodozemac.MegolmMessage.from_bytes(message)
            if said.message_index() < self._session.first_known_index:
                raise EarlierIndex("a message from before the key")
            opened = self._session.decrypt(said)
            return opened.plaintext, opened.message_index

    def export_at(self, index: int) -> bytes:
        """The session from this index on, 220 ASCII characters without signature: for this device's own
        archive and pruning alone. Raises SealBroken below first_index."""
        with _SESSION_KEY:
            exported = self._session.export_at(index)
            if exported is None:
                raise SealBroken("an index before the first one known")
            return exported.to_base64().encode("ascii")

    @classmethod
    def import_(cls, exported: bytes) -> GroupIn:
        """From export_at of this account's own devices, never from anybody else: an altered export imports
        without complaint and under the same session id."""
        text = _checked(exported, EXPORTED_KEY_CHARACTERS)
        with _SESSION_KEY:
            return cls(vodozemac.InboundGroupSession.import_session(vodozemac.ExportedSessionKey(text)))

    def pickle(self, key: bytes) -> bytes:
        with _PICKLE:
            return self._session.pickle(key).encode("ascii")

    @classmethod
    def from_pickle(cls, pickle: bytes, key: bytes) -> GroupIn:
        with _PICKLE:
            return cls(vodozemac.InboundGroupSession.from_pickle(pickle.decode("ascii"), key))


class EmojiKey:
    """An X25519 key of one comparison of emoji (e2ee/sas.py). It lives in memory and agrees once."""

    def __init__(self) -> None:
        self._sas = vodozemac.Sas()
        self.public = self._sas.public_key.to_bytes()
        """32 bytes."""

    def agree(self, public: bytes) -> EmojiSecret:
        """What both sides then share. Raises SealBroken for a key of low order, and for a second call."""
        with _KEY:
            return EmojiSecret(self._sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_bytes(public)))


class EmojiSecret:
    """The shared secret of two EmojiKeys. What comes of it: HKDF-SHA256 without salt, under an info."""

    def __init__(self, established: vodozemac.EstablishedSas) -> None:
        self._established = established

    def emoji(self, info: str) -> tuple[int, ...]:
        """Seven numbers from 0 to 63: the first 42 bits that come under the info."""
        with _USE:
            return tuple(self._established.bytes(info).emoji_indices)

    def mac(self, text: str, info: str) -> bytes:
        """HMAC-SHA256 of the text, 32 bytes, under a key of the info's own."""
        with _USE:
            return _decoded(self._established.calculate_mac(text, info))

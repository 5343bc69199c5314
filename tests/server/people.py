"""Real accounts for the server's tests: what a client signs and sends, without a client."""

from __future__ import annotations

import hashlib
import itertools
import secrets

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from coterie.base.conversations import direct_id, membership_hash
from coterie.base.domains import Domain, prefix, wrap
from coterie.base.ids import AccountId, ConversationId, MessageId, SessionId, UserName
from coterie.base.signing import IdentityKeys
from coterie.ledger.deletion import SignedDeletion, sign_deletion
from coterie.ledger.manifest import Prekey, PrekeyKind, SignedManifest, sign_prekey
from coterie.ledger.succession import sign_heir, sign_succession
from coterie.server.vault import verifier_id
from coterie.wire.frames import AddDevice, Envelopes, ProveDevice, PublishManifest, Send, SignUp, Succeed
from coterie.wire.frames.blobs import ProveBlobs
from coterie.wire.frames.messages import EnvelopeItem, Share
from tests.ledger.accounts import NOW_MS, Machine, Owner, after

ONE_TIME_KEYS = 3
X_WING_BYTES = 1216


class Device(Machine):
    """A machine with prekeys, a run number and messages to say."""

    def __init__(self, account: AccountId, now_ms: int = NOW_MS) -> None:
        super().__init__()
        self.now_ms = now_ms
        self.account = account
        self.run = 1
        self.nonce = secrets.token_bytes(16)
        self.session = SessionId(secrets.token_bytes(32))
        self.last: dict[ConversationId, bytes] = {}
        self._ids = itertools.count(1)

    def prekey(self, kind: PrekeyKind) -> bytes:
        key = X25519PrivateKey.generate().public_key().public_bytes_raw()
        if kind is PrekeyKind.X_WING:
            key = secrets.token_bytes(X_WING_BYTES - 32) + key
        prekey = Prekey(kind, next(self._ids), self.now_ms, self.account, self.id, key)
        return sign_prekey(prekey, self).pack()

    def prekeys(self, one_time: int = ONE_TIME_KEYS) -> tuple[bytes, ...]:
        kinds = [PrekeyKind.ONE_TIME] * one_time + [PrekeyKind.FALLBACK, PrekeyKind.X_WING]
        return tuple(self.prekey(kind) for kind in kinds)

    def prove(self, challenge: bytes, tls_key: bytes, *, request: int = 1) -> ProveDevice:
        said = [challenge, tls_key, self.account, self.id, self.run, self.nonce]
        signature = self.sign(prefix(Domain.PROVE_DEVICE) + msgspec.msgpack.encode(said))
        return ProveDevice(request, self.account, self.id, self.run, self.nonce, signature)

    def prove_blobs(
        self, challenge: bytes, tls_key: bytes, *, request: int = 1, domain: Domain = Domain.PROVE_BLOBS
    ) -> ProveBlobs:
        said = [challenge, tls_key, self.account, self.id, self.run, self.nonce]
        signature = self.sign(prefix(domain) + msgspec.msgpack.encode(said))
        return ProveBlobs(request, self.account, self.id, self.run, self.nonce, signature)

    def restart(self) -> None:
        """The next run of this device's program."""
        self.run += 1
        self.nonce = secrets.token_bytes(16)

    def message(
        self,
        conversation: ConversationId,
        to: bytes,
        *,
        request: int = 1,
        previous: bytes | None = None,
        ciphertext: bytes = b"sealed",
        ledger_size: int = 1,
    ) -> Send:
        """The next message; it counts as said."""
        message = MessageId(secrets.token_bytes(16))
        before = self.last.get(conversation, b"") if previous is None else previous
        self.last[conversation] = message
        return Send(
            request,
            conversation,
            to,
            self.session,
            message,
            before,
            ciphertext,
            hashlib.sha256(ciphertext).digest(),
            membership_hash(conversation),
            ledger_size,
        )

    def share(
        self,
        conversation: ConversationId,
        to: bytes,
        *devices: Device,
        request: int = 1,
        sealed: bytes = b"key",
    ) -> Envelopes:
        """This session's key for these devices."""
        items = (
            EnvelopeItem(
                device.account,
                device.id,
                secrets.token_bytes(16),
                sealed,
                Share(conversation, self.session),
            )
            for device in devices
        )
        return Envelopes(request, tuple(items), (), to)


class Person(Owner):
    """An account that signs up with a vault and both auth keys."""

    def __init__(self, identity: IdentityKeys, name: str, now_ms: int = NOW_MS) -> None:
        super().__init__(identity, name)
        self.device = Device(self.account, now_ms)
        self.first = self.device
        self.auth_key = secrets.token_bytes(32)
        self.recovery_auth_key = secrets.token_bytes(32)
        self.random = secrets.token_bytes(16)
        self.vault = self.vault_of(self.auth_key, self.recovery_auth_key)
        self.signed = self.begin()

    def vault_of(self, *auth_keys: bytes, random: bytes | None = None) -> bytes:
        face = [random or self.random, [[1, b"nonce", b"wrapped"]], [verifier_id(key) for key in auth_keys]]
        return wrap(Domain.VAULT, msgspec.msgpack.encode(face))

    def begin(self) -> SignedManifest:
        manifest = msgspec.structs.replace(
            self.manifest(), vault_hash=hashlib.sha256(self.vault).digest(), name=UserName(self.name)
        )
        return self.sign(manifest)

    def sign_up(self, *, request: int = 1, token: bytes = b"") -> SignUp:
        return SignUp(
            request,
            self.name,
            self.signed.pack(),
            self.vault,
            self.auth_key,
            self.recovery_auth_key,
            self.device.prekeys(),
            token,
        )

    def add_device(self, device: Device, *, request: int = 1) -> AddDevice:
        """The account's next manifest, with this device by recovery; it counts as published."""
        self.signed = self.with_recovered(self.signed, device)
        return AddDevice(request, self.signed.pack(), device.prekeys())

    def deletion(self, by: Device | None = None) -> SignedDeletion:
        """What ends the account."""
        device = by or self.device
        return sign_deletion(self.signed, self.identity, device.id, device, NOW_MS)

    def succeed(self, new: IdentityKeys, by: Device | None = None, request: int = 1) -> Succeed:
        """This account goes on under another identity, with a vault of the same auth keys."""
        device = by or self.device
        vault_hash = hashlib.sha256(self.vault).digest()
        heir = sign_heir(self.signed, new, device.id, device, vault_hash, NOW_MS)
        word = sign_succession(self.signed, heir, self.identity, device.id, device)
        keys = (self.auth_key, self.recovery_auth_key)
        return Succeed(request, word.pack(), heir.pack(), self.vault, *keys)

    def change_vault(self, *auth_keys: bytes, request: int = 1) -> PublishManifest:
        """The next manifest, of a vault that names these auth keys; it counts as published."""
        self.vault = self.vault_of(*auth_keys)
        vault_hash = hashlib.sha256(self.vault).digest()
        manifest = msgspec.structs.replace(after(self.signed), vault_hash=vault_hash)
        self.signed = self.sign(manifest)
        return PublishManifest(request, self.signed.pack(), self.vault, *auth_keys)

    def direct_with(self, other: Person) -> ConversationId:
        return direct_id(self.account, other.account)


def revoking(person: Person) -> PublishManifest:
    """The person's newest device goes."""
    *others, last = person.signed.manifest.devices
    manifest = after(person.signed, devices=(*others, last.revoked(NOW_MS)))
    return PublishManifest(9, person.sign(manifest).pack(), b"", b"", b"")

"""Real accounts without clients: what a client signs, says and acknowledges, made beforehand and cheaply.

All share one RSA key, for making one takes a hundred times as long as the rest; their ML-DSA keys differ, and
so do their account ids. Everything else is as a client makes it, so that real clients can seal to them.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
from collections.abc import Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric import mldsa, rsa

from coterie.base import limits
from coterie.base.clock import Clock
from coterie.base.conversations import direct_id, membership_hash
from coterie.base.domains import Domain, prefix
from coterie.base.ids import ConversationId, SessionId, UserName
from coterie.base.invite import Invite
from coterie.base.signing import RSA_BITS, RSA_EXPONENT, IdentityKeys, account_id
from coterie.client.api.enrolment import NewDevice, first_manifest
from coterie.e2ee.identity import Vault, vault_hash, verifier_id
from coterie.trials.lines import Line, open_line
from coterie.wire import codec
from coterie.wire.frames import Accepted, Envelopes, ProveDevice, Send, SignUp
from coterie.wire.frames.messages import EnvelopeItem, Share

CIPHERTEXT_BYTES = 600
ENVELOPE_BYTES = 2000
"""About as long as one that carries a key (docs/protocol.md 5.2)."""
SIGN_UPS_AT_ONCE = 16


class Citizen:
    """One account with one device, and what it has to say."""

    def __init__(self, name: str, rsa_key: rsa.RSAPrivateKey, clock: Clock) -> None:
        identity = IdentityKeys(rsa_key, mldsa.MLDSA65PrivateKey.generate())
        self.account = account_id(identity.public)
        self.device = NewDevice(self.account, "trial", clock)
        self.session = SessionId(secrets.token_bytes(32))
        self._nonce = secrets.token_bytes(16)
        self._last: dict[ConversationId, bytes] = {}
        self._requests = itertools.count(10)
        auth_keys = secrets.token_bytes(32), secrets.token_bytes(32)
        vault = Vault(secrets.token_bytes(16), (), (verifier_id(auth_keys[0]), verifier_id(auth_keys[1])))
        packed = vault.pack()
        manifest = first_manifest(self.device, UserName(name), identity, vault_hash(packed), clock.wall_ms())
        self._sign_up = SignUp(1, name, manifest.pack(), packed, *auth_keys, self.device.prekeys, b"")

    def sign_up(self) -> SignUp:
        return self._sign_up

    def prove(self, line: Line) -> ProveDevice:
        """That this device speaks on that line; always as the same run, so that it may come again."""
        said = [line.challenge, line.tls_key, self.account, self.device.id, 1, self._nonce]
        signature = self.device.keys.sign(prefix(Domain.PROVE_DEVICE) + msgspec.msgpack.encode(said))
        return ProveDevice(2, self.account, self.device.id, 1, self._nonce, signature)

    def keys_for(self, conversation: ConversationId, to: bytes, others: Sequence[Citizen]) -> list[Envelopes]:
        """This session's key for others, in as many frames as it takes; what is sealed is noise."""
        frames = []
        for some in _slices(others):
            items = tuple(
                EnvelopeItem(
                    other.account,
                    other.device.id,
                    secrets.token_bytes(16),
                    secrets.token_bytes(ENVELOPE_BYTES),
                    Share(conversation, self.session),
                )
                for other in some
            )
            frames.append(Envelopes(next(self._requests), items, (), to))
        return frames

    def messages(self, conversation: ConversationId, to: bytes, count: int) -> list[bytes]:
        """The next messages, encoded, in the order in which they have to be sent."""
        encoded = []
        for _ in range(count):
            message, last = secrets.token_bytes(16), self._last.get(conversation, b"")
            encoded.append(
                encoded_message(next(self._requests), conversation, to, self.session, message, last)
            )
            self._last[conversation] = message
        return encoded

    def direct_with(self, other: Citizen) -> ConversationId:
        return direct_id(self.account, other.account)


def encoded_message(
    request: int, conversation: bytes, to: bytes, session: bytes, message: bytes, last: bytes
) -> bytes:
    """A Send of what is no more than noise. last: the sender's message before it there."""
    ciphertext = secrets.token_bytes(CIPHERTEXT_BYTES)
    send = Send(
        request,
        ConversationId(conversation),
        to,
        SessionId(session),
        message,
        last,
        ciphertext,
        hashlib.sha256(ciphertext).digest(),
        membership_hash(ConversationId(conversation)),
        1,
    )
    return codec.encode(send)


def message_of(encoded: bytes) -> bytes:
    """The id of such a message."""
    frame = msgspec.msgpack.decode(encoded[codec.LENGTH_BYTES :], type=Send)
    return frame.message


def _slices(others: Sequence[Citizen]) -> list[Sequence[Citizen]]:
    size = limits.ENVELOPES_PER_FRAME
    return [others[start : start + size] for start in range(0, len(others), size)]


async def settle(invite: Invite, count: int, clock: Clock, *, first: int = 0) -> list[Citizen]:
    """Make accounts and sign them all up, several at once."""
    rsa_key = rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS)
    citizens: list[Citizen] = []
    waiting: asyncio.Queue[Citizen] = asyncio.Queue(SIGN_UPS_AT_ONCE)

    async def sign_up() -> None:
        while True:
            citizen = await waiting.get()
            line = await open_line(invite)
            answer = await line.ask(citizen.sign_up())
            assert isinstance(answer, Accepted), type(answer).__name__
            await line.close()
            waiting.task_done()

    async with asyncio.TaskGroup() as tasks:
        desks = [tasks.create_task(sign_up()) for _ in range(SIGN_UPS_AT_ONCE)]
        for number in range(first, first + count):
            citizen = Citizen(f"citizen{number}", rsa_key, clock)
            citizens.append(citizen)
            await waiting.put(citizen)
        await waiting.join()
        for desk in desks:
            desk.cancel()
    return citizens

"""What commands know of the server they work for."""

from __future__ import annotations

import hmac
from functools import cached_property

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from coterie.base.domains import Domain, prefix
from coterie.base.ids import AccountId, ConversationId, DeviceId, LedgerId
from coterie.base.quiet import Quiet
from coterie.base.signing import LedgerKeys, LedgerPublic
from coterie.server.policy import Rates
from coterie.server.tries import LocalTries, Tries

SECRET_BYTES = 32


class ServerSecrets(Quiet, frozen=True, array_like=True):
    """Private keys and secrets, as they lie in the database. identity: packed IdentityKeys; ledger: packed
    LedgerKeys; the others 32 random bytes each."""

    identity: bytes
    ledger: bytes
    verifier: bytes
    salt: bytes
    franking: bytes
    token: bytes


class LedgerNow(msgspec.Struct, frozen=True):
    """The newest published head."""

    size: int
    time_ms: int
    head: bytes


class Realm:
    """One server's data, from start to end of the process; statement and ledger move on."""

    def __init__(
        self,
        *,
        secrets: ServerSecrets,
        incarnation: bytes,
        server: AccountId,
        identity: bytes,
        chain: tuple[bytes, ...],
        restores: tuple[bytes, ...],
        founding_ledger: LedgerId,
        everyone: ConversationId,
        tls_key: bytes,
        open_signup: bool,
        statement: bytes,
        ledger: LedgerNow,
    ) -> None:
        self.secrets = secrets
        self._franking = HMAC(secrets.franking, hashes.SHA256())
        self.incarnation = incarnation
        self.server = server
        """Id of the founding identity."""
        self.identity = identity
        """The founding identity, packed."""
        self.chain = chain
        """Signed statements from the founding identity to the current one."""
        self.restores = restores
        """Signed statements by which the founding ledger became the present one: none where the data was
        never restored from a copy."""
        self.founding_ledger = founding_ledger
        self.everyone = everyone
        self.tls_key = tls_key
        self.open_signup = open_signup
        self.statement = statement
        self.ledger = ledger
        self.kept_longer_ms = 0
        """How much longer than the limits say what nobody has fetched is kept."""
        self.rates = Rates()
        self.tries: Tries = LocalTries()

    @cached_property
    def ledger_key(self) -> LedgerPublic:
        return LedgerKeys.unpack(self.secrets.ledger).public

    def verifier_mac(self, auth_key: bytes) -> bytes:
        """What the server keeps of an auth key."""
        return hmac.digest(self.secrets.verifier, auth_key, "sha256")

    def token_mac(self, token: bytes) -> bytes:
        """What the server knows an invite's token by."""
        return hmac.digest(self.secrets.token, token, "sha256")

    def salt_for_nobody(self, name: str) -> bytes:
        """The random part of the salt of a name that does not exist: always the same 16 bytes."""
        return hmac.digest(self.secrets.salt, prefix(Domain.SALT) + name.encode(), "sha256")[:16]

    def franking_mac(
        self,
        commitment: bytes,
        account: AccountId,
        device: DeviceId,
        conversation: ConversationId,
        time_ms: int,
    ) -> bytes:
        """HMAC over prefix(FRANKING_MAC), commitment 32, account 32, device 16, conversation 16 and the time
        in 8 bytes big endian: lets a reported message be proven to the operator (encryption rule 23)."""
        said = b"".join(
            (_FRANKING_MAC, commitment, account, device, conversation, time_ms.to_bytes(8, "big"))
        )
        mac = self._franking.copy()
        mac.update(said)
        return mac.finalize()


_FRANKING_MAC = prefix(Domain.FRANKING_MAC)

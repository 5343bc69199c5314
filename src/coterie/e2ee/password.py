"""From a password to keys: one Argon2id run, then HKDF (encryption rule 5; RFC 9106, RFC 5869).

The auth key goes to the server as proof; the wrap key (for the account secret) and the store key (for this
machine's store) never leave. The salt binds server, name and a random part, so no other server and no other
account has use for a guess.
"""

from __future__ import annotations

import unicodedata

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, digest
from coterie.base.errors import LocalError, Refused, SealBroken
from coterie.base.ids import AccountId, UserName
from coterie.base.quiet import Quiet
from coterie.e2ee.derive import derive_key

RANDOM_BYTES = 16
_STRETCHED_BYTES = 32
_MEMORY_MAX_KIB = 1 << 20
_PASSES_MAX = 32
_LANES_MAX = 16


class Argon2Parameters(msgspec.Struct, frozen=True):
    """What one run costs; the defaults are the least that is accepted."""

    memory_kib: int = limits.ARGON2_MEMORY_KIB
    passes: int = limits.ARGON2_PASSES
    lanes: int = limits.ARGON2_LANES

    def check(self) -> None:
        """Raises SealBroken where a server asks for less than our floor, or for more than a machine has."""
        if (
            self.memory_kib < limits.ARGON2_MEMORY_KIB
            or self.passes < limits.ARGON2_PASSES
            or self.lanes < limits.ARGON2_LANES
        ):
            raise SealBroken("the server asks for a weaker stretching of the password")
        if self.memory_kib > _MEMORY_MAX_KIB or self.passes > _PASSES_MAX or self.lanes > _LANES_MAX:
            raise SealBroken("the server asks for an impossible stretching of the password")


class PasswordKeys(Quiet, frozen=True):
    """32 bytes each. auth: for the server; wrap: for the account secret; store: for this machine's store."""

    auth: bytes
    wrap: bytes
    store: bytes


def stretch(
    password: str,
    founding: AccountId,
    name: UserName,
    random: bytes,
    parameters: Argon2Parameters | None = None,
) -> PasswordKeys:
    """The keys of a password: 0.1 to 0.2 s and 64 MiB, so off the event loop.

    founding: the server's founding identity, as pinned. name: canonical. random: 16 bytes, drawn at sign-up
    and kept in the vault. Raises Refused for a password that nobody can have (empty, too-large, usage for
    invalid Unicode), SealBroken for weak parameters.
    """
    if len(random) != RANDOM_BYTES:
        raise LocalError(Code.USAGE, "the random part of a salt has 16 bytes")
    chosen = parameters or Argon2Parameters()
    chosen.check()
    salt = digest(Domain.SALT, founding, name.encode("utf-8"), random)
    stretched = Argon2id(
        salt=salt,
        length=_STRETCHED_BYTES,
        iterations=chosen.passes,
        lanes=chosen.lanes,
        memory_cost=chosen.memory_kib,
    ).derive(password_bytes(password))
    return PasswordKeys(
        auth=derive_key(stretched, Domain.AUTH_KEY),
        wrap=derive_key(stretched, Domain.WRAP_KEY),
        store=derive_key(stretched, Domain.STORE_KEY),
    )


def password_bytes(password: str) -> bytes:
    """UTF-8 of the password as RFC 8265 (OpaqueString) maps it: every space is U+0020, then NFC.

    So the same password typed on another keyboard or system is the same. Code points are not restricted.
    """
    mapped = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    try:
        encoded = unicodedata.normalize("NFC", mapped).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(Code.USAGE, "a password with half of a surrogate pair") from None
    if not encoded:
        raise Refused(Code.EMPTY, "no password")
    if len(encoded) > limits.PASSWORD_BYTES:
        raise Refused(Code.TOO_LARGE, "a password beyond the limit")
    return encoded

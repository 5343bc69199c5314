"""The recovery key, and passphrases that are made rather than chosen (encryption rule 6).

Recovery key: 256 random bits as 24 words of the English BIP-39 list (8 of the 264 bits are a checksum).
Passphrase: six words of the EFF large list, 6 * log2(7776) = 77.5 bits.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import cache
from importlib.resources import files

from mnemonic import Mnemonic

from coterie.base.codes import Code
from coterie.base.domains import Domain
from coterie.base.errors import LocalError, SealBroken, Unavailable
from coterie.e2ee.derive import derive_key

RECOVERY_BYTES = 32
RECOVERY_WORDS = 24
PASSPHRASE_WORDS = 6
WORD_LIST_SHA256 = "6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522"
"""Of the EFF large list (eff.org/dice, CC BY 3.0 US) as the package xkcdpass carries it."""


class RecoveryKey:
    """Opens the account on any machine, whatever became of the password. Shown once, kept by the person."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != RECOVERY_BYTES:
            raise LocalError(Code.USAGE, "a recovery key has 32 bytes")
        self._secret = secret

    @classmethod
    def generate(cls) -> RecoveryKey:
        return cls(secrets.token_bytes(RECOVERY_BYTES))

    @classmethod
    def from_words(cls, words: str) -> RecoveryKey:
        """From what a person typed: any case, any white space. Raises SealBroken where a word is none of the
        list, one is missing or the checksum does not hold."""
        listed = words.lower().split()
        if len(listed) != RECOVERY_WORDS:
            raise SealBroken("a recovery key has 24 words")
        try:
            return cls(bytes(_bip39().to_entropy(listed)))
        except (ValueError, LookupError):
            raise SealBroken("not a recovery key") from None

    def words(self) -> str:
        """24 words with single spaces."""
        return _bip39().to_mnemonic(self._secret)

    @property
    def wrap_key(self) -> bytes:
        """Wraps the account secret; never leaves. 32 bytes."""
        return derive_key(self._secret, Domain.RECOVERY_WRAP)

    @property
    def auth_key(self) -> bytes:
        """Proves the account to the server. 32 bytes."""
        return derive_key(self._secret, Domain.RECOVERY_AUTH)

    @property
    def store_key(self) -> bytes:
        """Opens this machine's store; never leaves. 32 bytes."""
        return derive_key(self._secret, Domain.RECOVERY_STORE)

    def __repr__(self) -> str:
        return "<RecoveryKey>"


def new_passphrase() -> str:
    """Six random words joined by hyphens: 77 bits, so that even who holds the server cannot guess it."""
    words = passphrase_words()
    return "-".join(secrets.choice(words) for _ in range(PASSPHRASE_WORDS))


def is_passphrase(word: str) -> bool:
    """Whether new_passphrase() could have made this."""
    words, left = frozenset(passphrase_words()), word
    found: list[str] = []
    while left and len(found) < PASSPHRASE_WORDS:
        parts = left.split("-", 2)
        # Four words hold a hyphen themselves ("yo-yo"); their first half is no word.
        part = "-".join(parts[:2]) if parts[0] not in words else parts[0]
        if part not in words:
            return False
        found.append(part)
        left = left[len(part) + 1 :]
    return len(found) == PASSPHRASE_WORDS and "-".join(found) == word


@cache
def passphrase_words() -> tuple[str, ...]:
    """The 7776 words. Raises Unavailable(missing-part) where the list is not the one known to us."""
    try:
        data = files("xkcdpass").joinpath("static", "eff-long").read_bytes()
    except (ImportError, OSError):
        raise Unavailable(Code.MISSING_PART, "the word list of the package 'xkcdpass' is missing") from None
    if hashlib.sha256(data).hexdigest() != WORD_LIST_SHA256:
        raise Unavailable(Code.MISSING_PART, "the word list of the package 'xkcdpass' is another one")
    return tuple(data.decode("ascii").split())


@cache
def _bip39() -> Mnemonic:
    return Mnemonic("english")

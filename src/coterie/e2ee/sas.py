"""Seven emoji that two people compare, so that nobody stands between their devices (encryption rules 8, 22).

Short authentication strings after Vaudenay (CRYPTO 2005) and ZRTP (RFC 6189 4.4.1.1), with the emoji and the
agreement of Matrix (client-server API, m.sas.v1). Whoever starts commits to an X25519 key before seeing the
other's, and reveals it after. Both must have chosen before either can compute what will be shown, so somebody
in between has one try in 2^42, and the people see a failed one.

    starter = Starter(terms)                       sends starter.commitment
    answerer = Answerer(terms, me, commitment)     sends answerer.public
    starter.agree(answerer's side, its public)     sends starter.public
    answerer.agree(starter's public)               refused where that is not what was committed to
    both: agreement.emoji; where the people say yes: agreement.confirmation goes out, check() what came

What is shown is bound to both sides' accounts, devices and Ed25519 keys, to the exchange, to both keys and
to the purpose: emoji compared for one purpose confirm nothing for another. Nothing here is stored: a program
that ends ends its exchanges.
"""

from __future__ import annotations

import hmac
from enum import IntEnum
from typing import Final

from coterie.base.domains import Domain, digest
from coterie.base.errors import SealBroken
from coterie.base.quiet import Quiet
from coterie.e2ee.pairwise import Party
from coterie.e2ee.vodo import EmojiKey, EmojiSecret

EMOJI_SHOWN: Final = 7


class SasPurpose(IntEnum):
    """What is confirmed by emoji that match. Numbers are final."""

    CONTACT = 1
    """The other account is who one thinks it is."""
    DEVICE = 2
    """A device that wants to join one's own account."""


class Terms(Quiet, frozen=True):
    """What both sides agree about before there is a key.

    exchange: 16 random bytes of the starter. context: whatever else both must see alike, b"" for contacts; of
    a device that is not in a manifest yet, all that will stand there of it.
    """

    purpose: SasPurpose
    exchange: bytes
    starter: Party
    context: bytes = b""

    def _parts(self) -> tuple[bytes, ...]:
        return (bytes((self.purpose,)), self.exchange, *_named(self.starter), self.context)

    def commitment(self, public: bytes) -> bytes:
        """32 bytes that fix the starter's key without telling it."""
        return digest(Domain.SAS_COMMITMENT, *self._parts(), public)

    def transcript(self, answerer: Party, starter_public: bytes, answerer_public: bytes) -> bytes:
        """32 bytes over all that both sides must have seen alike."""
        return digest(Domain.SAS, *self._parts(), *_named(answerer), starter_public, answerer_public)


def _named(party: Party) -> tuple[bytes, ...]:
    return (party.account, party.device, party.ed25519)


class Agreement:
    """What both sides came to. emoji: seven numbers below 64, to be compared by people; confirmation: 32
    bytes that tell the other side that the person here said yes."""

    def __init__(self, secret: EmojiSecret, transcript: bytes, *, starts: bool) -> None:
        seen = transcript.hex()
        self._secret, self._seen = secret, seen
        self.transcript = transcript
        """32 bytes over all that both have seen alike; no secret."""
        self.emoji = secret.emoji(f"{Domain.SAS.value} emoji {seen}")
        said = [secret.mac(seen, f"{Domain.SAS.value} {who} says yes") for who in ("starter", "answerer")]
        self.confirmation, self._expected = said if starts else reversed(said)

    def key(self, purpose: Domain) -> bytes:
        """32 bytes that only these two sides have: whoever uses them stands behind the same transcript."""
        return self._secret.mac(self._seen, f"{purpose.value} key")

    def check(self, confirmation: bytes) -> None:
        """Raises SealBroken where the other side did not agree to the same."""
        if not hmac.compare_digest(confirmation, self._expected):
            raise SealBroken("a confirmation of something else")


class Starter:
    """The side that asks. It commits first."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._key = EmojiKey()
        self.public = self._key.public
        """To be sent once the other side's key is here, never before."""
        self.commitment = terms.commitment(self.public)

    def agree(self, answerer: Party, public: bytes) -> Agreement:
        """The other side has answered with its key. Raises SealBroken for one of low order."""
        secret = self._key.agree(public)
        return Agreement(secret, self._terms.transcript(answerer, self.public, public), starts=True)


class Answerer:
    """The side that was asked."""

    def __init__(self, terms: Terms, me: Party, commitment: bytes) -> None:
        self._terms = terms
        self._me = me
        self.commitment = commitment
        """Of the starter."""
        self._key = EmojiKey()
        self.public = self._key.public

    def agree(self, public: bytes) -> Agreement:
        """The starter has revealed its key. Raises SealBroken where it committed to another one."""
        if not hmac.compare_digest(self._terms.commitment(public), self.commitment):
            raise SealBroken("a key other than the one committed to")
        secret = self._key.agree(public)
        return Agreement(secret, self._terms.transcript(self._me, public, self.public), starts=False)

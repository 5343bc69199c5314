"""Two devices that can seal to each other, and the small attacks that many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from coterie.base.ids import AccountId, ConversationId, DeviceId, EnvelopeId, MessageId
from coterie.content.padding import padded_size
from coterie.e2ee.group import InnerMessage, SealedMessage, seal_message
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import Party
from coterie.e2ee.vodo import DeviceKeys, GroupOut, OlmSession

ENVELOPE = EnvelopeId(b"e" * 16)
CONVERSATION = ConversationId(b"c" * 16)
MESSAGE = MessageId(b"m" * 16)
MEMBERSHIP = b"M" * 32


@dataclass
class Person:
    """A device with all its keys."""

    keys: DeviceKeys
    party: Party
    x_wing: XWingKey
    prekey_id: int = 7

    def private_of(self, id: int) -> bytes | None:
        return self.x_wing.private if id == self.prekey_id else None


def person(letter: str) -> Person:
    keys = DeviceKeys.create()
    account = AccountId(letter.encode() * 32)
    party = Party(account, DeviceId(letter.encode() * 16), keys.ed25519)
    return Person(keys, party, XWingKey.generate())


def first_session(sender: Person, recipient: Person) -> OlmSession:
    """A session that has not been answered: what it seals are first messages."""
    (one_time,) = recipient.keys.new_one_time_keys(1)
    return sender.keys.start(recipient.keys.curve25519, one_time)


def sessions(one: Person, other: Person) -> tuple[OlmSession, OlmSession]:
    """Both ends of a session that both sides have used."""
    out = first_session(one, other)
    back, _ = other.keys.open_first(one.keys.curve25519, out.seal(b"hello")[1])
    out.open(*back.seal(b"hello back"))
    return out, back


def inner_message(sender: Person, *, n: int = 1, body: bytes = b"\x01") -> InnerMessage:
    return InnerMessage(
        conversation=CONVERSATION,
        account=sender.party.account,
        device=sender.party.device,
        membership_hash=MEMBERSHIP,
        message=MESSAGE,
        n=n,
        previous=b"p" * 32 if n > 1 else b"",
        parents=(),
        left_out=(),
        time_ms=1_700_000_000_000,
        head=b"",
        body=body,
    )


def sealed_by(out: GroupOut, sender: Person, *, n: int = 1, body: bytes = b"\x01") -> SealedMessage:
    return seal_message(out, inner_message(sender, n=n, body=body), padded_size)


def forgeries(genuine: bytes, count: int) -> Iterator[bytes]:
    """That many different wrong versions: bits flipped over the whole length, cut and lengthened."""
    for number in range(count):
        place = number * len(genuine) // count
        match number % 4:
            case 0 | 1:
                bit = 1 << (number % 8)
                yield genuine[:place] + bytes((genuine[place] ^ bit,)) + genuine[place + 1 :]
            case 2:
                yield genuine[:place]
            case _:
                yield genuine[:place] + b"\x5a" + genuine[place:]

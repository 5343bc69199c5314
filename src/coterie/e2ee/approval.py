"""A device that is in no manifest yet and a device of the account come to trust each other (encryption rule
8).

They speak through a server that neither has to believe (docs/protocol.md 5.8; docs/decisions/0030):

    Joining(...)                        asks: .request, shows .code
    Approving(request, me, ...)         answers: .answer
    joining.answered(answer)            reveals its key: .reveal; both have .emoji now
    approving.revealed(reveal)
    approving.grant(...)                where the person has compared them, or had given the code
    joining.granted(grant)              the account's private keys; .kept says that they are on its disk
    approving.check_kept(kept)          now the device may be signed into the manifest

Emoji or code: by the emoji both people's eyes know that nobody stands between, in both directions. A code
binds what the new device asks by its hash, and whoever grants by its secret. What is granted is sealed to an
X-Wing key of this exchange alone, inside a key that both sides have agreed upon: it stays secret where only
one of the two is broken later, and comes from nobody else. Nothing here is stored: a program that ends ends
its exchanges.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from enum import IntEnum
from typing import Annotated, Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.base.signing import verify_device
from coterie.e2ee import hybrid
from coterie.e2ee.approval_code import ApprovalCode, new_secret, proof_of, rendezvous_of
from coterie.e2ee.identity import AccountSecret
from coterie.e2ee.packing import Bytes32, Format, Id16, Natural
from coterie.e2ee.pairwise import Party, XWingPublic
from coterie.e2ee.sas import Agreement, Answerer, SasPurpose, Starter, Terms

NO_ACCOUNT: Final = AccountId(bytes(32))
"""Of a device that is nobody's yet."""
NONCE_BYTES: Final = 12

_Packed = Annotated[bytes, msgspec.Meta(max_length=limits.APPROVAL_MESSAGE_BYTES)]


class Form(IntEnum):
    """How the two know each other. Numbers are final."""

    EMOJI = 1
    CODE = 2


class Offer(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a device wants: to join the account of this name on this server, with these keys.

    server: id of its founding identity. rendezvous: of this request. device to created_ms: what will stand in
    the manifest. x_wing: made for this exchange alone.
    """

    server: Bytes32
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_CHARACTERS)]
    rendezvous: Id16
    device: Id16
    device_name: Annotated[str, msgspec.Meta(max_length=limits.DEVICE_NAME_BYTES)]
    curve25519: Bytes32
    ed25519: Bytes32
    created_ms: Natural
    x_wing: XWingPublic

    def terms(self, packed: bytes) -> Terms:
        """What both sides have to see alike."""
        party = Party(NO_ACCOUNT, DeviceId(self.device), self.ed25519)
        return Terms(SasPurpose.DEVICE, self.rendezvous, party, packed)


class Candidate(Quiet, frozen=True):
    """A device as it will stand in the manifest."""

    id: DeviceId
    name: str
    curve25519: bytes
    ed25519: bytes
    created_ms: int


class Granted(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """secret: packed AccountSecret; manifest: the newest one, packed and signed; vault: the one that it
    names, packed, b"" where it was not at hand."""

    secret: Annotated[bytes, msgspec.Meta(max_length=16 * 1024)]
    manifest: Annotated[bytes, msgspec.Meta(max_length=limits.MANIFEST_BYTES)]
    vault: Annotated[bytes, msgspec.Meta(max_length=limits.VAULT_BYTES)]


class _Request(Quiet, frozen=True, array_like=True, tag=1, forbid_unknown_fields=True):
    """signature: the device's, over prefix(APPROVAL_PROOF), commitment and offer."""

    offer: Annotated[bytes, msgspec.Meta(max_length=limits.APPROVAL_REQUEST_BYTES)]
    commitment: Bytes32
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]


class _Answer(Quiet, frozen=True, array_like=True, tag=2, forbid_unknown_fields=True):
    approver: Party
    public: Bytes32
    form: Form


class _Reveal(Quiet, frozen=True, array_like=True, tag=3, forbid_unknown_fields=True):
    public: Bytes32


class _Grant(Quiet, frozen=True, array_like=True, tag=4, forbid_unknown_fields=True):
    """proof: of the code, b"" where emoji were compared. sealed: nonce, then AES-256-GCM of an X-Wing
    seal."""

    proof: Annotated[bytes, msgspec.Meta(max_length=32)]
    sealed: _Packed


class _Kept(Quiet, frozen=True, array_like=True, tag=5, forbid_unknown_fields=True):
    confirmation: Bytes32


_Message = _Request | _Answer | _Reveal | _Grant | _Kept
_T = TypeVar("_T", _Request, _Answer, _Reveal, _Grant, _Kept)
_messages: Format[_Message] = Format(Domain.APPROVAL, _Message)  # type: ignore[arg-type] # a union is no type
_offers = Format(Domain.APPROVAL_OFFER, Offer)
_grants = Format(Domain.APPROVAL_GRANT, Granted)


def _heard(data: bytes, kind: type[_T]) -> _T:
    message = _messages.unpack(data)
    if not isinstance(message, kind):
        raise SealBroken("a message of an approval that is not due")
    return message


class Joining:
    """The new device's side. Every method raises SealBroken where what came does not hold: then it is
    over."""

    def __init__(
        self, server: AccountId, name: UserName, candidate: Candidate, sign: Callable[[bytes], bytes]
    ) -> None:
        """sign: the candidate's own Ed25519."""
        self._secret = new_secret()
        self._x_wing = hybrid.XWingKey.generate()
        self.rendezvous = rendezvous_of(self._secret)
        offer = Offer(
            server=server,
            name=name,
            rendezvous=self.rendezvous,
            device=candidate.id,
            device_name=candidate.name,
            curve25519=candidate.curve25519,
            ed25519=candidate.ed25519,
            created_ms=candidate.created_ms,
            x_wing=self._x_wing.public,
        )
        packed = _offers.pack(offer)
        self._starter = Starter(offer.terms(packed))
        commitment = self._starter.commitment
        signature = sign(_signed(commitment, packed))
        self.request = _messages.pack(_Request(packed, commitment, signature))
        self.code = ApprovalCode.of(self._secret, self.request).text
        """For the person to give to a device of the account."""
        self._agreement: Agreement | None = None
        self._compared = False
        self.approver = Party(NO_ACCOUNT, DeviceId(bytes(16)), bytes(32))
        self.form = Form.EMOJI
        self.emoji: tuple[int, ...] = ()
        """To be compared, where form says so."""

    def answered(self, data: bytes) -> bytes:
        """A device of the account has answered: what is to be said to it. Only the first answer counts: a key
        is revealed once."""
        answer = _heard(data, _Answer)
        if self._agreement is not None:
            raise SealBroken("a second answer")
        self._agreement = self._starter.agree(answer.approver, answer.public)
        self.approver, self.form, self.emoji = answer.approver, answer.form, self._agreement.emoji
        return _messages.pack(_Reveal(self._starter.public))

    def compared(self) -> None:
        """The person sees the same emoji on both."""
        self._compared = True

    def granted(self, data: bytes) -> Granted:
        """What the account's device gives. LocalError where emoji were not compared, and no code was
        given."""
        grant = _heard(data, _Grant)
        agreement = self._agreed()
        if self.form is Form.CODE:
            if not hmac.compare_digest(proof_of(self._secret, agreement.transcript), grant.proof):
                raise SealBroken("granted by somebody who does not have the code")
        elif not self._compared:
            raise LocalError(Code.USAGE, "nobody has compared the emoji")
        nonce, ciphertext = grant.sealed[:NONCE_BYTES], grant.sealed[NONCE_BYTES:]
        try:
            inner = AESGCM(agreement.key(Domain.APPROVAL_GRANT)).decrypt(nonce, ciphertext, None)
        except (InvalidTag, ValueError):
            raise SealBroken("granted by somebody else") from None
        return _grants.unpack(hybrid.open(self._x_wing.private, _info(agreement), inner))

    @property
    def kept(self) -> bytes:
        """To be said once the device and what was granted are on the disk."""
        return _messages.pack(_Kept(self._agreed().confirmation))

    def _agreed(self) -> Agreement:
        if self._agreement is None:
            raise SealBroken("nobody has answered yet")
        return self._agreement


class Approving:
    """The side of a device of the account."""

    def __init__(
        self,
        request: bytes,
        me: Party,
        server: AccountId,
        name: UserName,
        rendezvous: bytes,
        code: ApprovalCode | None = None,
    ) -> None:
        """code: as it was given, None where emoji will be compared. Raises SealBroken where the request is
        for another account or server, is not the code's, or its keys are nobody's."""
        if code is not None:
            code.check_request(request)
        asked = _heard(request, _Request)
        self._offer = _offers.unpack(asked.offer)
        if (self._offer.server, self._offer.name, self._offer.rendezvous) != (server, name, rendezvous):
            raise SealBroken("a request that is for somebody else")
        verify_device(self._offer.ed25519, _signed(asked.commitment, asked.offer), asked.signature)
        self._code = code
        self._answerer = Answerer(self._offer.terms(asked.offer), me, asked.commitment)
        self.answer = _messages.pack(
            _Answer(me, self._answerer.public, Form.EMOJI if code is None else Form.CODE)
        )
        self._agreement: Agreement | None = None

    @property
    def candidate(self) -> Candidate:
        """The device that wants to join."""
        offer = self._offer
        return Candidate(
            DeviceId(offer.device), offer.device_name, offer.curve25519, offer.ed25519, offer.created_ms
        )

    @property
    def emoji(self) -> tuple[int, ...]:
        """To be compared, once the other side has revealed its key."""
        return self._agreed().emoji

    def revealed(self, data: bytes) -> None:
        """The new device has revealed its key. Raises SealBroken where it committed to another one."""
        self._agreement = self._answerer.agree(_heard(data, _Reveal).public)

    def grant(self, secret: AccountSecret, manifest: bytes, vault: bytes) -> bytes:
        """Only to be called once the person has compared the emoji, or gave the code."""
        agreement = self._agreed()
        packed = _grants.pack(Granted(secret.pack(), manifest, vault))
        inner = hybrid.seal(self._offer.x_wing, _info(agreement), packed)
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(agreement.key(Domain.APPROVAL_GRANT)).encrypt(nonce, inner, None)
        proof = b"" if self._code is None else proof_of(self._code.secret, agreement.transcript)
        return _messages.pack(_Grant(proof, sealed))

    def check_kept(self, data: bytes) -> None:
        """The new device has all on its disk. Raises SealBroken where another one says so."""
        self._agreed().check(_heard(data, _Kept).confirmation)

    def _agreed(self) -> Agreement:
        if self._agreement is None:
            raise SealBroken("the other side has not revealed its key")
        return self._agreement


def _signed(commitment: bytes, offer: bytes) -> bytes:
    """By the device that asks: that it has the keys that it names."""
    return prefix(Domain.APPROVAL_PROOF) + commitment + offer


def _info(agreement: Agreement) -> bytes:
    return prefix(Domain.APPROVAL_GRANT) + agreement.transcript

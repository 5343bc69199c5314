"""Envelopes: what one device says to one other device (encryption rules 10 and 12).

An envelope is an HPKE seal to the recipient's X-Wing prekey over (Olm type, Olm message). Its info names both
sides, the prekey and the envelope id, so it opens nowhere else. HPKE says nothing about who sealed; the Olm
plaintext inside repeats both sides' account, device and Ed25519 key, kind and envelope id, and anything else
than what the receiver expects is refused: that closes the unknown-key-share of bare Olm.

Sealed form: prefix("coterie envelope") | prekey id, 8 bytes big endian | HPKE.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Annotated

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.domains import Domain, prefix, unwrap
from coterie.base.errors import LocalError, RemoteError, SealBroken
from coterie.base.ids import ACCOUNT_ID_BYTES, SHORT_ID_BYTES, AccountId, DeviceId, EnvelopeId
from coterie.base.quiet import Quiet
from coterie.e2ee import hybrid
from coterie.e2ee.packing import Bytes32, Format, Id16, Natural
from coterie.e2ee.vodo import OlmSession

_PREKEY_ID_BYTES = 8
_PREFIX = prefix(Domain.ENVELOPE)

XWingPublic = Annotated[bytes, msgspec.Meta(min_length=hybrid.PUBLIC_BYTES, max_length=hybrid.PUBLIC_BYTES)]


class PlainKind(IntEnum):
    """What the content of an Olm plaintext is. Numbers are final; receivers ignore those they do not know."""

    KEY_SHARE = 1
    """A packed group.KeyShare."""
    RECEIPT = 2
    """Packed content.receipts.Receipts, to the device whose messages they are about."""
    REPAIR_REQUEST = 3
    """A packed content.repair.RepairRequest."""
    REPAIR = 4
    """A packed content.repair.Repair, to a device that has asked for it."""
    DEVICE_SECRETS = 5
    ARCHIVE_HEAD = 6
    VERIFICATION = 7
    READ_MARKS = 8
    """Packed content.read_marks.ReadMarks, between own devices."""
    TRUST_MARKS = 9
    """Packed content.trust_marks.TrustMarks, between own devices."""
    NOT_FOR_YOU = 10
    """A packed content.repair.NotForYou, to a device that has asked."""
    KEY_SHARES = 11
    """Packed group.KeyShares: the keys of several sessions of one conversation."""


class Party(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One side of an envelope: account id, device id and the device's Ed25519 key from its manifest."""

    account: Annotated[AccountId, msgspec.Meta(min_length=32, max_length=32)]
    device: Annotated[DeviceId, msgspec.Meta(min_length=16, max_length=16)]
    ed25519: Bytes32


class FreshKey(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A newer X-Wing public key of the sender, to seal the next envelopes to (encryption rule 12)."""

    id: Natural
    key: XWingPublic


class OlmPlaintext(Quiet, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What Olm seals. kind: a PlainKind, or a number of a newer version."""

    sender: Party
    recipient: Party
    kind: Natural
    envelope: Id16
    fresh_key: FreshKey | None
    content: bytes

    def pack(self) -> bytes:
        return _format.pack(self)

    @classmethod
    def unpack(cls, data: bytes) -> OlmPlaintext:
        return _format.unpack(data)


_format = Format(Domain.OLM_PLAINTEXT, OlmPlaintext)


def seal_envelope(
    session: OlmSession,
    sender: Party,
    recipient: Party,
    envelope: EnvelopeId,
    kind: PlainKind,
    content: bytes,
    prekey_id: int,
    prekey_public: bytes,
    fresh_key: FreshKey | None = None,
) -> bytes:
    """One envelope; steps the session. Raises SealBroken where the prekey is not usable."""
    info = envelope_info(
        sender.account, sender.device, recipient.account, recipient.device, prekey_id, envelope
    )
    plaintext = OlmPlaintext(sender, recipient, int(kind), envelope, fresh_key, content).pack()
    olm_kind, message = session.seal(plaintext)
    sealed = hybrid.seal(prekey_public, info, bytes((olm_kind,)) + message)
    whole = _PREFIX + prekey_id.to_bytes(_PREKEY_ID_BYTES, "big") + sealed
    if len(whole) > limits.REPAIR_ENVELOPE_BYTES:
        raise LocalError(Code.TOO_LARGE, "an envelope beyond the limit")
    return whole


def peek_prekey_id(sealed: bytes) -> int:
    """Which of the recipient's X-Wing keys an envelope was sealed to; a mere claim until it has opened."""
    return _split(sealed)[0]


def open_envelope_outer(
    sealed: bytes,
    sender_account: AccountId,
    sender_device: DeviceId,
    recipient_account: AccountId,
    recipient_device: DeviceId,
    envelope: EnvelopeId,
    private_of: Callable[[int], bytes | hybrid.XWingKey | None],
) -> tuple[int, bytes]:
    """Olm type and Olm message. private_of: the private half of a prekey id, 96 bytes or ready, None where
    it is unknown.

    Opens only for exactly these two devices and this id, but does not prove that the sender sealed it: the
    Olm session and open_plaintext do.
    """
    prekey_id, inside = _split(sealed)
    private = private_of(prekey_id)
    if private is None:
        raise SealBroken("sealed to a prekey that is not here")
    info = envelope_info(
        sender_account, sender_device, recipient_account, recipient_device, prekey_id, envelope
    )
    opened = hybrid.open(private, info, inside)
    if not opened:
        raise SealBroken("an empty envelope")
    return opened[0], opened[1:]


def open_plaintext(data: bytes, sender: Party, recipient: Party, envelope: EnvelopeId) -> OlmPlaintext:
    """The Olm plaintext, if it names exactly these two sides and this envelope id.

    sender: as its verified manifest says, never as the envelope says.
    """
    plaintext = OlmPlaintext.unpack(data)
    if plaintext.sender != sender:
        raise SealBroken("an envelope by another device than its sender")
    if plaintext.recipient != recipient:
        raise SealBroken("an envelope for another device")
    if plaintext.envelope != envelope:
        raise SealBroken("an envelope under another id")
    return plaintext


def envelope_info(
    sender_account: AccountId,
    sender_device: DeviceId,
    recipient_account: AccountId,
    recipient_device: DeviceId,
    prekey_id: int,
    envelope: EnvelopeId,
) -> bytes:
    """What an envelope is bound to: prefix | 32 | 16 | 32 | 16 | 8 | 16 bytes, 138 in all."""
    accounts, shorts = (sender_account, recipient_account), (sender_device, recipient_device, envelope)
    if {*map(len, accounts)} != {ACCOUNT_ID_BYTES} or {*map(len, shorts)} != {SHORT_ID_BYTES}:
        raise LocalError(Code.USAGE, "an id of the wrong size")
    if not 0 <= prekey_id < 1 << 63:
        raise LocalError(Code.USAGE, "a prekey id out of range")
    number = prekey_id.to_bytes(_PREKEY_ID_BYTES, "big")
    return b"".join(
        (_PREFIX, sender_account, sender_device, recipient_account, recipient_device, number, envelope)
    )


def _split(sealed: bytes) -> tuple[int, bytes]:
    """Prekey id and HPKE part."""
    try:
        content = unwrap(Domain.ENVELOPE, sealed)
    except RemoteError as wrong:
        code = Code.BAD_SUITE if wrong.code is Code.BAD_SUITE else Code.SEAL_BROKEN
        raise SealBroken(wrong.note, code) from None
    prekey_id = int.from_bytes(content[:_PREKEY_ID_BYTES], "big")
    if len(content) < _PREKEY_ID_BYTES + hybrid.OVERHEAD_BYTES or prekey_id >= 1 << 63:
        raise SealBroken("a cut envelope")
    return prekey_id, content[_PREKEY_ID_BYTES:]

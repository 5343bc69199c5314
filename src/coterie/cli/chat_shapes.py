"""The JSON objects about accounts, people and messages: fields are added and never renamed."""

from __future__ import annotations

from typing import assert_never

import msgspec

from coterie.cli.shapes import Shape, iso
from coterie.client.events import (
    ContactDeviceQuestion,
    Device,
    EmojiToCompare,
    IdentityChanged,
    Message,
    NotFor,
    Person,
    Sent,
    VerificationAsked,
    VerificationEnded,
    Verified,
)


class AccountShape(Shape, frozen=True, kw_only=True):
    """signup and login. recovery_key and passphrase: on sign-up, where there is one."""

    account: str
    account_id: str
    device_id: str
    recovery_key: str | None = None
    passphrase: str | None = None


class SentShape(Shape, frozen=True, kw_only=True):
    """send. state: sent or queued; error: why the server does not take it."""

    id: str
    conversation: str
    state: str
    error: str | None = None


class NotForShape(Shape, frozen=True, kw_only=True):
    """A device that a message could not be sealed for."""

    name: str
    device: str
    reason: str


class MessageShape(Shape, frozen=True, kw_only=True):
    """listen, read, search. readable: false where a newer version is needed to show it."""

    event: str
    id: str
    conversation: str
    sender: str = msgspec.field(name="from")
    text: str
    sent_at: str
    seq: int
    own: bool
    state: str
    readable: bool = True
    not_for: tuple[NotForShape, ...] = ()


class PresenceShape(Shape, frozen=True, kw_only=True):
    """initial: part of the list given on connecting (or of its end)."""

    event: str
    name: str
    online: bool
    initial: bool


class JoinedShape(Shape, frozen=True, kw_only=True):
    """Somebody new stands in the ledger."""

    event: str
    name: str
    account_id: str


class TrustShape(Shape, frozen=True, kw_only=True):
    """What is known of somebody changed. change: devices (then by_recovery says how),
    verified, or identity (another one than before). at: of devices as the signed list of them says, of an
    identity that of the signed head under which it was seen, or what the publishing device signed. by: of an
    identity, whose word it was: reset, device, or recovery (a device that came by passphrase or recovery
    key)."""

    event: str
    name: str
    by_recovery: bool
    change: str
    verified: bool
    at: str | None = None
    by: str | None = None


class EmojiShape(Shape, frozen=True, kw_only=True):
    emoji: str
    name: str


class VerifyShape(Shape, frozen=True, kw_only=True):
    """verify, listen. state: asked, compare (then emoji), ended (then reason)."""

    event: str
    name: str
    state: str
    emoji: tuple[EmojiShape, ...] = ()
    reason: str | None = None


class ContactDeviceShape(Shape, frozen=True, kw_only=True):
    """A device of a verified person that is not confirmed yet."""

    event: str
    name: str
    device_id: str
    device: str
    created: str


class NumberShape(Shape, frozen=True, kw_only=True):
    """verify --safety-number. code: the text of the QR code to show."""

    name: str
    account_id: str
    verified: bool
    safety_number: str
    code: str


class LedgerShape(Shape, frozen=True, kw_only=True):
    """What is doubtful about the server's ledger: ledger-old, ledger-withheld; well: nothing any more."""

    event: str
    ledger: str


class LinkShape(Shape, frozen=True, kw_only=True):
    """The connection to the server. error: why it is not live."""

    event: str
    state: str
    error: str | None = None


class DrainedShape(Shape, frozen=True, kw_only=True):
    """Everything that had waited on the server has been printed."""

    event: str


class RenewedShape(Shape, frozen=True, kw_only=True):
    """This home was a copy of another device's, and is a device of its own from now on."""

    event: str
    device_id: str


class FetchingShape(Shape, frozen=True, kw_only=True):
    """count: how many messages of a conversation are known of and not here; others are asked for them."""

    event: str
    conversation: str
    count: int


class ReplacedShape(Shape, frozen=True, kw_only=True):
    """One's own account goes on under another identity, and this device with it."""

    event: str
    account_id: str


class MissingShape(Shape, frozen=True, kw_only=True):
    """Messages of somebody never came. count: how many are missing now, 0 when all came after all."""

    event: str
    conversation: str
    sender: str = msgspec.field(name="from")
    count: int


class QuestionShape(Shape, frozen=True, kw_only=True):
    """A device came to this account: was this you?"""

    event: str
    device_id: str
    device: str
    created: str
    by_recovery: bool


class StuckShape(Shape, frozen=True, kw_only=True):
    """The server refuses what waits in the outbox."""

    event: str
    error: str


class HeadShape(Shape, frozen=True, kw_only=True):
    """A head of a ledger: root in hex."""

    size: int
    root: str
    signed_at: str


class AuditShape(Shape, frozen=True, kw_only=True):
    """ledger audit. covered: leaves under a signed head, root: of these; beyond: heads over more leaves than
    there are; fraud: how the server contradicted itself, null where it did not, and the heads that show it;
    held_against: the profile whose own view of the ledger was checked together with it."""

    server: str
    ledger: str
    leaves: int
    covered: int
    root: str
    names: int
    heads: int
    beyond: int
    fraud: str | None
    shown_by: tuple[HeadShape, ...]
    held_against: str | None = None


class ProofShape(Shape, frozen=True, kw_only=True):
    """ledger proof: what was written."""

    file: str
    bytes: int


class SeenShape(Shape, frozen=True, kw_only=True):
    """admin sees: one row of the server's database; bytes in hex."""

    table: str
    row: dict[str, int | str | None]


class PersonShape(Shape, frozen=True, kw_only=True):
    name: str
    online: bool
    verified: bool
    account_id: str
    me: bool
    deleted: bool = False


class DeviceShape(Shape, frozen=True, kw_only=True):
    """last_seen: null where the server has not said it. asked: nobody has said yet "that was me". marked: it
    came in by passphrase or recovery key, or was approved by one that did. renewal_due: it was lost, and
    password and recovery key are to be changed."""

    id: str
    name: str
    this: bool
    created: str
    last_seen: str | None
    revoked: bool
    approved_by_recovery: bool
    marked: bool
    asked: bool
    renewal_due: bool = False


class ReceiptShape(Shape, frozen=True, kw_only=True):
    """How far an own message has come. state: delivered."""

    event: str
    id: str
    conversation: str
    state: str


def message_shape(message: Message, event: str = "message") -> MessageShape:
    return MessageShape(
        event=event,
        id=message.id.hex(),
        conversation=message.target,
        sender=message.sender,
        text=message.text,
        sent_at=iso(message.sent_at_ms),
        seq=message.seq,
        own=message.own,
        state=message.state.value,
        readable=message.readable,
        not_for=tuple(_not_for(each) for each in message.not_for),
    )


def _not_for(left_out: NotFor) -> NotForShape:
    return NotForShape(name=left_out.name, device=left_out.device_name, reason=left_out.reason.value)


def contact_device_shape(name: str, device: Device) -> ContactDeviceShape:
    return ContactDeviceShape(
        event="contact-device",
        name=name,
        device_id=device.id.hex(),
        device=device.name,
        created=iso(device.created_ms),
    )


def verify_shape(
    event: Verified
    | VerificationAsked
    | EmojiToCompare
    | VerificationEnded
    | ContactDeviceQuestion
    | IdentityChanged,
) -> TrustShape | VerifyShape | ContactDeviceShape:
    name = event.person.name
    match event:
        case Verified(person):
            return TrustShape(
                event="trust", name=name, by_recovery=False, change="verified", verified=person.verified
            )
        case VerificationAsked():
            return VerifyShape(event="verify", name=name, state="asked")
        case EmojiToCompare(_, emoji):
            shown = tuple(EmojiShape(emoji=each.sign, name=each.name) for each in emoji)
            return VerifyShape(event="verify", name=name, state="compare", emoji=shown)
        case VerificationEnded(_, reason):
            return VerifyShape(event="verify", name=name, state="ended", reason=reason.value)
        case IdentityChanged(person, changed_ms, _, by):
            return TrustShape(
                event="trust",
                name=name,
                by_recovery=False,
                change="identity",
                verified=person.verified,
                at=iso(changed_ms),
                by=by.value,
            )
        case ContactDeviceQuestion(_, device):
            return contact_device_shape(name, device)
        case _:
            assert_never(event)


def sent_shape(sent: Sent, error: str | None = None) -> SentShape:
    return SentShape(id=sent.id.hex(), conversation=sent.target, state=sent.state.value, error=error)


def person_shape(person: Person) -> PersonShape:
    return PersonShape(
        name=person.name,
        online=person.online,
        verified=person.verified,
        account_id=person.account.hex(),
        me=person.me,
        deleted=person.deleted,
    )


def device_shape(device: Device, *, asked: bool = False, renewal_due: bool = False) -> DeviceShape:
    return DeviceShape(
        id=device.id.hex(),
        name=device.name,
        this=device.this,
        created=iso(device.created_ms),
        last_seen=None,
        revoked=device.revoked,
        approved_by_recovery=device.approved_by_recovery,
        marked=device.marked,
        asked=asked,
        renewal_due=renewal_due,
    )

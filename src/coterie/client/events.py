"""What a screen, a bot or a script can be told: one frozen type per event, in one union.

Everything here is plain data except MessageArrived.reply, which the SDK attaches. What the events are about
stands in shapes.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

import msgspec

from coterie.base.changed_by import ChangedBy
from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.client.shapes import (
    Comparison as Comparison,
)
from coterie.client.shapes import (
    ComparisonStep as ComparisonStep,
)
from coterie.client.shapes import (
    Conversation as Conversation,
)
from coterie.client.shapes import (
    ConversationKind as ConversationKind,
)
from coterie.client.shapes import (
    Delivery as Delivery,
)
from coterie.client.shapes import (
    DeliveryState as DeliveryState,
)
from coterie.client.shapes import (
    Device as Device,
)
from coterie.client.shapes import (
    Emoji as Emoji,
)
from coterie.client.shapes import (
    FramesSent as FramesSent,
)
from coterie.client.shapes import (
    LinkState as LinkState,
)
from coterie.client.shapes import (
    Message as Message,
)
from coterie.client.shapes import (
    MessageState as MessageState,
)
from coterie.client.shapes import (
    NotFor as NotFor,
)
from coterie.client.shapes import (
    Person as Person,
)
from coterie.client.shapes import (
    Sent as Sent,
)

Reply = Callable[[str], Awaitable["Sent"]]


class MessageArrived(msgspec.Struct, frozen=True):
    """A message from another device is in the store (own other devices included)."""

    message: Message
    replier: Reply | None = None

    @property
    def text(self) -> str:
        return self.message.text

    @property
    def sender(self) -> UserName:
        return self.message.sender

    @property
    def reply(self) -> Reply:
        """async reply(text): answers in the same conversation."""
        if self.replier is None:
            raise LocalError(Code.USAGE, "this event did not come through the SDK")
        return self.replier


class MessageQueued(msgspec.Struct, frozen=True, gc=False):
    """A message of this device is in the outbox."""

    message: Message


class MessageSent(msgspec.Struct, frozen=True, gc=False):
    """A message of this device is on the server's disk; message.state is SENT."""

    message: Message


class MessageDelivered(msgspec.Struct, frozen=True, gc=False):
    """A message of this device was opened and stored on a device of the person it is for; message.state is
    DELIVERED."""

    message: Message


class PresenceChanged(msgspec.Struct, frozen=True):
    """A person connected or left. initial: part of the list given on connecting, no notice is due."""

    person: Person
    initial: bool


class PersonAppeared(msgspec.Struct, frozen=True):
    """Somebody new stands in the ledger, proven."""

    person: Person


class ResetState(StrEnum):
    ANNOUNCED = "announced"
    """It is in the ledger, and takes effect from_ms unless the identity before says no."""
    CANCELLED = "cancelled"
    IN_EFFECT = "in-effect"


class NameReset(msgspec.Struct, frozen=True):
    """A name begins anew with another identity: its person has lost everything, or the server lies. account:
    the new one; from_ms: when the name stands for it, as counted on this device."""

    name: UserName
    account: AccountId
    state: ResetState
    from_ms: int
    own: bool = False
    """It is this account's name: keep_name() says no."""


class AccountDeleted(msgspec.Struct, frozen=True):
    """Somebody has deleted their account; what they said stays here."""

    person: Person


class ConversationChanged(msgspec.Struct, frozen=True):
    """Its unread count or its last message changed, or it is new."""

    conversation: Conversation


class DevicesChanged(msgspec.Struct, frozen=True):
    """A person's device list changed: a line in the timeline.

    by_recovery: a device was added by passphrase or recovery key; else one that was there before signed it.
    published_ms: when, as the signed list says (milliseconds since 1970, by that device's clock).
    """

    person: Person
    by_recovery: bool
    published_ms: int


class LinkChanged(msgspec.Struct, frozen=True):
    """The connection to the server; code says why it is not live, while CONNECTING: why it was not before."""

    state: LinkState
    code: Code | None = None


class DrainedBacklog(msgspec.Struct, frozen=True):
    """Everything that had waited on the server is in the store."""


class SendingStuck(msgspec.Struct, frozen=True):
    """The server refused a message for a reason that waiting alone may not mend."""

    conversation: ConversationId
    code: Code


class MessagesMissing(msgspec.Struct, frozen=True):
    """Messages of somebody were numbered and never came: the server, or the way, dropped them. count: how
    many are missing now of one of that person's devices; 0 when the last of them came after all."""

    conversation: ConversationId
    target: str
    name: UserName
    count: int


class Fetching(msgspec.Struct, frozen=True):
    """So many messages of somebody are on their way again. order: where the first of them will stand;
    since_ms: when that was noticed."""

    order: int
    count: int
    name: UserName
    since_ms: int


class MessagesFetching(msgspec.Struct, frozen=True):
    """All that is known of in a conversation and not here: other devices are asked for it, by itself. Empty
    once everything is here."""

    conversation: ConversationId
    target: str
    places: tuple[Fetching, ...]


class LedgerDoubted(msgspec.Struct, frozen=True):
    """The server shows this device no ledger that can be believed to be whole: ledger-old (no new head for a
    day), ledger-withheld (others were shown more; nothing is sent until it comes). None: it does again."""

    code: Code | None


class ServerRestored(msgspec.Struct, frozen=True):
    """The server's data was lost, and put back from a copy made at copied_ms (by its clock, an hour at most
    too early). Nobody is accused; devices bring back what the copy lacks."""

    copied_ms: int


class NameWentBack(msgspec.Struct, frozen=True):
    """Since the server was restored its ledger shows an older list of somebody's devices than is known here,
    or another one, and it does not take the right one: nothing is sent to them."""

    person: Person


class OwnDeviceQuestion(msgspec.Struct, frozen=True):
    """A device came to this account that this one did not know: was this you? Stays until it is answered."""

    device: Device


class AccountChangeAnswered(msgspec.Struct, frozen=True):
    """A change of one's own account came to its end; only who asked for it knows its number. code: None, it
    is in the ledger and proven here; stale-manifest: another device was quicker, and what it signed is proven
    here: sign again; any other: refused. retry_after_ms: when asking again makes sense."""

    change: bytes
    code: Code | None
    retry_after_ms: int = 0


class ContactDeviceQuestion(msgspec.Struct, frozen=True):
    """A device came to a verified person's account by passphrase or recovery key, or by one that did: what
    you say to that person alone is not sealed for it until confirm_contact_device()."""

    person: Person
    device: Device


class IdentityChanged(msgspec.Struct, frozen=True):
    """Somebody has another identity than before. Nothing goes to it alone until accept_identity(), or, where
    the one before was verified, a new verification. by: whose word it was. changed_ms: of a reset the time of
    the signed head under which it was seen, else the one that the publishing device signed."""

    person: Person
    changed_ms: int
    was_verified: bool
    by: ChangedBy = ChangedBy.RESET


class NotInLedger(msgspec.Struct, frozen=True):
    """The server has shown an identity, or devices, for a name that its ledger does not have: they are not
    used, and nothing is sealed for them."""

    name: UserName


class Verified(msgspec.Struct, frozen=True):
    """This device's person has verified somebody: numbers, codes or emoji match, here or on another own
    device. Where person.verified is false: that was taken back."""

    person: Person


class VerificationAsked(msgspec.Struct, frozen=True):
    """Somebody wants to compare emoji: answer with verify(), or end_verification()."""

    person: Person


class EmojiToCompare(msgspec.Struct, frozen=True):
    """Both people see these seven now, in this order, unless somebody stands between them: answer with
    emoji_match(), or end_verification(mismatch=True)."""

    person: Person
    emoji: tuple[Emoji, ...]


class EndReason(StrEnum):
    """Why a comparison ended without anybody being verified."""

    DECLINED = "declined"
    MISMATCH = "mismatch"
    """One of the two saw other emoji."""
    TIMED_OUT = "timed-out"
    BROKEN = "broken"
    """What came did not hold, or the program failed."""
    ELSEWHERE = "elsewhere"
    """Another device of this account took it up."""


class VerificationEnded(msgspec.Struct, frozen=True):
    """A comparison with somebody ended, and nobody was verified by it."""

    person: Person
    reason: EndReason


class VaultRenewed(msgspec.Struct, frozen=True):
    """Another device has changed the account's password or recovery key: its new vault is here."""


class ApprovalStep(StrEnum):
    """What is heard of a device that wants to join this account."""

    ASKED = "asked"
    RELAYED = "relayed"
    ENDED = "ended"
    """It is gone, or its time is over."""


class ApprovalHeard(Quiet, frozen=True):
    """Something of a device that wants to join; only who looks for such devices understands it (Me.joiners).
    message: as it came, b"" at the end."""

    rendezvous: bytes
    step: ApprovalStep
    message: bytes = b""


class ApprovalsRefused(msgspec.Struct, frozen=True):
    """The server tells of no devices that want to join for now."""

    code: Code
    retry_after_ms: int


class BecameNewDevice(msgspec.Struct, frozen=True):
    """This folder was a copy of another device's, and is a device of its own from now on. unsure: messages
    that may or may not have been sent by the other one."""

    device: DeviceId
    unsure: tuple[Message, ...]


class IdentityReplaced(msgspec.Struct, frozen=True):
    """One's own account goes on under another identity, by the word of one of its devices, and this device
    has followed. unsure: messages that may or may not have been sent before."""

    account: AccountId
    unsure: tuple[Message, ...]


Event = (
    MessageArrived
    | MessageQueued
    | MessageSent
    | MessageDelivered
    | PresenceChanged
    | PersonAppeared
    | AccountDeleted
    | NameReset
    | ConversationChanged
    | DevicesChanged
    | LinkChanged
    | DrainedBacklog
    | SendingStuck
    | BecameNewDevice
    | IdentityReplaced
    | MessagesMissing
    | MessagesFetching
    | LedgerDoubted
    | ServerRestored
    | NameWentBack
    | OwnDeviceQuestion
    | AccountChangeAnswered
    | ContactDeviceQuestion
    | IdentityChanged
    | NotInLedger
    | Verified
    | VerificationAsked
    | EmojiToCompare
    | VerificationEnded
    | VaultRenewed
    | ApprovalHeard
    | ApprovalsRefused
)

"""What the pages want from the SDK, and what comes back: like intents.py, whose unions these are part of."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from coterie.base.ids import AccountId, ConversationId, DeviceId, UserName
from coterie.base.quiet import Quiet
from coterie.client.events import (
    Comparison,
    Delivery,
    Device,
    Emoji,
    FramesSent,
    IdentityChanged,
    Message,
    Person,
)
from coterie.client.shapes import Unreadable


class ReadFrames(msgspec.Struct, frozen=True):
    """What was sent to the server last."""


class ReadDevices(msgspec.Struct, frozen=True):
    """The account's own devices."""


class DeviceChange(StrEnum):
    RENAME = "rename"
    REVOKE = "revoke"
    LOSE = "lose"
    DENY = "deny"
    UNMARK = "unmark"


class ChangeDevice(Quiet, frozen=True):
    """Rename or remove a device of one's own. name: for RENAME; secret: password or recovery key, as it was
    typed."""

    change: DeviceChange
    device: DeviceId
    name: str
    secret: str


class ReadPerson(msgspec.Struct, frozen=True):
    """What there is to know somebody by."""

    name: UserName


class PersonStep(StrEnum):
    """What is done about somebody that needs nothing to be typed."""

    COMPARE = "compare"
    """Emoji: ask for it, or agree to it."""
    SAME = "same"
    DIFFERENT = "different"
    END = "end"
    MARK = "mark"
    """The safety numbers were compared by eye."""
    FORGET = "forget"
    """They are not to count as verified any more."""
    GO_ON = "go-on"
    """With the identity that they have now."""
    SEND_QUEUED = "send-queued"
    DROP_QUEUED = "drop-queued"


class StepWithPerson(msgspec.Struct, frozen=True):
    name: UserName
    step: PersonStep


class CheckShown(Quiet, frozen=True):
    """shown: the safety number or the text of the code that stands on the other's screen, as it was typed."""

    name: UserName
    shown: str


class ConfirmContactDevice(msgspec.Struct, frozen=True):
    """A device of somebody's is theirs."""

    name: UserName
    device: DeviceId


class ReadDelivery(msgspec.Struct, frozen=True):
    """What became of an own message. order: of which one; None: the newest of the conversation."""

    conversation: ConversationId
    order: int | None


class ReadAccount(msgspec.Struct, frozen=True):
    """The account that is open."""


class ChangePassword(Quiet, frozen=True):
    secret: str
    new: str


class Wrapping(StrEnum):
    """Whether the password alone is enough on a new machine."""

    ALONE = "alone"
    NOT_ALONE = "not-alone"


class WrapWithPassword(Quiet, frozen=True):
    secret: str
    wrapping: Wrapping


class MakeRecoveryKey(Quiet, frozen=True):
    secret: str


class MakeIdentity(Quiet, frozen=True):
    """The account goes on under another identity, with another password and recovery key."""

    secret: str
    new: str


class RecoveryKeyKept(msgspec.Struct, frozen=True):
    """The person has the new recovery key."""


class KeepName(Quiet, frozen=True):
    """Say no to whoever would begin the account's name anew."""

    secret: str


class Telling(StrEnum):
    """Whether the server is told how many messages cannot be read on this device."""

    TOLD = "told"
    NOT_TOLD = "not-told"


class TellServer(msgspec.Struct, frozen=True):
    telling: Telling


class Farewell(StrEnum):
    """How an account leaves this machine."""

    SIGN_OUT = "sign-out"
    """What is here stays, to be read."""
    SIGN_OUT_AND_WIPE = "sign-out-and-wipe"
    WIPE = "wipe"
    """Without a word to the server, which still lists the device."""
    DELETE = "delete"
    """The account ends for ever, and nothing is left of it here."""


class Leave(Quiet, frozen=True):
    """secret: password or recovery key, as it was typed."""

    farewell: Farewell
    secret: str


class LookForJoiners(Quiet, frozen=True):
    """For devices that want to join this account. number: of this look, so that what comes of an earlier one
    can be told from it; code: for the one that shows it; "": for any."""

    number: int
    code: str


class NextJoiner(msgspec.Struct, frozen=True):
    """Wait for another one. number: of the look."""

    number: int


class CompareWithJoiner(msgspec.Struct, frozen=True):
    device: DeviceId


class ApproveJoiner(Quiet, frozen=True):
    """secret: password or recovery key, as it was typed."""

    device: DeviceId
    secret: str


class DeclineJoiner(msgspec.Struct, frozen=True):
    device: DeviceId


class StopLooking(msgspec.Struct, frozen=True):
    """For devices that want to join."""


JoiningIntent = LookForJoiners | NextJoiner | CompareWithJoiner | ApproveJoiner | DeclineJoiner | StopLooking
AccountIntent = (
    ChangePassword
    | WrapWithPassword
    | MakeRecoveryKey
    | MakeIdentity
    | RecoveryKeyKept
    | KeepName
    | TellServer
    | Leave
)
PersonIntent = StepWithPerson | CheckShown | ConfirmContactDevice
PageIntent = (
    ReadFrames
    | ReadDevices
    | ReadPerson
    | ReadAccount
    | ReadDelivery
    | ChangeDevice
    | PersonIntent
    | AccountIntent
    | JoiningIntent
)


class FramesRead(Quiet, frozen=True):
    """Answers ReadFrames, oldest first."""

    asked: ReadFrames
    sent: tuple[FramesSent, ...]


class DeliveryRead(Quiet, frozen=True):
    """Answers ReadDelivery. message: None where there is no such one."""

    asked: ReadDelivery
    me: UserName
    message: Message | None
    deliveries: tuple[Delivery, ...]


class DevicesRead(msgspec.Struct, frozen=True):
    """Answers ReadDevices. questions: those about which nobody has answered."""

    asked: ReadDevices
    devices: tuple[Device, ...]
    questions: tuple[Device, ...]
    renewal_due: bool


class PersonRead(Quiet, frozen=True):
    """Answers ReadPerson. number, code: what both screens show; questions: devices of theirs that nobody has
    confirmed; queued: what was written to an identity before, and never sent; change: of their identity,
    while it waits for a word."""

    asked: ReadPerson
    person: Person
    number: str
    code: str
    comparison: Comparison | None
    questions: tuple[Device, ...]
    queued: tuple[Message, ...]
    change: IdentityChanged | None = None


class AccountRead(Quiet, frozen=True):
    """Answers ReadAccount. reset_at_ms: when the name begins anew with another identity; words: of a recovery
    key that nobody has written down yet; unreadable: on this device."""

    asked: ReadAccount
    name: UserName
    account: AccountId
    server: str
    wrapping: Wrapping
    last_device: bool
    reset_at_ms: int | None
    words: tuple[str, ...]
    unreadable: Unreadable


class RecoveryKeyMade(Quiet, frozen=True):
    """Answers MakeRecoveryKey and MakeIdentity. words: until RecoveryKeyKept, and nowhere else."""

    asked: MakeRecoveryKey | MakeIdentity
    words: tuple[str, ...]


class JoinerCame(Quiet, frozen=True):
    """Answers NextJoiner. name: what it calls itself."""

    asked: NextJoiner
    device: DeviceId
    name: str


class JoinerCompares(Quiet, frozen=True):
    """Answers CompareWithJoiner."""

    asked: CompareWithJoiner
    emoji: tuple[Emoji, ...]


PageFact = (
    FramesRead
    | DevicesRead
    | PersonRead
    | AccountRead
    | DeliveryRead
    | RecoveryKeyMade
    | JoinerCame
    | JoinerCompares
)

"""What the core can be asked, and how typed text finds its conversation (once for every screen)."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, UserName
from coterie.base.quiet import Quiet
from coterie.base.signing import IdentityKeys
from coterie.client.changes import Change
from coterie.client.events import EndReason
from coterie.content.body import Body
from coterie.wire.frames import Ready

EVERYONE = "everyone"
"""How a person writes the conversation of the whole server."""


class Say(Quiet, frozen=True, gc=False):
    """Put a message into the outbox."""

    conversation: ConversationId
    peer: bytes
    """The other account of a direct conversation, b"" for everyone."""
    message: MessageId
    body: Body


class MarkRead(msgspec.Struct, frozen=True):
    conversation: ConversationId
    order: int


class KeepDraft(Quiet, frozen=True):
    conversation: ConversationId
    draft: str


class Connected(msgspec.Struct, frozen=True):
    """The device has proven itself. incarnation: as in Welcome; identity: of the statement, packed."""

    ready: Ready
    incarnation: bytes
    identity: bytes


class Disconnected(msgspec.Struct, frozen=True):
    """code: why, where it is more than a lost connection. final: no retry will mend it."""

    code: Code | None
    final: bool


class Tick(msgspec.Struct, frozen=True):
    """The moment named by wake_at has come."""


class RecoveryKeyShown(msgspec.Struct, frozen=True):
    """The person has seen the recovery key: forget it."""


class TellServer(msgspec.Struct, frozen=True):
    """Whether the server is to be told how many messages cannot be read here."""

    wanted: bool


class OwnDeviceConfirmed(msgspec.Struct, frozen=True):
    """The person says of a device that came to their account: that was me."""

    device: DeviceId


class ChangeAccount(Quiet, frozen=True):
    """Sign these changes into the account's next manifest. change: names it in its answer, 16 random bytes.
    identity: the account's private keys, opened for this one signature (encryption rule 1)."""

    change: bytes
    changes: tuple[Change, ...]
    identity: IdentityKeys


class MarkVerified(msgspec.Struct, frozen=True):
    """The person has compared safety numbers or codes with somebody, and they match."""

    account: AccountId


class TakeBackVerified(msgspec.Struct, frozen=True):
    """Somebody is not to count as verified any more."""

    account: AccountId


class CompareEmoji(msgspec.Struct, frozen=True):
    """The person wants to compare emoji with somebody, or joins somebody who does."""

    account: AccountId


class EmojiMatch(msgspec.Struct, frozen=True):
    """The person sees the same emoji as the other one."""

    account: AccountId


class EndVerification(msgspec.Struct, frozen=True):
    """The person wants no more, or sees other emoji."""

    account: AccountId
    reason: EndReason


class ContactDeviceConfirmed(msgspec.Struct, frozen=True):
    """The person has asked somebody, and says of a device that came to that account: that is theirs."""

    account: AccountId
    device: DeviceId


class AcceptIdentity(msgspec.Struct, frozen=True):
    """The person has looked at somebody's new identity, and goes on with it."""

    account: AccountId


class MoveQueued(msgspec.Struct, frozen=True):
    """What still waits for the identities that somebody had before: say it to the one of now, or (send False)
    drop it."""

    account: AccountId
    send: bool


Verifying = (
    MarkVerified
    | TakeBackVerified
    | CompareEmoji
    | EmojiMatch
    | EndVerification
    | ContactDeviceConfirmed
    | AcceptIdentity
    | MoveQueued
)


class EndAccount(Quiet, frozen=True):
    """Delete the account, for ever. change, identity: as in ChangeAccount."""

    change: bytes
    identity: IdentityKeys


class ReplaceIdentity(Quiet, frozen=True):
    """The account goes on under another identity. change, identity: as in ChangeAccount; heir: the private
    keys of the new one; vault: packed, with the two auth keys that it names."""

    change: bytes
    identity: IdentityKeys
    heir: IdentityKeys
    vault: bytes
    auth_key: bytes
    recovery_auth_key: bytes


class WatchForDevices(msgspec.Struct, frozen=True):
    """A person looks for devices that want to join, for so long; 0: no more. rendezvous: b"" for all."""

    seconds: int
    rendezvous: bytes = b""


class AnswerDevice(Quiet, frozen=True):
    """Say this to a device that wants to join."""

    rendezvous: bytes
    message: bytes


class LeaveDevice(msgspec.Struct, frozen=True):
    """Nothing more is said to it."""

    rendezvous: bytes


Command = (
    Say
    | MarkRead
    | KeepDraft
    | Connected
    | Disconnected
    | Tick
    | RecoveryKeyShown
    | TellServer
    | OwnDeviceConfirmed
    | ChangeAccount
    | Verifying
    | EndAccount
    | ReplaceIdentity
    | WatchForDevices
    | AnswerDevice
    | LeaveDevice
)


class Addressed(Quiet, frozen=True):
    """name: whom the text is for, None: the open conversation. text: what is left to say."""

    name: UserName | None
    to_everyone: bool
    text: str


_ADDRESS = re.compile(r"@(\S+)(?:\s+|$)(.*)", re.DOTALL)


def parse(typed: str, known: Callable[[str], UserName | None]) -> Addressed:
    """Read typed text: "@bob hi" is for bob, anything else for the open conversation.

    known: gives the canonical name of somebody, None for nobody. Raises Refused(unknown-person) for a leading
    @word that nobody has, so that it never becomes a message to others.
    """
    match = _ADDRESS.match(typed)
    if match is None:
        return Addressed(None, False, typed)
    word, text = match.group(1), match.group(2)
    for name in (word, word.rstrip(":,;!?")):
        if name.casefold() == EVERYONE:
            return Addressed(None, True, text)
        found = known(name) if name else None
        if found is not None:
            return Addressed(found, False, text)
    raise Refused(Code.UNKNOWN_PERSON)

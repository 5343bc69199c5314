"""coterie: end-to-end encrypted chat that a family, a team or a community runs for itself.

The SDK, loaded when it is first used (PEP 562), so that a server never loads what could read a message:

    import coterie
    async with coterie.open(home, profile="alice", password=...) as me:
        await me.send("@bob", "hi")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coterie.base.codes import Code as Code
    from coterie.base.errors import CoterieError as CoterieError
    from coterie.base.errors import LocalError as LocalError
    from coterie.base.errors import PersonChanged as PersonChanged
    from coterie.base.errors import Refused as Refused
    from coterie.base.errors import RemoteError as RemoteError
    from coterie.base.errors import SealBroken as SealBroken
    from coterie.base.errors import SecurityStop as SecurityStop
    from coterie.base.errors import Unavailable as Unavailable
    from coterie.client.api.admitting import Joiner as Joiner
    from coterie.client.api.admitting import Joiners as Joiners
    from coterie.client.api.auditing import fetch_ledger as fetch_ledger
    from coterie.client.api.backups import BackupContents as BackupContents
    from coterie.client.api.backups import back_up as back_up
    from coterie.client.api.backups import restore as restore
    from coterie.client.api.backups import verify_backup as verify_backup
    from coterie.client.api.health import Health as Health
    from coterie.client.api.joining import Asking as Asking
    from coterie.client.api.joining import ask_approval as ask_approval
    from coterie.client.api.log_in import log_in as log_in
    from coterie.client.api.me import Me as Me
    from coterie.client.api.opening import open as open
    from coterie.client.api.passwords import Strength as Strength
    from coterie.client.api.passwords import strength as strength
    from coterie.client.api.rescuing import Rescued as Rescued
    from coterie.client.api.rescuing import rescue as rescue
    from coterie.client.api.sign_up import sign_up as sign_up
    from coterie.client.commands import EVERYONE as EVERYONE
    from coterie.client.events import AccountChangeAnswered as AccountChangeAnswered
    from coterie.client.events import AccountDeleted as AccountDeleted
    from coterie.client.events import ApprovalHeard as ApprovalHeard
    from coterie.client.events import ApprovalsRefused as ApprovalsRefused
    from coterie.client.events import BecameNewDevice as BecameNewDevice
    from coterie.client.events import ContactDeviceQuestion as ContactDeviceQuestion
    from coterie.client.events import Conversation as Conversation
    from coterie.client.events import ConversationChanged as ConversationChanged
    from coterie.client.events import Delivery as Delivery
    from coterie.client.events import DeliveryState as DeliveryState
    from coterie.client.events import Device as Device
    from coterie.client.events import DevicesChanged as DevicesChanged
    from coterie.client.events import DrainedBacklog as DrainedBacklog
    from coterie.client.events import Emoji as Emoji
    from coterie.client.events import EmojiToCompare as EmojiToCompare
    from coterie.client.events import EndReason as EndReason
    from coterie.client.events import Event as Event
    from coterie.client.events import Fetching as Fetching
    from coterie.client.events import FramesSent as FramesSent
    from coterie.client.events import IdentityChanged as IdentityChanged
    from coterie.client.events import IdentityReplaced as IdentityReplaced
    from coterie.client.events import LedgerDoubted as LedgerDoubted
    from coterie.client.events import LinkChanged as LinkChanged
    from coterie.client.events import LinkState as LinkState
    from coterie.client.events import Message as Message
    from coterie.client.events import MessageArrived as MessageArrived
    from coterie.client.events import MessageDelivered as MessageDelivered
    from coterie.client.events import MessageQueued as MessageQueued
    from coterie.client.events import MessageSent as MessageSent
    from coterie.client.events import MessagesFetching as MessagesFetching
    from coterie.client.events import MessagesMissing as MessagesMissing
    from coterie.client.events import MessageState as MessageState
    from coterie.client.events import NameReset as NameReset
    from coterie.client.events import NameWentBack as NameWentBack
    from coterie.client.events import OwnDeviceQuestion as OwnDeviceQuestion
    from coterie.client.events import Person as Person
    from coterie.client.events import PersonAppeared as PersonAppeared
    from coterie.client.events import PresenceChanged as PresenceChanged
    from coterie.client.events import ResetState as ResetState
    from coterie.client.events import SendingStuck as SendingStuck
    from coterie.client.events import Sent as Sent
    from coterie.client.events import ServerRestored as ServerRestored
    from coterie.client.events import VaultRenewed as VaultRenewed
    from coterie.client.events import VerificationAsked as VerificationAsked
    from coterie.client.events import VerificationEnded as VerificationEnded
    from coterie.client.events import Verified as Verified
    from coterie.client.shapes import Unreadable as Unreadable
    from coterie.client.store.profiles import default_home as default_home
    from coterie.client.store.profiles import profiles as profiles
    from coterie.e2ee.recovery import new_passphrase as new_passphrase

_MODULES = {
    "coterie.base.codes": ("Code",),
    "coterie.base.errors": (
        "CoterieError",
        "LocalError",
        "PersonChanged",
        "Refused",
        "RemoteError",
        "SealBroken",
        "SecurityStop",
        "Unavailable",
    ),
    "coterie.client.api.auditing": ("fetch_ledger",),
    "coterie.client.api.admitting": ("Joiner", "Joiners"),
    "coterie.client.api.backups": ("BackupContents", "back_up", "restore", "verify_backup"),
    "coterie.client.api.health": ("Health",),
    "coterie.client.api.joining": ("Asking", "ask_approval"),
    "coterie.client.api.log_in": ("log_in",),
    "coterie.client.api.me": ("Me",),
    "coterie.client.api.opening": ("open",),
    "coterie.client.api.passwords": ("Strength", "strength"),
    "coterie.client.api.rescuing": ("Rescued", "rescue"),
    "coterie.client.api.sign_up": ("sign_up",),
    "coterie.client.commands": ("EVERYONE",),
    "coterie.client.events": (
        "AccountChangeAnswered",
        "AccountDeleted",
        "ApprovalHeard",
        "ApprovalsRefused",
        "BecameNewDevice",
        "ContactDeviceQuestion",
        "Conversation",
        "ConversationChanged",
        "Delivery",
        "DeliveryState",
        "Device",
        "DevicesChanged",
        "DrainedBacklog",
        "Emoji",
        "EmojiToCompare",
        "EndReason",
        "Event",
        "Fetching",
        "FramesSent",
        "LedgerDoubted",
        "IdentityChanged",
        "IdentityReplaced",
        "LinkChanged",
        "LinkState",
        "Message",
        "MessageArrived",
        "MessageQueued",
        "MessageDelivered",
        "MessageSent",
        "MessagesFetching",
        "MessagesMissing",
        "MessageState",
        "NameReset",
        "NameWentBack",
        "OwnDeviceQuestion",
        "Person",
        "PersonAppeared",
        "PresenceChanged",
        "ResetState",
        "SendingStuck",
        "Sent",
        "ServerRestored",
        "VerificationAsked",
        "VerificationEnded",
        "Verified",
        "VaultRenewed",
    ),
    "coterie.client.shapes": ("Unreadable",),
    "coterie.client.store.profiles": ("default_home", "profiles"),
    "coterie.e2ee.recovery": ("new_passphrase",),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module 'coterie' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return __all__

"""What the main window and the terminal say to people: one language, keyed; errors keyed by code.

The forms have theirs in form_texts.py. Names are filled in by say().
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from coterie.base.codes import Code
from coterie.client.events import LinkState, Person

SEPARATOR: Final = "  ·  "
"""Between what stands side by side in one line."""


class Text(StrEnum):
    """Every sentence of the main screen."""

    # conversations
    EVERYONE = "Everyone"
    NOTES = "Notes to yourself"
    OPEN_TO_ALL = "open to everyone on this server"
    ONLY_YOU = "only you"
    ENCRYPTED = "end-to-end encrypted"
    ONLINE = "online"
    OFFLINE = "offline"
    VERIFIED = "verified"
    IDENTITY_CHANGED = "another identity than before"
    DELETED = "account deleted"
    ONLINE_ONE = "1 person online"
    ONLINE_COUNT = "{count} people online"
    NOTHING_YET = "No messages yet"
    YOU = "You"
    PREVIEW_FROM = "{name}: "
    DRAFT = "Draft: "
    SEARCH = "Search"
    WRITE = "Write a message..."
    CHOOSE = "Choose a conversation"
    # search
    FIND_HERE = "Search in {title}"
    FIND_EVERYWHERE = "Search in all conversations"
    FOUND_HERE = "In {title}"
    FOUND_EVERYWHERE = "In all conversations"
    FOUND_ONE = "1 message"
    FOUND_COUNT = "{count} messages"
    FOUND_MORE = "more than {count} messages"
    FOUND_NONE = "nothing found"
    # the timeline
    UNREAD_ONE = "1 unread message"
    UNREAD_COUNT = "{count} unread messages"
    UNREAD_BELOW = "Unread messages"
    CONNECTED = "{name} connected"
    LEFT = "{name} left the chat"
    OWN_RESET_ANNOUNCED = (
        "STOP: somebody begins your name anew, and has it in a day. If that is not you, say no:"
        " coterie keep-name, or in the window: Your account"
    )
    OWN_RESET_CANCELLED = "You said no: the name stays yours"
    OWN_RESET_IN_EFFECT = "Your name is another identity's from now on"
    NOT_IN_LEDGER = (
        "The server shows an identity or devices of {name} that are not in the ledger. They are not used"
    )
    SERVER_RESTORED = (
        "Your server was restored from a copy of {when}. What came since is brought back by itself"
    )
    NAME_WENT_BACK = (
        "{name}: since it was restored the server shows another list of devices than the one known here. "
        "Nothing is sent to them"
    )
    NAME_NOT_IN_LEDGER = "{name}: the server shows an identity that is not in the ledger. Nothing was sent"
    OWN_RESET_ASKED = "Somebody begins your name anew with another identity. Was this you?"
    OWN_RESET_ABOUT = "In a day the name is theirs, unless you say no"
    THAT_WAS_ME = "Yes, I have lost everything"
    KEEP_NAME = "No, the name stays mine"
    RESET_ANNOUNCED = "{name} says that everything was lost, and begins anew in a day, unless they deny it"
    RESET_CANCELLED = "{name} has denied that: nothing changes"
    RESET_IN_EFFECT = "{name} is another identity from now on: make sure who that is"
    ACCOUNT_DELETED = "{name} has deleted their account"
    DEVICES_CHANGED = "{name} changed their devices: published by an existing device on {when}"
    DEVICE_RECOVERED = "{name} added a device with a passphrase or recovery key, on {when}"
    OWN_DEVICES_CHANGED = "You changed your devices"
    OWN_DEVICE_RECOVERED = "A device was added to your account with your passphrase or recovery key"
    BECAME_NEW_DEVICE = "This folder was a copy of another device's. It is a device of its own from now on"
    IDENTITY_REPLACED = (
        "Your account has another identity now: whoever writes to you has to accept it, or verify it"
    )
    IDENTITY_DUE = (
        "That device could have opened your account's keys. Another identity makes them worthless: coterie"
        " devices new-identity"
    )
    UNSURE = "perhaps not sent: it was waiting when this device became another one"
    MISSING_ONE = "1 message of {name} is missing here"
    MISSING_COUNT = "{count} messages of {name} are missing here"
    FETCHING_ONE = "fetching a message of {name} ..."
    FETCHING_COUNT = "fetching {count} messages of {name} ..."
    MISSING_NONE = "All messages of {name} are here now"
    RENEWAL_DUE = "A device was lost: change your password, and make a new recovery key"
    LEDGER_WELL = "The server shows its ledger as it should again"
    OWN_DEVICE_ASKED = "A device came to your account. Was this you?"
    OWN_DEVICE_CAME = "{device}, {when}"
    YES_THAT_WAS_ME = "Yes, that was me"
    NO_THAT_WAS_NOT_ME = "No, remove it"
    COMPARE_NOW = "Compare emoji"
    NOT_NOW = "Not now"
    COMPARE_ABOUT = "Meet, or call each other, so that you know whom you ask"
    SHOW_ALL = "Show the whole message"
    UNREADABLE = "This message needs a newer version of coterie"
    NOT_FOR = "not for {name}'s {device}: {reason}"
    NOT_FOR_YOURS = "not for your {device}: {reason}"
    NOT_FOR_MORE = "and not for {count} more"
    DEVICE_UNNAMED = "device"
    # verifying somebody
    VERIFIED_NOW = "{name} is verified now"
    VERIFIED_NO_MORE = "{name} does not count as verified any more"
    VERIFY_ASKED = "{name} wants to compare emoji with you, so that you know each other for certain"
    VERIFY_EMOJI = "Compare with {name}: {emoji}"
    VERIFY_DECLINED = "Comparing with {name} was ended. Nobody was verified"
    VERIFY_MISMATCH = "STOP: you and {name} saw different emoji. Somebody may stand between you"
    VERIFY_TIMED_OUT = "Comparing with {name} took too long. Nobody was verified"
    VERIFY_BROKEN = "Comparing with {name} was broken off: what came did not fit. Nobody was verified"
    VERIFY_ELSEWHERE = "You went on comparing with {name} on another device"
    PERSON_CHANGED = (
        "{name} has another identity than before: a reset in the ledger, seen on {when}; no existing device"
        " agreed"
    )
    PERSON_CHANGED_BY_DEVICE = (
        "{name} has another identity than before: published by an existing device on {when}"
    )
    PERSON_CHANGED_BY_RECOVERY = (
        "{name} has another identity than before: published on {when} by a device that came by passphrase or"
        " recovery key"
    )
    CHANGED_ACCEPT = "Ask {name} before you go on with it (coterie verify --accept-new)"
    CHANGED_VERIFY = "You had verified {name}: verify the new one to go on (coterie verify)"
    CONTACT_DEVICE = (
        "A device came to {name}'s account by a passphrase or recovery key: {device}. What you write to"
        " them alone is not for it until you have asked them and confirmed it"
    )
    NOBODY_TO_VERIFY = "Open a conversation with somebody first, to make sure who they are"
    VERIFY_WAITING = "Waiting for {name}, who has to do the same now ..."
    VERIFY_QUESTION = "Does {name} see the same, in this order? yes or no"
    VERIFY_YES_OR_NO = "yes or no?"
    VERIFY_THEIR_WORD = "Waiting for {name}'s word ..."
    SAFETY_NUMBER_ABOUT = "If {name} sees the same number, nobody stands between you:"
    # the composer
    SENT_TO = "Sent to {name} alone"
    SENT_TO_EVERYONE = "Sent to everyone"
    OPENS = "Opens {host} in your browser"
    COPIED = "Copied"
    # menu and keys
    COPY = "Copy"
    COPY_MESSAGE = "Copy message"
    WHO_HAS_IT = "Who has it"
    COPY_LINK = "Copy link"
    WRITE_TO = "Write to {name}"
    CUT = "Cut"
    PASTE = "Paste"
    SELECT_ALL = "Select all"
    KEYS_TITLE = "Keys"


class Action(StrEnum):
    """What each action of actions.py is called in menus and in the list of keys."""

    SEND = "Send the message"
    NEW_LINE = "New line"
    SWITCH = "Find a conversation"
    FIND_HERE = "Search in this conversation"
    FIND_EVERYWHERE = "Search in all conversations"
    NEXT_FOUND = "Next message found"
    PREVIOUS_FOUND = "Previous message found"
    SHOW_FOUND = "Show the message found"
    CLOSE = "Close the search, back to the text field"
    NEXT = "Next conversation"
    PREVIOUS = "Previous conversation"
    NEXT_UNREAD = "Next unread conversation"
    PAGE_UP = "One page up"
    PAGE_DOWN = "One page down"
    OLDEST = "To the oldest message"
    NEWEST = "To the newest message"
    COPY = "Copy what is marked"
    APPEARANCE = "Dark or light"
    DEVICES = "Your devices"
    MESSAGE = "Who has the newest message you wrote"
    ACCOUNT = "Your account"
    PERSON = "Is it really this person?"
    SERVER_SEES = "What the server sees"
    KEYS = "Show this list of keys"


WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_REFUSALS: Final[dict[Code, str]] = {
    Code.UNKNOWN_PERSON: "Nobody here has this name. Nothing was sent",
    Code.EMPTY: "There is nothing to send yet",
    Code.TOO_LARGE: "This text is too long: a message holds 64 KiB",
    Code.MAILBOX_FULL: "The other side has too much waiting. It is tried again",
    Code.NOT_A_MEMBER: "You are not part of this conversation",
    Code.SPEAKERS_ONLY: "Only speakers may write here",
    Code.NO_PREKEY: "no keys there yet",
    Code.BAD_PREKEY: "its keys are not valid",
    Code.UNPROVEN: "it is not proven",
    Code.UNCONFIRMED: "it is not confirmed",
    Code.UNKNOWN_DEVICE: "it is not known",
    Code.NOT_SIGNED_IN: "This server tells that to its members alone",
    Code.RESET_PENDING: "This name begins anew a day after you asked for it, unless its owner says no",
    Code.DELETED: "This account was deleted",
    Code.NOT_APPROVED: "This was not approved: one side ended it, or nobody answered in time",
    Code.REVOKED: "This device was removed from the account",
    Code.COPIED_PROFILE: "Another machine runs a copy of this account's folder",
    Code.RESTORED_PROFILE: "This folder is an older copy. Log in again to go on",
    Code.STALE_VIEW: "Somebody's devices changed. It is tried again",
    Code.UNKNOWN_FILE: "The server no longer has this file",
    Code.BAD_FILE: "This file did not arrive as it was sent",
    Code.FILES_FULL: "Your files on the server take up all the room you have there",
    Code.LOW_DISK: "The server has no room for files now",
    Code.BUSY: "The server is busy. It is tried again",
    Code.TOO_MANY_TRIES: "Too many at once. It is tried again in a while",
    Code.UNREACHABLE: "The server cannot be reached. It is tried again",
    Code.STATEMENT_EXPIRED: "The server's proof of identity has expired",
    Code.VERSION: "The server speaks another version of coterie",
    Code.QUEUED: "It waits here and goes with the next connection",
    Code.DISK: "The disk cannot be written or read",
    Code.DAMAGED: "The messages on this machine are damaged: coterie rescue saves what can be read",
    Code.IDENTITY_CHANGED: "STOP: this is another identity than before, of server or person. Nothing is sent",
    Code.LEDGER_OLD: "The server has signed nothing for a day: it may hide that a device was removed",
    Code.LEDGER_WITHHELD: "The server shows others more of its ledger. Nothing is sent until it comes",
    Code.MISMATCH: (
        "STOP: this is not what you and they see here. Somebody may stand between you, or it belongs to other"
        " people. Nobody was verified"
    ),
    Code.NOTHING_TO_CONFIRM: "There is nothing to confirm",
    Code.LEDGER_SPLIT: "STOP: the server shows different people different truths",
    Code.SEAL_BROKEN: "What the server or this folder holds is damaged or was changed",
}

_LINK: Final[dict[LinkState, str]] = {
    LinkState.OFFLINE: "not connected, trying again ...",
    LinkState.CONNECTING: "connecting ...",
    LinkState.SYNCING: "catching up ...",
    LinkState.LIVE: "",
    LinkState.STOPPED: "stopped",
}


_LASTING: Final = frozenset((Code.RESET_PENDING, Code.STATEMENT_EXPIRED, Code.VERSION))
"""Why there is no connection for hours, perhaps."""


def say(text: Text, **values: str | int) -> str:
    """The sentence with its values filled in."""
    return text.value.format(**values)


def refusal(code: Code) -> str:
    """Why something did not work, for the line at the composer."""
    known = _REFUSALS.get(code)
    return f"That did not work ({code.value})" if known is None else known


def link_line(state: LinkState, code: Code | None) -> str:
    """The state of the connection; empty while it is live, and no code says what is doubtful about it. Also
    why there is none, where no trying again mends that soon."""
    if code is not None and (state in (LinkState.STOPPED, LinkState.LIVE) or code in _LASTING):
        return refusal(code)
    return _LINK[state]


def doubt_line(code: Code | None) -> str:
    """What is doubtful about the server's ledger, or that nothing is any more."""
    return say(Text.LEDGER_WELL) if code is None else refusal(code)


def fetching_line(name: str, count: int) -> str:
    """In the place of messages that are on their way again."""
    text = Text.FETCHING_ONE if count == 1 else Text.FETCHING_COUNT
    return say(text, name=name) if count == 1 else say(text, name=name, count=count)


def missing_line(name: str, count: int) -> str:
    """How many messages of somebody never came."""
    if not count:
        return say(Text.MISSING_NONE, name=name)
    return say(Text.MISSING_ONE, name=name) if count == 1 else say(Text.MISSING_COUNT, name=name, count=count)


def unread_line(count: int) -> str:
    if count <= 0:
        return say(Text.UNREAD_BELOW)
    return say(Text.UNREAD_ONE) if count == 1 else say(Text.UNREAD_COUNT, count=count)


def found_line(where: str, count: int, more: bool) -> str:
    """Above what a search found: where, and how many messages."""
    if not count:
        found = say(Text.FOUND_NONE)
    elif more:
        found = say(Text.FOUND_MORE, count=count)
    else:
        found = say(Text.FOUND_ONE) if count == 1 else say(Text.FOUND_COUNT, count=count)
    return f"{where}{SEPARATOR}{found}"


def presence_of(person: Person) -> Text:
    """What is said of somebody who is not oneself."""
    if person.deleted:
        return Text.DELETED
    return Text.ONLINE if person.online else Text.OFFLINE


def online_line(count: int) -> str:
    return say(Text.ONLINE_ONE) if count == 1 else say(Text.ONLINE_COUNT, count=count)

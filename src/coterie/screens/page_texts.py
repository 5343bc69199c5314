"""What the pages say: lists that are shown over the conversation."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from coterie.base.codes import Code
from coterie.screens.i18n import refusal
from coterie.wire import frames
from coterie.wire.frames import ClientFrame


class PageText(StrEnum):
    SERVER_SEES = "What the server sees"
    SERVER_SEES_ABOUT = "What left this device last, and why. The server can read what is not sealed"
    BYTES = "{count} bytes"
    TOGETHER = "sent together with others"
    MORE = "and {count} more"
    NOT_SHOWN = "not shown: whoever has it could log in"
    NOTHING = "nothing"
    SEALED = "sealed, {count} bytes"
    LONG = "{start}... ({count} bytes)"
    CLOSE = "Close"
    COPIED = "Copied: {name}"
    COPY = "Copy"
    CANCEL = "Cancel"
    # devices
    DEVICES = "Your devices"
    LOSS_ABOUT = (
        "A device was lost: make another identity on the page of your account, or at least change your"
        " password and make a new recovery key there"
    )
    DEVICES_ABOUT = "Whoever has one of them reads what is written to you. Choose one to rename or remove it"
    LIVE = "In use"
    GONE = "Removed"
    THIS_DEVICE = "this device"
    SINCE = "since {day} {time}"
    ASKED = "Was this you?"
    BY_RECOVERY = "came in with your passphrase or recovery key"
    UNNAMED = "device"
    THAT_WAS_ME = "Yes, that was me"
    THAT_WAS_NOT_ME = "No, that was not me"
    RENAME = "Rename"
    REMOVE = "Remove"
    LOST = "Lost or stolen"
    UNMARK = "End its mark"
    UNMARK_ABOUT = "It counts as a device like any other from now on, and so do those that it lets in."
    RENAME_ABOUT = "Your other devices, and people you write to, see this name."
    REMOVE_ABOUT = "It gets no message any more and cannot connect. What it has, it keeps."
    LOST_ABOUT = "It is removed, and all keys are made anew. Then change your password and recovery key."
    DENY_ABOUT = "It is removed like a stolen one. Then change your password and recovery key."
    DEVICE_NAME = "Name"
    PASSWORD = "Your password or passphrase, or the recovery key"
    ADD_DEVICE = "Add a device"
    # a message of one's own
    WHO_HAS_IT = "Who has it"
    WHO_HAS_IT_ABOUT = "A device says so, sealed, once it has opened the message and stored it"
    NOBODY_SAYS = "The server has it. In this conversation nobody says that they have it too"
    STILL_HERE = "It waits on this device, and goes with the next connection"
    PERHAPS_SENT = "It waited when this folder was copied: the original may have sent it"
    NOTHING_WRITTEN = "You have written nothing here"
    HAS_IT = "has it"
    ON_ITS_WAY = "on its way"
    OWED = "could not be given it yet, and is owed it"
    YOUR_DEVICE = "your {device}"
    THEIR_DEVICE = "{name}'s {device}"
    # a device that wants to join
    JOINING = "Add a device"
    JOINING_ABOUT = (
        'On the new device choose "Ask one of my devices" (or run coterie login --approve). It shows a code'
        " to enter here; without a code it appears below, and both show seven emoji"
    )
    ENTER_CODE = "Enter its code"
    ENTER_CODE_ABOUT = "The text that stands on the new device, below the picture."
    CODE = "Code"
    NO_CODE = "This is not the code that a new device shows"
    LOOK = "Look for it"
    WAITING_FOR_CODE = "Waiting for the device with this code ..."
    JOINERS = "Devices that want to join"
    JOINER = "perhaps a stranger's: compare first"
    COMPARE_JOINER = "Compare emoji"
    DECLINE_JOINER = "Not mine"
    ANSWERING_JOINER = "Waiting for the other device ..."
    JOINER_EMOJI = "Does the device that calls itself {device} show the same, in this order?"
    LET_IN = "Let it in"
    LET_IN_TITLE = "Let in: {device}"
    LET_IN_ABOUT = "It will read and write everything from then on, as you. Is it in your own hands?"
    DIFFERENT_JOINER = "Then somebody may stand between them. Nothing was given to it"
    LOOK_AGAIN = "Look again"
    # somebody
    PERSON = "Is it really {name}?"
    PERSON_ABOUT = (
        "Nobody has compared yet. Meet {name}, or call: compare emoji or the safety number, or let one of you"
        " scan the other's code"
    )
    PERSON_VERIFIED = "You have verified {name}: nobody stands between you"
    PERSON_CHANGED = "{ledger}. Nothing goes to it alone until you have made sure, and go on"
    PERSON_CHANGED_VERIFIED = (
        "{ledger}. You had verified the one before: nothing goes to this one alone until you have verified it"
    )
    SAFETY_NUMBER = "Safety number"
    SAFETY_NUMBER_NOTE = "{name} sees the same, unless somebody stands between you"
    SAFETY_CODE = "Text of the code"
    ACCOUNT_ID = "Account"
    ACCOUNT_ID_NOTE = "the fingerprint of the account's identity"
    COMPARE = "Compare emoji"
    SAME_NUMBER = "The numbers are the same"
    SAME_NUMBER_ABOUT = "You have compared all twelve groups with {name}, by eye or by ear, and they match."
    FORGET = "Not verified any more"
    FORGET_ABOUT = "{name} counts as nobody whom you have compared with, on all your devices."
    CHECK = "Enter what they see"
    CHECK_ABOUT = "The safety number, or the text of the code, that stands on {name}'s screen."
    SHOWN_THERE = "Number or text"
    NO_NUMBER = "This is neither a safety number nor the text of a code"
    GO_ON = "Go on with it"
    GO_ON_ABOUT = "You have asked {name}: the new identity is theirs. What you write goes to it."
    SAME_EMOJI = "They are the same"
    DIFFERENT_EMOJI = "They are different"
    END_COMPARING = "Stop comparing"
    NOT_NOW = "Not now"
    EMOJI_QUESTION = "Does {name} see the same, in this order?"
    CONTACT_DEVICES = "Devices that nobody has confirmed"
    CONTACT_DEVICE_NOTE = "what you write to {name} alone is not for it until you have asked them"
    CONFIRM_CONTACT = "It is theirs: I have asked"
    QUEUED = "Written to the identity before, and never sent"
    SEND_QUEUED = "Send them now"
    DROP_QUEUED = "Never send them"
    # the account
    ACCOUNT = "Your account"
    ACCOUNT_ABOUT = "Choose a line to change it"
    NAME = "Name"
    SERVER = "Server"
    PASSWORD_ROW = "Password"
    ALONE = "alone enough on a new machine"
    NOT_ALONE = "a new machine also needs the recovery key, or another device"
    OTHERS_KEEP = "your other devices keep the password that opens them"
    CHANGE_PASSWORD = "Change the password"
    CHANGE_PASSWORD_ABOUT = "For the account, and for what is stored on this device."
    OLD_PASSWORD = "Password or passphrase of now"
    MAKE_ALONE = "Let it be enough on a new machine"
    MAKE_ALONE_ABOUT = "Whoever holds the server can try to guess a password that is enough on its own."
    MAKE_NOT_ALONE = "Let it not be enough on a new machine"
    MAKE_NOT_ALONE_ABOUT = "Then a new machine also needs the recovery key, or one of your devices."
    RECOVERY_ROW = "Recovery key"
    RECOVERY_VALUE = "24 words for the day when all else is lost"
    RECOVERY_PENDING = "24 words that you have not written down yet"
    NEW_RECOVERY = "Make a new one"
    NEW_RECOVERY_ABOUT = "The one of before opens the account no more."
    SHOW_RECOVERY = "Show it"
    NEW_IDENTITY = "Make another identity"
    NEW_IDENTITY_ABOUT = (
        "After the loss of a device that could open your account's keys: they are worthless then. It takes"
        " another password, and a new recovery key. Your other devices follow. Whoever writes to you has to"
        " accept the new identity, or to verify you anew."
    )
    RESET_ROW = "Somebody begins your name anew"
    RESET_VALUE = "It stands for another identity from {day} {time} on"
    RESET_NOTE = "if you did not lose everything, and ask for this, say no"
    KEEP_NAME = "No, the name stays mine"
    KEEP_NAME_ABOUT = "Everybody sees that you said no, and the name stays with this identity."
    UNREADABLE_ROW = "What cannot be read here"
    UNREADABLE_NONE = "nothing now; other devices were asked for {ever} messages so far"
    UNREADABLE_VALUE = "{now} messages now; other devices were asked for {ever} so far"
    SERVER_TOLD = "the server is told how many, for whoever runs it"
    SERVER_NOT_TOLD = "the server is not told how many"
    TELL_SERVER = "Tell the server"
    TELL_SERVER_ABOUT = (
        "It learns how many messages this device cannot read, now and ever, and counts them in its figures."
        " By them, whoever runs it sees that something goes wrong."
    )
    TELL_NO_MORE = "Tell it no more"
    TELL_NO_MORE_ABOUT = "It learns no number of this device any more."
    LEAVING = "Leaving"
    SIGN_OUT_ROW = "This device"
    SIGN_OUT_VALUE = "leaves the account, or only this machine"
    SIGN_OUT = "Sign out, keep what is here"
    SIGN_OUT_ABOUT = "It gets no message any more. What is stored here stays, to be read with your password."
    SIGN_OUT_AND_WIPE = "Sign out, remove everything here"
    SIGN_OUT_AND_WIPE_ABOUT = "It gets no message any more, and what is stored here goes, messages too."
    WIPE = "Only remove everything here"
    WIPE_ABOUT = (
        "The server is not told: the account lists this device until another one removes it. What is stored"
        " here goes, messages too."
    )
    LAST_DEVICE = "the last one: to come back you need the passphrase, or the recovery key"
    DELETE_ROW = "The account"
    DELETE_VALUE = "ends for ever, and nobody gets its name again"
    DELETE = "Delete the account"
    DELETE_ABOUT = "It ends for ever, for everybody to see. What is stored here goes, messages too."
    TYPE_NAME = "The account's name"
    OTHER_NAME = "This is not the name of this account"


PAGE_REFUSALS: Final[dict[Code, str]] = {
    Code.WRONG_CREDENTIALS: "This is not right. Please try again",
    Code.NEEDS_RECOVERY_KEY: "On this device it takes the recovery key",
    Code.TOO_MANY_TRIES: "Too many changes for one day. Please try again tomorrow",
    Code.UNKNOWN_DEVICE: "This device is not there any more",
    Code.EMPTY: "A name is needed",
    Code.TOO_LARGE: "This name is too long",
    Code.BAD_MANIFEST: "That takes a device which did not come in so itself",
    Code.STALE_MANIFEST: "Another device was quicker. Please try again",
    Code.MISMATCH: refusal(Code.MISMATCH),
    Code.NOTHING_TO_CONFIRM: refusal(Code.NOTHING_TO_CONFIRM),
    Code.IDENTITY_CHANGED: refusal(Code.IDENTITY_CHANGED),
    Code.BUSY: "Somebody looks for new devices already",
}


class FrameTitle(StrEnum):
    """What each frame is about."""

    HELLO = "The first word"
    SIGN_UP = "A new account"
    LOGIN_START = "Who wants to log in"
    LOGIN_PROVE = "The proof of it"
    ADD_DEVICE = "A new device"
    PROVE_DEVICE = "This device signs in"
    SYNC = "Where to go on"
    PUBLISH_PREKEYS = "Keys for new conversations"
    PUBLISH_MANIFEST = "The devices of your account"
    DELETE_ACCOUNT = "The end of your account"
    SUCCEED = "Another identity for your account"
    FETCH_VAULT = "Asking for your account's vault"
    FETCH_ACCOUNTS = "Asking for people's devices"
    FETCH_LEAVES = "Asking for the ledger"
    CLAIM = "Asking for one-time keys"
    ENVELOPES = "Keys for devices"
    SEND = "A message"
    ACCEPT = "Whose messages are wanted"
    ACK = "What has arrived"
    PING = "Still there?"
    TELL_HEALTH = "How many messages cannot be read here"
    ASK_APPROVAL = "Asking your devices to agree"
    WATCH_APPROVALS = "Looking for a device that wants to join"
    RELAY_APPROVAL = "Between your device and one that wants to join"
    END_APPROVAL = "Nothing more for a device that wants to join"
    SHOW_HEAD = "How much of the ledger this device was shown"
    OFFER_MANIFESTS = "Whom a restored server may lack"
    OFFER_VAULT = "Your vault, for a restored server"


FRAME_TITLES: Final[dict[type[ClientFrame], FrameTitle]] = {
    frames.Hello: FrameTitle.HELLO,
    frames.SignUp: FrameTitle.SIGN_UP,
    frames.LoginStart: FrameTitle.LOGIN_START,
    frames.LoginProve: FrameTitle.LOGIN_PROVE,
    frames.AddDevice: FrameTitle.ADD_DEVICE,
    frames.ProveDevice: FrameTitle.PROVE_DEVICE,
    frames.Sync: FrameTitle.SYNC,
    frames.PublishPrekeys: FrameTitle.PUBLISH_PREKEYS,
    frames.PublishManifest: FrameTitle.PUBLISH_MANIFEST,
    frames.DeleteAccount: FrameTitle.DELETE_ACCOUNT,
    frames.Succeed: FrameTitle.SUCCEED,
    frames.FetchVault: FrameTitle.FETCH_VAULT,
    frames.FetchAccounts: FrameTitle.FETCH_ACCOUNTS,
    frames.FetchLeaves: FrameTitle.FETCH_LEAVES,
    frames.Claim: FrameTitle.CLAIM,
    frames.Envelopes: FrameTitle.ENVELOPES,
    frames.Send: FrameTitle.SEND,
    frames.Accept: FrameTitle.ACCEPT,
    frames.Ack: FrameTitle.ACK,
    frames.Ping: FrameTitle.PING,
    frames.TellHealth: FrameTitle.TELL_HEALTH,
    frames.AskApproval: FrameTitle.ASK_APPROVAL,
    frames.WatchApprovals: FrameTitle.WATCH_APPROVALS,
    frames.RelayApproval: FrameTitle.RELAY_APPROVAL,
    frames.EndApproval: FrameTitle.END_APPROVAL,
    frames.ShowHead: FrameTitle.SHOW_HEAD,
    frames.OfferManifests: FrameTitle.OFFER_MANIFESTS,
    frames.OfferVault: FrameTitle.OFFER_VAULT,
}

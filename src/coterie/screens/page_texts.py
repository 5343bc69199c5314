"""What the pages say: lists that are shown over the conversation."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from coterie.base.codes import Code
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
    RENAME_ABOUT = "Your other devices, and people you write to, see this name."
    REMOVE_ABOUT = "It gets no message any more and cannot connect. What it has, it keeps."
    LOST_ABOUT = "It is removed, and all keys are made anew. Then change your password and recovery key."
    DENY_ABOUT = "It is removed like a stolen one. Then change your password and recovery key."
    DEVICE_NAME = "Name"
    PASSWORD = "Your password or passphrase, or the recovery key"


PAGE_REFUSALS: Final[dict[Code, str]] = {
    Code.WRONG_CREDENTIALS: "This is not right. Please try again",
    Code.NEEDS_RECOVERY_KEY: "On this device it takes the recovery key",
    Code.TOO_MANY_TRIES: "Too many changes for one day. Please try again tomorrow",
    Code.UNKNOWN_DEVICE: "This device is not there any more",
    Code.EMPTY: "A name is needed",
    Code.TOO_LARGE: "This name is too long",
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
    FETCH_VAULT = "Asking for your account's vault"
    FETCH_ACCOUNTS = "Asking for people's devices"
    FETCH_LEAVES = "Asking for the ledger"
    CLAIM = "Asking for one-time keys"
    ENVELOPES = "Keys for devices"
    SEND = "A message"
    ACCEPT = "Whose messages are wanted"
    ACK = "What has arrived"
    PING = "Still there?"
    ASK_APPROVAL = "Asking your devices to agree"
    WATCH_APPROVALS = "Looking for a device that wants to join"
    RELAY_APPROVAL = "Between your device and one that wants to join"
    END_APPROVAL = "Nothing more for a device that wants to join"


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
    frames.FetchVault: FrameTitle.FETCH_VAULT,
    frames.FetchAccounts: FrameTitle.FETCH_ACCOUNTS,
    frames.FetchLeaves: FrameTitle.FETCH_LEAVES,
    frames.Claim: FrameTitle.CLAIM,
    frames.Envelopes: FrameTitle.ENVELOPES,
    frames.Send: FrameTitle.SEND,
    frames.Accept: FrameTitle.ACCEPT,
    frames.Ack: FrameTitle.ACK,
    frames.Ping: FrameTitle.PING,
    frames.AskApproval: FrameTitle.ASK_APPROVAL,
    frames.WatchApprovals: FrameTitle.WATCH_APPROVALS,
    frames.RelayApproval: FrameTitle.RELAY_APPROVAL,
    frames.EndApproval: FrameTitle.END_APPROVAL,
}

"""What the pages say: lists that are shown over the conversation."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

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
    FETCH_ACCOUNTS = "Asking for people's devices"
    FETCH_LEAVES = "Asking for the ledger"
    CLAIM = "Asking for one-time keys"
    ENVELOPES = "Keys for devices"
    SEND = "A message"
    ACCEPT = "Whose messages are wanted"
    ACK = "What has arrived"
    PING = "Still there?"


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
    frames.FetchAccounts: FrameTitle.FETCH_ACCOUNTS,
    frames.FetchLeaves: FrameTitle.FETCH_LEAVES,
    frames.Claim: FrameTitle.CLAIM,
    frames.Envelopes: FrameTitle.ENVELOPES,
    frames.Send: FrameTitle.SEND,
    frames.Accept: FrameTitle.ACCEPT,
    frames.Ack: FrameTitle.ACK,
    frames.Ping: FrameTitle.PING,
}

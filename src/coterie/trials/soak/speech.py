"""What director and workers say to each other: orders one way, reports the other, one JSON object a line.

Passphrases travel in these lines; they stay in pipes between processes of one parent and are never printed.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import RemoteError
from coterie.base.quiet import Quiet
from coterie.trials.soak.texts import TextWish
from coterie.trials.talk_records import FoundMessage, HeldStore

LINE_BYTES = 64 << 20
"""A store with all its messages comes in one line."""


class SignUp(Quiet, frozen=True, tag="sign-up"):
    """passphrase: drawn before, so that whoever dies in between can still open what was made."""

    client: int
    name: str
    passphrase: str


class LogIn(Quiet, frozen=True, tag="log-in"):
    client: int
    name: str
    passphrase: str


class Say(Quiet, frozen=True, tag="say"):
    """target: "@name" or "everyone". moment: of the director, when it gave the order."""

    client: int
    target: str
    texts: tuple[TextWish, ...]
    moment: int


class Close(msgspec.Struct, frozen=True, tag="close"):
    client: int


class Open(Quiet, frozen=True, tag="open"):
    client: int
    passphrase: str


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """Say when everything that had waited on the server is here, and sent, and nothing is fetched any more:
    for these two it waits at most so long."""

    client: int
    well_seconds: float = 45.0


class MarkRead(msgspec.Struct, frozen=True, tag="mark-read"):
    client: int


class Revoke(Quiet, frozen=True, tag="revoke"):
    """Revoke another device of the account."""

    client: int
    device: bytes


class Look(Quiet, frozen=True, tag="look"):
    """Look into the store of a client that is closed. marked: (conversation, order up to which it was marked
    as read)."""

    client: int
    passphrase: str
    marked: tuple[tuple[bytes, int], ...] = ()


class Exhaust(Quiet, frozen=True, tag="exhaust"):
    """Claim one-time keys of these (account, device) until they have none left; the client is closed."""

    client: int
    passphrase: str
    devices: tuple[tuple[bytes, bytes], ...]


Order = SignUp | LogIn | Say | Close | Open | Drain | MarkRead | Revoke | Look | Exhaust


class Joined(Quiet, frozen=True, tag="joined"):
    client: int
    account: bytes
    device: bytes
    name: str
    passphrase: str


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """A client is open, with these messages in its store: a screen would show them now."""

    client: int
    device: bytes
    found: tuple[FoundMessage, ...]


class Typing(msgspec.Struct, frozen=True, tag="typing"):
    """A text is about to go into the outbox: who dies now may have it there or not."""

    client: int
    digest: bytes
    moment: int


class Typed(msgspec.Struct, frozen=True, tag="typed"):
    """A message is in the outbox."""

    client: int
    conversation: bytes
    message: bytes
    digest: bytes
    moment: int


class Acknowledged(msgspec.Struct, frozen=True, tag="acknowledged"):
    """The sender was told that a message is on the server's disk."""

    client: int
    message: bytes
    seq: int


class Delivered(msgspec.Struct, frozen=True, tag="delivered"):
    """The sender was told that a device of the other person has stored a message."""

    client: int
    message: bytes


class Arrived(msgspec.Struct, frozen=True, tag="arrived"):
    """An event said that a message of another device is here."""

    client: int
    message: bytes


class Marked(msgspec.Struct, frozen=True, tag="marked"):
    """Messages of a conversation up to this order were marked as read."""

    client: int
    conversation: bytes
    order: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """One more order is carried out, or has failed: the oldest of those given."""

    client: int


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    client: int


class Drained(msgspec.Struct, frozen=True, tag="drained"):
    """is_well: the server has all that it said, and nothing is fetched any more."""

    client: int
    is_well: bool


class Exhausted(msgspec.Struct, frozen=True, tag="exhausted"):
    """keys: one-time keys claimed; fallbacks: devices of which only the fallback key is left."""

    client: int
    keys: int
    fallbacks: int


class Looked(msgspec.Struct, frozen=True, tag="looked"):
    client: int
    held: HeldStore


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An order could not be carried out. code: of the error, or its type."""

    client: int
    what: str
    code: str


class Trouble(msgspec.Struct, frozen=True, tag="trouble"):
    """Something was logged as an error, which means a bug."""

    logger: str
    text: str


Report = (
    Arrived
    | Typing
    | Typed
    | Acknowledged
    | Delivered
    | Done
    | Joined
    | Opened
    | Marked
    | Closed
    | Drained
    | Exhausted
    | Looked
    | Failed
    | Trouble
)

Said = TypeVar("Said")

_orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
_reports: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)


def order_line(order: Order) -> bytes:
    return msgspec.json.encode(order) + b"\n"


def report_line(report: Report) -> bytes:
    return msgspec.json.encode(report) + b"\n"


def read_order(line: bytes) -> Order:
    """Raises RemoteError for anything that order_line() did not make."""
    return _read(_orders, line)


def read_report(line: bytes) -> Report:
    """Raises RemoteError for anything that report_line() did not make."""
    return _read(_reports, line)


def _read(decoder: msgspec.json.Decoder[Said], line: bytes) -> Said:
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, RecursionError, ValueError, OverflowError):
        raise RemoteError(Code.BAD_FRAME, "a line that no process of a soak says") from None

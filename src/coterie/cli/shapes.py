"""The JSON objects of the command line: scripts read them, so fields are added and never renamed.

Here those that a server prints too, which loads nothing of the client; the others stand in chat_shapes.py.
"""

from __future__ import annotations

from datetime import UTC, datetime

from coterie.base.quiet import Quiet

MOST_MS = 253_402_300_799_999
"""The last moment of the year 9999. Times are the sender's word: any number comes."""


def iso(at_ms: int) -> str:
    """UTC, ISO 8601 with milliseconds: 2026-01-31T09:00:00.250Z."""
    seconds, milliseconds = divmod(min(max(at_ms, 0), MOST_MS), 1000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"


class Shape(Quiet, frozen=True, kw_only=True, omit_defaults=True):
    """One line on standard output. Its repr shows the type only: most of them hold what somebody said."""


class ErrorShape(Shape, frozen=True, kw_only=True):
    """Any refusal. line: which line of standard input it is about."""

    error: str
    message: str
    line: int | None = None


class ReadyShape(Shape, frozen=True, kw_only=True):
    """serve, once it accepts connections. metrics: HOST:PORT, "" where nothing is told."""

    ready: bool
    listen: str
    invite: str
    metrics: str


class SettingShape(Shape, frozen=True, kw_only=True):
    """serve --check-config. setting: SECTION.KEY; value: without passwords; where: option, environment or
    file."""

    setting: str
    value: str
    where: str


class SpeakerShape(Shape, frozen=True, kw_only=True):
    """admin speaker."""

    speaker: str
    speaks: bool


class IdentityShape(Shape, frozen=True, kw_only=True):
    """admin rotate-identity. identity: id of the new one, in hex."""

    identity: str


class CheckShape(Shape, frozen=True, kw_only=True):
    """admin check: one for each fault that was found, or that there is none."""

    sound: bool
    fault: str | None = None


class CopyShape(Shape, frozen=True, kw_only=True):
    """admin backup, admin restore. copy: the file, "" for a PostgreSQL; made: when; people: how many accounts
    it holds."""

    copy: str
    made: str
    people: int


class CarriedShape(Shape, frozen=True, kw_only=True):
    """admin copy. rows: how many the new database has, each compared with what was in the file."""

    rows: int


class ResetCodeShape(Shape, frozen=True, kw_only=True):
    """admin reset. expires: until when the code is good."""

    reset: str
    code: str
    expires: str


class LogShape(Shape, frozen=True, kw_only=True):
    """serve: one log record. trace: where it happened, of errors only."""

    log: str
    logger: str
    message: str
    time: str
    trace: str = ""

"""What a server says while it runs: one line per record, as text or as JSON."""

from __future__ import annotations

import logging
import os
import sys

from coterie.cli.output import as_line
from coterie.cli.shapes import LogShape, iso


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return as_line(
            LogShape(
                log=record.levelname.lower(),
                logger=record.name,
                message=record.getMessage(),
                time=_time(record),
                trace=_trace(self, record),
            )
        )


class _TextLines(logging.Formatter):
    """Under journald, which has its own, without times."""

    def format(self, record: logging.LogRecord) -> str:
        time = "" if "JOURNAL_STREAM" in os.environ else f"{_time(record)} "
        trace = _trace(self, record)
        line = f"{time}{record.levelname.lower()} {record.name}: {record.getMessage()}"
        return f"{line}\n{trace}" if trace else line


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    failed = record.exc_info is not None and record.exc_info[1] is not None
    return formatter.formatException(record.exc_info) if failed and record.exc_info else ""


def _time(record: logging.LogRecord) -> str:
    return iso(int(record.created * 1000))


class ServerLogs:
    """On standard error; where all of standard output is JSON, they follow the ready object there."""

    def __init__(self, *, as_json: bool, follows: bool, verbose: bool) -> None:
        self._follows = follows
        self._handler = logging.StreamHandler(sys.stderr)
        self._handler.setFormatter(_JsonLines() if as_json else _TextLines())
        logger = logging.getLogger("coterie")
        logger.handlers = [self._handler]
        logger.propagate = False
        logger.setLevel(logging.DEBUG if verbose else logging.INFO)

    def ready(self) -> None:
        """The ready object is out. Where nobody reads standard output any more, the server goes on."""
        if self._follows:
            logging.raiseExceptions = False
            self._handler.setStream(sys.stdout)

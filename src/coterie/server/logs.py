"""Logs: one line per record on stderr, as text or as JSON. No names, texts or addresses of people."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _TextLines(logging.Formatter):
    def __init__(self, *, with_time: bool) -> None:
        super().__init__()
        self._with_time = with_time

    def format(self, record: logging.LogRecord) -> str:
        parts = [_time(record)] if self._with_time else []
        parts += [record.levelname.lower(), f"{record.name}:", record.getMessage()]
        if record.exc_info:
            parts.append("\n" + self.formatException(record.exc_info))
        return " ".join(parts)


def configure_logs(*, as_json: bool = False, level: int = logging.INFO) -> None:
    """Send coterie's logs to stderr; under journald, which has its own, without times."""
    handler = logging.StreamHandler(sys.stderr)
    with_time = "JOURNAL_STREAM" not in os.environ
    handler.setFormatter(_JsonLines() if as_json else _TextLines(with_time=with_time))
    logger = logging.getLogger("coterie")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False


def _time(record: logging.LogRecord) -> str:
    """UTC, ISO 8601 with milliseconds."""
    moment = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

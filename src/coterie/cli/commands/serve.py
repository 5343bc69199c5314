"""`coterie serve`: a server, until it is told to end. Loads nothing that could read a message."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path

import platformdirs

from coterie.base.clock import SystemClock
from coterie.cli.arguments import Arguments, UsageError
from coterie.cli.failures import Exit
from coterie.cli.output import Output, as_line
from coterie.cli.shapes import LogShape, ReadyShape, iso
from coterie.server.settings import ReadyLine, ServerSettings

DEFAULT_LISTEN = "127.0.0.1:4433"
_PORTS = 1 << 16


def run(given: Arguments, output: Output) -> int:
    settings = _settings(given)
    _set_up_logging(output, verbose=given.verbose)

    def ready(line: ReadyLine) -> None:
        shape = ReadyShape(ready=True, listen=line.listen, invite=line.invite, metrics=line.metrics)
        output.show(shape, "")
        if given.ready_fd is not None:
            _write(given.ready_fd, as_line(shape))
        if not output.as_json:
            _tell(line, output)

    from coterie.server.serve import serve

    serve(settings, ready)
    return Exit.DONE


def _settings(given: Arguments) -> ServerSettings:
    """Raises UsageError."""
    host, _, port = (given.listen or DEFAULT_LISTEN).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) >= _PORTS:
        raise UsageError("", "--listen takes HOST:PORT; port 0 is any free one")
    return ServerSettings(
        data=given.data or Path(platformdirs.user_data_path("coterie-server", appauthor=False)),
        host=host.strip("[]"),
        port=int(port),
        cert=given.cert,
        key=given.key,
        open_signup=given.open_sign_up,
    )


def _write(handle: int, line: str) -> None:
    """Raises UsageError where nothing can be written there."""
    try:
        with os.fdopen(handle, "w", encoding="ascii") as ready:
            ready.write(line + "\n")
    except OSError as error:
        raise UsageError("", f"--ready-fd: {error.strerror}") from None


def _tell(line: ReadyLine, output: Output) -> None:
    """Where it is and how people get in; on a terminal also as a picture for a camera."""
    output.line(f"coterie is open at {line.listen}. Invite people with this link:\n\n  {line.invite}\n")
    if sys.stdout.isatty():
        import segno

        segno.make(line.invite, micro=False).terminal(out=sys.stdout, compact=True)
        sys.stdout.flush()


class _JsonLines(logging.Handler):
    """Log records after the ready object. Where nobody reads them any more, the server goes on without."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = SystemClock()

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
        line = as_line(
            LogShape(
                log=record.levelname.lower(),
                logger=record.name,
                message=record.getMessage(),
                time=iso(self._clock.wall_ms()),
                trace=trace,
            )
        )
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            logging.getLogger().removeHandler(self)


def _set_up_logging(output: Output, *, verbose: bool) -> None:
    """Everything the server has to say: on standard error, in JSON on standard output."""
    handler = _JsonLines() if output.as_json else logging.StreamHandler()
    if not output.as_json:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("coterie").setLevel(logging.DEBUG if verbose else logging.INFO)

"""`coterie serve`: a server, until it is told to end. Loads nothing that could read a message."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import platformdirs

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.cli.arguments import Arguments
from coterie.cli.configuration import DEFAULT_LISTEN, DEFAULT_METRICS, Said, configure, write_template
from coterie.cli.failures import Exit, exit_of, refuse
from coterie.cli.output import Output, as_line
from coterie.cli.parser import KEEP_DAYS, UsageError
from coterie.cli.server_logs import ServerLogs
from coterie.cli.shapes import ReadyShape, SettingShape
from coterie.server.certificate import tls_context
from coterie.server.serve import run as serve
from coterie.server.settings import ReadyLine, ServerSettings
from coterie.server.store.address import require_address
from coterie.server.wakeups.address import require_buses
from coterie.server.workers import MOST, run_workers

NOWHERE = "off"
_PORTS = 1 << 16


def run(given: Arguments, output: Output) -> int:
    said = [] if given.worker else configure(given, os.environ, data_folder)
    settings = _settings(given)
    if given.check_config:
        return _checked(settings, said, output)
    if not given.worker:
        write_template(settings.data)
    json_lines = given.log_format == "json" or (given.log_format is None and output.as_json)
    logs = ServerLogs(as_json=json_lines, follows=json_lines and output.as_json, verbose=given.verbose)

    def ready(line: ReadyLine) -> None:
        if settings.worker:
            print(msgspec.json.encode(line).decode(), flush=True)
            return
        shape = ReadyShape(ready=True, listen=line.listen, invite=line.invite, metrics=line.metrics)
        output.show(shape, "")
        if given.ready_fd is not None:
            _write(given.ready_fd, as_line(shape))
        if not output.as_json:
            _tell(line, output)
        logs.ready()

    def command(number: int, place: str) -> list[str]:
        """A worker is told all that this one was, and its number."""
        told = [sys.executable, "-m", "coterie.cli", *_words(given, as_json=json_lines), "--listen", place]
        return [*told, "--worker", str(number)]

    try:
        if given.workers is not None and given.workers > 1:
            run_workers(settings, given.workers, command, ready)
        else:
            serve(settings, ready)
    except Unavailable as error:
        if error.code is not Code.UNREACHABLE:
            raise
        refuse(error.code.value, error.note, output)
        return exit_of(error)
    return Exit.DONE


def data_folder(given: Arguments) -> Path:
    """Where the server's data lie."""
    return given.data or Path(platformdirs.user_data_path("coterie-server", appauthor=False))


def _checked(settings: ServerSettings, said: list[Said], output: Output) -> int:
    """What was said, once it can be used. Raises Refused(usage)."""
    if settings.database:
        require_address(settings.database)
    if settings.wakeups:
        require_buses(settings.wakeups)
    if settings.cert is not None:
        tls_context(settings.cert, settings.key)
    for each in said:
        shape = SettingShape(setting=each.name, value=each.value, where=each.where)
        output.show(shape, f"{each.name} = {each.value}  ({each.where})")
    output.tell("All of it can be used.")
    return Exit.DONE


def _settings(given: Arguments) -> ServerSettings:
    """Raises UsageError."""
    workers = given.workers or 1
    if workers > 1 and not given.database:
        raise UsageError("", "--workers needs --database: a file has one server")
    if given.wakeups and not given.database:
        raise UsageError("", "--wakeups needs --database: a file has one server")
    if workers > MOST:
        raise UsageError("", f"--workers takes {MOST} at most")
    host, port = _place("--listen", given.listen or DEFAULT_LISTEN)
    metrics_host, metrics_port = "", None
    if given.metrics != NOWHERE:
        metrics_host, metrics_port = _place("--metrics", given.metrics or DEFAULT_METRICS)
    if given.worker and metrics_port:
        metrics_port += given.worker - 1
    return ServerSettings(
        data=data_folder(given),
        database=given.database or "",
        wakeups=given.wakeups or "",
        blobs=given.blobs or "",
        host=host,
        port=port,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        cert=given.cert,
        key=given.key,
        open_signup=given.open_sign_up,
        kept_longer_ms=(given.keep_days or KEEP_DAYS) * limits.DAY_MS - limits.KEEP_ENTRY_MS,
        worker=given.worker,
    )


def _words(given: Arguments, *, as_json: bool) -> list[str]:
    """The command line of a worker."""
    options = (
        ("--data", str(data_folder(given))),
        ("--database", given.database),
        ("--wakeups", given.wakeups),
        ("--blobs", given.blobs),
        ("--cert", given.cert),
        ("--key", given.key),
        ("--keep-days", given.keep_days),
        ("--metrics", given.metrics),
        ("--log-format", "json" if as_json else "text"),
    )
    words = ["serve"]
    for name, value in options:
        words += [] if value is None else [name, str(value)]
    if given.open_sign_up is not None:
        words.append("--open-signup" if given.open_sign_up else "--invite-only")
    return [*words, "--verbose"] if given.verbose else words


def _place(option: str, text: str) -> tuple[str, int]:
    """Host and port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) >= _PORTS:
        raise UsageError("", f"{option} takes HOST:PORT; port 0 is any free one")
    return host.strip("[]"), int(port)


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

"""What the command line takes. Loads nothing but argparse, so that --help is there at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from coterie.base.version import VERSION
from coterie.cli import (
    account_arguments,
    backup_arguments,
    device_arguments,
    operator_arguments,
    person_arguments,
)
from coterie.cli.parser import Parser, command, everywhere, natural, seconds

SEND_SECONDS = 10.0
HISTORY = 200
FOUND = 50


class Arguments(argparse.Namespace):
    """Everything that may be given; the values here count where nothing is."""

    command: str | None = None
    # anywhere
    home: Path | None = None
    profile: str | None = None
    json: bool = False
    verbose: bool = False
    password_file: str | None = None
    # the app
    desktop: bool = False
    terminal: bool = False
    app_server: str = ""
    # signup, login
    name: str = ""
    server: str = ""
    generate_passphrase: bool = False
    wrap_with_password: bool = False
    device_name: str = ""
    recovery_key_file: str | None = None
    approve: bool = False
    new_identity: bool = False
    reset_code_file: str | None = None
    # send, read
    target: str = ""
    text: str | None = None
    lines: bool = False
    timeout_seconds: float = SEND_SECONDS
    limit: int | None = None
    before: str | None = None
    # listen
    count: int | None = None
    for_seconds: float | None = None
    # search
    words: Sequence[str] = ()
    # serve
    data: Path | None = None
    database: str | None = None
    blobs: str | None = None
    listen: str | None = None
    cert: Path | None = None
    key: Path | None = None
    open_sign_up: bool | None = None
    ready_fd: int | None = None
    metrics: str | None = None
    log_format: str | None = None
    wakeups: str | None = None
    workers: int | None = None
    keep_days: int | None = None
    check_config: bool = False
    worker: int = 0
    # admin
    remove: bool = False
    copy: Path | None = None
    # verify
    safety_number: bool = False
    qr_text: str | None = None
    qr_file: str | None = None
    numbers_match: bool = False
    forget: bool = False
    accept_new: bool = False
    send_queued: bool = False
    drop_queued: bool = False
    confirm_device: str | None = None
    # doctor
    tell_server: str | None = None
    # devices
    device_id: str = ""
    new_name: str = ""
    lost: bool = False
    code: str | None = None
    # devices, ledger, backup, restore, verify-backup
    action: str = ""
    file: str = ""
    # passwd, recovery, sign-out, delete-account
    new_password_file: str | None = None
    wrap: str | None = None
    wipe: bool | None = None
    offline: bool = False
    yes: bool = False
    # bench, soak and torture
    seed: int | None = None
    scale: str = "full"
    markdown: bool = False
    only: Sequence[str] = ()
    against: str = ""
    # soak, torture and overload; without: as each has it
    trial_seconds: float | None = None
    clients: int | None = None
    # torture
    on: str = "sqlite"
    faults: str = "all"
    charts: Path | None = None
    plan: Path | None = None
    shrink: int = operator_arguments.TORTURE_TRIES


def parse(argv: Sequence[str]) -> Arguments:
    """Raises UsageError; exits for --help and --version."""
    given = Arguments()
    parser = _parser()
    rest = parser.parse_args(argv, given)
    _check(parser, rest)
    return rest


def _check(parser: Parser, given: Arguments) -> None:
    if given.desktop and given.terminal:
        parser.error("--desktop and --terminal: only one of them")
    if given.command is not None and (given.desktop or given.terminal):
        parser.error("--desktop and --terminal open the app: give them without a command")
    if given.command == "send":
        if given.lines and given.text not in (None, "-"):
            parser.error("with --lines the messages come from standard input")
        if given.password_file == "-" and (given.lines or given.text == "-"):
            parser.error("the password and the text cannot both come from standard input")
    if given.command == "search" and not "".join(given.words).strip():
        parser.error("give at least one word to search for")
    if given.command == "passwd":
        _check_passwd(parser, given)
    if given.command == "signup" and given.generate_passphrase and given.password_file is not None:
        parser.error("--generate-passphrase makes the password: leave --password-file away")
    _check_secrets(parser, given)
    copies = given.command == "admin" and given.action in ("backup", "restore")
    if copies and (given.copy is None) == (given.database is None):
        parser.error("name the copy, or the --database, and not both")
    if (given.cert is None) != (given.key is None):
        parser.error("--cert and --key belong together")


def _check_secrets(parser: Parser, given: Arguments) -> None:
    if given.generate_passphrase and given.wrap_with_password:
        parser.error(
            "--wrap-with-password is for a password of your own; a generated passphrase needs it not"
        )
    files = (("code", given.qr_file), ("code", given.code), ("recovery key", given.recovery_key_file))
    for what, file in files:
        if file == "-" and given.password_file == "-":
            parser.error(f"the password and the {what} cannot both come from standard input")
    _check_doors(parser, given)


def _check_passwd(parser: Parser, given: Arguments) -> None:
    if given.generate_passphrase and given.new_password_file is not None:
        parser.error("--generate-passphrase makes the new password: leave --new-password-file away")
    if given.new_password_file == "-" and given.password_file == "-":
        parser.error("both passwords cannot come from standard input")


def _check_doors(parser: Parser, given: Arguments) -> None:
    """What a device comes in by."""
    if given.approve and given.recovery_key_file is not None:
        parser.error("--approve and --recovery-key-file: one of them is enough")


@cache
def _parser() -> Parser:
    """Made once: it keeps nothing of what it parses."""
    parser = Parser(
        prog="coterie",
        description="End-to-end encrypted chat. Without a command: opens the app.",
        epilog=(
            "Exit codes: 0 done, 1 refused, 2 usage, 3 unavailable, 4 security stop.\n"
            "Passwords are asked for, or read from --password-file or $COTERIE_PASSWORD_FILE."
        ),
    )
    parser.add_argument("--version", action="version", version=f"coterie {VERSION}")
    everywhere(parser)
    parser.add_argument("--desktop", action="store_true", help="open the window")
    parser.add_argument("--terminal", action="store_true", help="open the terminal app")
    parser.add_argument(
        "--server", dest="app_server", metavar="INVITE", help="invite or HOST:PORT for the first screen"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    operator_arguments.serve(command(commands, "serve", "run a server; makes all it needs"))
    _sign_up(command(commands, "signup", "make an account, with this machine as its first device"))
    _log_in(command(commands, "login", "make this machine a device of an existing account"))
    _send(command(commands, "send", "send a message and wait until the server has it on disk"))
    _listen(command(commands, "listen", "print what comes, what waited first"))
    _read(command(commands, "read", "print messages of a conversation from this machine's store"))
    command(commands, "people", "list everybody on this server")
    doctor = command(commands, "doctor", "say how this profile is: its store, and what cannot be read here")
    doctor.add_argument(
        "--tell-server",
        choices=("on", "off"),
        help="from now on tell whoever runs the server how many messages cannot be read here (off)",
    )
    person_arguments.verify(command(commands, "verify", "know that somebody is who they seem to be"))
    device_arguments.devices(command(commands, "devices", "list the devices of this account, or change one"))
    search = command(commands, "search", "find messages on this machine, newest first")
    search.add_argument(
        "words", nargs="+", metavar="WORD", help="all of them, the last one may be a beginning"
    )
    search.add_argument("--limit", type=natural, metavar="N", help=f"at most N messages ({FOUND})")
    account_arguments.add(commands)
    backup_arguments.add(commands)
    operator_arguments.others(commands)
    return parser


def _sign_up(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--server", required=True, metavar="INVITE_OR_HOST:PORT")
    parser.add_argument(
        "--generate-passphrase", action="store_true", help="make six words, print them, and use them"
    )
    parser.add_argument(
        "--wrap-with-password",
        action="store_true",
        help="log in elsewhere with this password alone (whoever holds the server can try to guess it)",
    )
    parser.add_argument(
        "--new-identity", action="store_true", help="begin a name anew by a code of the server's operator"
    )
    parser.add_argument("--reset-code-file", metavar="FILE", help="holds that code; - is standard input")
    parser.add_argument("--device-name", metavar="TEXT", help="how your other devices list this one")


def _log_in(parser: Parser) -> None:
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--server", required=True, metavar="INVITE_OR_HOST:PORT")
    parser.add_argument("--recovery-key-file", metavar="FILE", help="holds the 24 words; - is standard input")
    parser.add_argument("--approve", action="store_true", help="wait for an existing device to agree")
    parser.add_argument("--device-name", metavar="TEXT", help="how your other devices list this one")


def _send(parser: Parser) -> None:
    parser.epilog = (
        "To everyone, a text that begins with @NAME goes to that person alone, and is refused where nobody\n"
        'has this name. "coterie send \'@bob hi\'" is the same as "coterie send @bob hi".\n'
        "A message that is not acknowledged in time stays in the outbox (exit code 3) and goes with the\n"
        "next connection."
    )
    parser.add_argument("target", metavar="TARGET", help="@NAME or everyone")
    parser.add_argument("text", nargs="?", metavar="TEXT", help="- is standard input")
    parser.add_argument(
        "--lines", action="store_true", help="each line of standard input is a message; empty ones are none"
    )
    parser.add_argument(
        "--timeout",
        dest="timeout_seconds",
        type=seconds,
        metavar="SECONDS",
        help=f"how long to wait for the server ({SEND_SECONDS:g})",
    )


def _listen(parser: Parser) -> None:
    parser.add_argument("--count", type=natural, metavar="N", help="end after N messages")
    parser.add_argument(
        "--for", dest="for_seconds", type=seconds, metavar="SECONDS", help="end after this time"
    )


def _read(parser: Parser) -> None:
    parser.add_argument("target", metavar="TARGET", help="@NAME or everyone")
    parser.add_argument("--limit", type=natural, metavar="N", help=f"the newest N messages ({HISTORY})")
    parser.add_argument("--before", metavar="ID", help="only messages before this one")

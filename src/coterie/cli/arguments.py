"""What the command line takes. Loads nothing but argparse, so that --help is there at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from coterie.cli.version import VERSION

SEND_SECONDS = 10.0
HISTORY = 200
FOUND = 50
SOAK_SECONDS = 600.0
SOAK_CLIENTS = 20


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
    listen: str | None = None
    cert: Path | None = None
    key: Path | None = None
    open_sign_up: bool | None = None
    ready_fd: int | None = None
    # admin
    remove: bool = False
    # devices
    device_id: str = ""
    # devices, ledger
    action: str = ""
    file: str = ""
    # bench and soak
    seed: int | None = None
    scale: str = "full"
    markdown: bool = False
    only: Sequence[str] = ()
    # soak
    soak_seconds: float = SOAK_SECONDS
    clients: int = SOAK_CLIENTS


class UsageError(Exception):
    """The command line makes no sense. usage: how to call it; hint: what is wrong."""

    def __init__(self, usage: str, hint: str) -> None:
        super().__init__(hint)
        self.usage = usage
        self.hint = hint


class Parser(argparse.ArgumentParser):
    """Reports instead of exiting, takes no abbreviations, and sets only what was given."""

    def __init__(self, **settings: object) -> None:
        super().__init__(
            allow_abbrev=False,
            argument_default=argparse.SUPPRESS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **settings,  # type: ignore[arg-type]  # argparse has no type for all of its settings together
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(self.format_usage(), message)


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
    if given.generate_passphrase and given.password_file is not None:
        parser.error("--generate-passphrase makes the password: leave --password-file away")
    if given.generate_passphrase and given.wrap_with_password:
        parser.error(
            "--wrap-with-password is for a password of your own; a generated passphrase needs it not"
        )
    if given.recovery_key_file == "-" and given.password_file == "-":
        parser.error("the password and the recovery key cannot both come from standard input")
    if (given.cert is None) != (given.key is None):
        parser.error("--cert and --key belong together")


def _parser() -> Parser:
    parser = Parser(
        prog="coterie",
        description="End-to-end encrypted chat. Without a command: opens the app.",
        epilog=(
            "Exit codes: 0 done, 1 refused, 2 usage, 3 unavailable, 4 security stop.\n"
            "Passwords are asked for, or read from --password-file or $COTERIE_PASSWORD_FILE."
        ),
    )
    parser.add_argument("--version", action="version", version=f"coterie {VERSION}")
    _everywhere(parser)
    parser.add_argument("--desktop", action="store_true", help="open the window")
    parser.add_argument("--terminal", action="store_true", help="open the terminal app")
    parser.add_argument(
        "--server", dest="app_server", metavar="INVITE", help="invite or HOST:PORT for the first screen"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    _serve(_command(commands, "serve", "run a server; makes all it needs"))
    _sign_up(_command(commands, "signup", "make an account, with this machine as its first device"))
    _log_in(_command(commands, "login", "make this machine a device of an existing account"))
    _send(_command(commands, "send", "send a message and wait until the server has it on disk"))
    _listen(_command(commands, "listen", "print what comes, what waited first"))
    _read(_command(commands, "read", "print messages of a conversation from this machine's store"))
    _command(commands, "people", "list everybody on this server")
    _devices(_command(commands, "devices", "list the devices of this account, or answer for one"))
    search = _command(commands, "search", "find messages on this machine, newest first")
    search.add_argument(
        "words", nargs="+", metavar="WORD", help="all of them, the last one may be a beginning"
    )
    search.add_argument("--limit", type=_natural, metavar="N", help=f"at most N messages ({FOUND})")
    _admin(_command(commands, "admin", "for whoever runs a server"))
    _ledger(_command(commands, "ledger", "what the server's ledger says, for anybody to check"))
    _bench(_command(commands, "bench", "measure how fast this coterie is on this machine"))
    _soak(_command(commands, "soak", "try coterie: many clients, many days, and a check of what they got"))
    return parser


def _command(commands: argparse._SubParsersAction[Parser], name: str, does: str) -> Parser:
    parser = commands.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
    _everywhere(parser)
    return parser


def _everywhere(parser: Parser) -> None:
    """What may stand before and after the command."""
    parser.add_argument("--home", type=Path, metavar="DIR", help="where profiles lie ($COTERIE_HOME)")
    parser.add_argument("--profile", metavar="NAME", help="which profile, where the home holds several")
    parser.add_argument("--json", action="store_true", help="one JSON object per line on standard output")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")
    parser.add_argument(
        "--password-file", metavar="FILE", help="its first line is the password; - is standard input"
    )


def _serve(parser: Parser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where everything of the server lies")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to accept connections")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="TLS certificate chain, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key, PEM")
    door = parser.add_mutually_exclusive_group()
    door.add_argument("--open-signup", dest="open_sign_up", action="store_true", help="anybody may sign up")
    door.add_argument(
        "--invite-only", dest="open_sign_up", action="store_false", help="only who holds an invite may"
    )
    parser.add_argument(
        "--ready-fd", type=_natural, metavar="N", help="write the ready object to this file descriptor"
    )


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
        type=_seconds,
        metavar="SECONDS",
        help=f"how long to wait for the server ({SEND_SECONDS:g})",
    )


def _listen(parser: Parser) -> None:
    parser.add_argument("--count", type=_natural, metavar="N", help="end after N messages")
    parser.add_argument(
        "--for", dest="for_seconds", type=_seconds, metavar="SECONDS", help="end after this time"
    )


def _read(parser: Parser) -> None:
    parser.add_argument("target", metavar="TARGET", help="@NAME or everyone")
    parser.add_argument("--limit", type=_natural, metavar="N", help=f"the newest N messages ({HISTORY})")
    parser.add_argument("--before", metavar="ID", help="only messages before this one")


def _devices(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser)
    does = "say of a device that came to this account: that was me"
    parser.set_defaults(action="")
    confirm = actions.add_parser("confirm", help=does, description=does)
    _everywhere(confirm)
    confirm.add_argument("device_id", metavar="ID", help="as coterie devices and coterie listen print it")


def _admin(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    sees = _command(actions, "sees", "print every row that the server holds about a person, and why")
    speaker = _command(actions, "speaker", "let somebody post to everyone above 1000 devices")
    speaker.add_argument("--remove", action="store_true", help="no longer")
    for each in (sees, speaker):
        each.add_argument("name", metavar="NAME")
        each.add_argument("--data", type=Path, metavar="DIR", help="the server's data folder")


def _ledger(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    audit = _command(actions, "audit", "check a ledger file; needs no account and no network")
    proof = _command(
        actions, "proof", "write all that this device holds of its server's ledger into a new file"
    )
    for each in (audit, proof):
        each.add_argument("file", metavar="FILE", help="- is standard input or output")


def _bench(parser: Parser) -> None:
    parser.epilog = (
        "Uses temporary folders and loopback alone, and no profile of yours. Ten minutes, or --quick."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick", dest="scale", action="store_const", const="quick", help="a look that takes under a minute"
    )
    size.add_argument(
        "--scale", choices=("full", "quick", "tiny"), help="full; tiny only shows that everything runs"
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="one group of figures, such as server.direct"
    )
    parser.add_argument("--seed", type=_natural, metavar="N", help="printed with the figures (1)")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/performance.md")


def _soak(parser: Parser) -> None:
    parser.epilog = "All of it lies in a folder of its own, which is removed where all is well."
    parser.add_argument(
        "--seconds",
        dest="soak_seconds",
        type=_seconds,
        metavar="S",
        help=f"how long they talk ({SOAK_SECONDS:g})",
    )
    parser.add_argument(
        "--clients", type=_natural, metavar="N", help=f"how many there are at first ({SOAK_CLIENTS})"
    )
    parser.add_argument("--seed", type=_natural, metavar="X", help="draws the same plan again (a random one)")


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


_natural.__name__ = "number"
_seconds.__name__ = "number of seconds"

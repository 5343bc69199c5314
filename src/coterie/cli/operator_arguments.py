"""What the commands take that are for whoever runs a server, or tries one."""

from __future__ import annotations

import argparse
from pathlib import Path

from coterie.cli.parser import (
    KEEP_DAYS,
    Parser,
    blobs_url,
    command,
    count,
    database_url,
    keep_days,
    nats_urls,
    natural,
    seconds,
)

SOAK_SECONDS = 600.0
SOAK_CLIENTS = 20
OVERLOAD_SECONDS = 60.0
OVERLOAD_CLIENTS = 400
TORTURE_SECONDS = 120.0
TORTURE_CLIENTS = 10
TORTURE_TRIES = 6


def others(commands: argparse._SubParsersAction[Parser]) -> None:
    """The commands beside serve."""
    _admin(command(commands, "admin", "for whoever runs a server"))
    _ledger(command(commands, "ledger", "what the server's ledger says, for anybody to check"))
    _bench(command(commands, "bench", "measure how fast this coterie is on this machine"))
    _soak(command(commands, "soak", "try coterie: many clients, many days, and a check of what they got"))
    _overload(command(commands, "overload", "offer a server three times what it takes, and see what it does"))
    _torture(command(commands, "torture", "try to make coterie lose something, by breaking all around it"))


def serve(parser: Parser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where everything of the server lies")
    parser.add_argument(
        "--database",
        type=database_url,
        metavar="URL",
        help="postgresql://USER@HOST/NAME, not a file in DIR; the password belongs in ~/.pgpass",
    )
    parser.add_argument(
        "--blobs",
        type=blobs_url,
        metavar="URL",
        help="s3://BUCKET/PREFIX for sealed files, not a folder in DIR",
    )
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to accept connections")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="TLS certificate chain, PEM")
    parser.add_argument("--key", type=Path, metavar="FILE", help="its private key, PEM")
    door = parser.add_mutually_exclusive_group()
    door.add_argument("--open-signup", dest="open_sign_up", action="store_true", help="anybody may sign up")
    door.add_argument(
        "--invite-only", dest="open_sign_up", action="store_false", help="only who holds an invite may"
    )
    parser.add_argument(
        "--ready-fd", type=natural, metavar="N", help="write the ready object to this file descriptor"
    )
    parser.add_argument(
        "--metrics",
        metavar="HOST:PORT",
        help="where to tell health and metrics, without TLS (127.0.0.1:0); off: nowhere",
    )
    parser.add_argument(
        "--log-format", choices=("text", "json"), help="one line, or one JSON object, for each log record"
    )

    parser.add_argument(
        "--keep-days",
        type=keep_days,
        metavar="N",
        help=f"how long to keep what a device has not fetched ({KEEP_DAYS}, which is the least)",
    )
    parser.add_argument(
        "--wakeups",
        type=nats_urls,
        metavar="URL[,URL]",
        help="a NATS by which servers of one database wake each other; without, the database does it",
    )
    parser.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="processes on one port, with --database; one that ends is started again (1)",
    )
    parser.add_argument("--worker", type=natural, help=argparse.SUPPRESS)
    parser.add_argument(
        "--check-config",
        action="store_true",
        help="say what server.toml, environment and options come to, whether it can be used, and end",
    )


def _admin(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    sees = command(actions, "sees", "print every row that the server holds about a person, and why")
    speaker = command(actions, "speaker", "let somebody post to everyone above 1000 devices")
    speaker.add_argument("--remove", action="store_true", help="no longer")
    rotate = command(
        actions, "rotate-identity", "give the stopped server another identity, signed by the one it has"
    )
    reset = command(actions, "reset", "make a code by which somebody who has lost everything begins anew")
    check = command(actions, "check", "look at every page and row of the server's database; changes nothing")
    backup = command(actions, "backup", "copy all that the server has, running or not, into one file")
    restore = command(
        actions, "restore", "put a copy back, while the server is stopped; --database: say that it is one"
    )
    copy = command(
        actions, "copy", "carry a stopped server over from its file to a PostgreSQL; sees each row"
    )
    copy.add_argument(
        "--database",
        type=database_url,
        required=True,
        metavar="URL",
        help="postgresql://USER@HOST/NAME, an empty one",
    )
    for each in (sees, speaker, reset, rotate, check, backup, restore):
        each.add_argument(
            "--database", type=database_url, metavar="URL", help="where the data lies in a PostgreSQL"
        )
    for each in (backup, restore):
        each.add_argument(
            "copy",
            type=Path,
            nargs="?",
            default=None,
            metavar="FILE_OR_DIR",
            help="the copy, or the folder of copies; none with --database, whose copies are its own business",
        )
    for each in (sees, speaker, reset):
        each.add_argument("name", metavar="NAME")
    for each in (sees, speaker, reset, rotate, check, backup, restore, copy):
        each.add_argument("--data", type=Path, metavar="DIR", help="the server's data folder")


def _ledger(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    audit = command(
        actions,
        "audit",
        "check a ledger file, or what a server shows to anybody, also against what this home has seen",
    )
    proof = command(
        actions, "proof", "write all that this device holds of its server's ledger into a new file"
    )
    audit.add_argument(
        "file", metavar="FILE_OR_SERVER", help="- is standard input; a server: invite, or HOST:PORT"
    )
    proof.add_argument("file", metavar="FILE", help="- is standard output")


def _bench(parser: Parser) -> None:
    parser.epilog = (
        "Uses temporary folders and loopback alone, and no profile of yours. Takes its time, and 9 GB; or"
        " --quick."
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        dest="scale",
        action="store_const",
        const="quick",
        help="a look, in two or three minutes",
    )
    size.add_argument(
        "--scale", choices=("full", "quick", "tiny"), help="full; tiny only shows that everything runs"
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="one group of figures, such as server.direct"
    )
    parser.add_argument(
        "--on",
        metavar="LIST",
        help="where the servers' data lies: sqlite, postgres, cluster, or several of them (sqlite)",
    )
    parser.add_argument(
        "--against",
        metavar="LIST",
        help="beside other servers that are installed here: mosquitto,ejabberd,prosody,synapse",
    )
    parser.add_argument("--seed", type=natural, metavar="N", help="printed with the figures (1)")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/performance.md")
    parser.add_argument(
        "--charts", type=Path, metavar="DIR", help="write latency against load and cost against size as SVG"
    )


def _soak(parser: Parser) -> None:
    parser.epilog = "All of it lies in a folder of its own, which is removed where all is well."
    _talk(parser, SOAK_SECONDS, SOAK_CLIENTS)


def _overload(parser: Parser) -> None:
    parser.epilog = "Uses a temporary folder and loopback alone. What waits at the end is waited for."
    parser.add_argument(
        "--seconds",
        dest="trial_seconds",
        type=seconds,
        metavar="S",
        help=f"how long too much is offered ({OVERLOAD_SECONDS:g})",
    )
    parser.add_argument(
        "--clients", type=natural, metavar="N", help=f"how many speak, each to one other ({OVERLOAD_CLIENTS})"
    )


def _torture(parser: Parser) -> None:
    parser.epilog = "All of it lies in a folder of its own, which is removed where all is well."
    _talk(parser, TORTURE_SECONDS, TORTURE_CLIENTS)
    parser.add_argument(
        "--on",
        choices=("sqlite", "postgres", "cluster"),
        help="one server and its file (as it is without), one and a PostgreSQL, or two of each and a NATS",
    )
    parser.add_argument(
        "--faults", metavar="LIST", help="all (as it is without), none, or some: kill-server,cut,..."
    )
    parser.add_argument("--plan", type=Path, metavar="FILE", help="play the faults that a run wrote there")
    parser.add_argument(
        "--shrink",
        type=natural,
        metavar="N",
        help=f"where it fails, try up to N times with fewer faults ({TORTURE_TRIES})",
    )


def _talk(parser: Parser, default_seconds: float, default_clients: int) -> None:
    parser.add_argument(
        "--seconds",
        dest="trial_seconds",
        type=seconds,
        metavar="S",
        help=f"how long they talk ({default_seconds:g})",
    )
    parser.add_argument(
        "--clients", type=natural, metavar="N", help=f"how many there are at first ({default_clients})"
    )
    parser.add_argument("--seed", type=natural, metavar="X", help="draws the same plan again (a random one)")

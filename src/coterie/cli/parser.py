"""The parser every command is made with, and what may stand anywhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

KEEP_DAYS = 30
"""Never less than that: limits.KEEP_ENTRY_MS, which clients go by."""
MOST_KEEP_DAYS = 3650


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


def command(commands: argparse._SubParsersAction[Parser], name: str, does: str) -> Parser:
    parser = commands.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
    everywhere(parser)
    return parser


def everywhere(parser: Parser) -> None:
    """What may stand before and after the command."""
    parser.add_argument("--home", type=Path, metavar="DIR", help="where profiles lie ($COTERIE_HOME)")
    parser.add_argument("--profile", metavar="NAME", help="which profile, where the home holds several")
    parser.add_argument("--json", action="store_true", help="one JSON object per line on standard output")
    parser.add_argument("-v", "--verbose", action="store_true", help="say more on standard error")
    parser.add_argument(
        "--password-file", metavar="FILE", help="its first line is the password; - is standard input"
    )


def natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def keep_days(text: str) -> int:
    """As long as clients count on, ten years at most."""
    days = int(text)
    if not KEEP_DAYS <= days <= MOST_KEEP_DAYS:
        raise ValueError(text)
    return days


def seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


def database_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgresql", "postgres") or not rest:
        raise ValueError(text)
    return text


count.__name__ = "number from 1"
keep_days.__name__ = f"number from {KEEP_DAYS} to {MOST_KEEP_DAYS}"


def nats_urls(text: str) -> str:
    for each in text.split(","):
        scheme, _, rest = each.partition("://")
        if scheme not in ("nats", "tls") or not rest:
            raise ValueError(text)
    return text


nats_urls.__name__ = "nats:// or tls:// address"


def blobs_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme != "s3" or not rest.strip("/"):
        raise ValueError(text)
    return text


natural.__name__ = "number"
seconds.__name__ = "number of seconds"
database_url.__name__ = "postgresql:// address"
blobs_url.__name__ = "s3:// address"

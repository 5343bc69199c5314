"""What the commands take that change or end an account: passwd, recovery,
keep-name, sign-out, delete-account."""

from __future__ import annotations

import argparse

from coterie.cli.parser import Parser, command

ON, OFF = "on", "off"


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    _passwd(command(commands, "passwd", "change this account's password, here and on the server"))
    recovery = command(commands, "recovery", "the key that opens the account whatever became of its password")
    actions = recovery.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    command(actions, "new", "make another one and print it once; the old one is dead then")
    keep = command(commands, "keep-name", "say no to whoever begins this account's name anew")
    keep.epilog = "Within a day of it. Everybody sees that you said no, and the name stays with this account."
    _sign_out(command(commands, "sign-out", "take this device off the account, and leave this machine"))
    delete = command(commands, "delete-account", "end this account for ever, and wipe this machine's store")
    delete.epilog = "Nobody gets its name again. Others keep what was said to them."
    delete.add_argument("--yes", action="store_true", help="do not ask for the name")


def _passwd(parser: Parser) -> None:
    parser.epilog = (
        "Asks for the password that opens this device, then for the new one. The account's other devices\n"
        "keep the password that opens them. With --wrap alone the password stays, and only what it is good\n"
        "for changes."
    )
    parser.add_argument(
        "--new-password-file", metavar="FILE", help="its first line is the new password; - is standard input"
    )
    parser.add_argument(
        "--generate-passphrase", action="store_true", help="make six words, print them, and use them"
    )
    parser.add_argument(
        "--wrap",
        choices=(ON, OFF),
        help="log in elsewhere with the password alone, or no longer (whoever holds the server can try to "
        "guess one that is enough: it has to be strong)",
    )


def _sign_out(parser: Parser) -> None:
    keep = parser.add_mutually_exclusive_group()
    keep.add_argument("--wipe", dest="wipe", action="store_true", help="remove what is on this machine")
    keep.add_argument(
        "--keep", dest="wipe", action="store_false", help="leave it: it can be read and searched"
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        help="without the server: another device has to remove this one from the account",
    )

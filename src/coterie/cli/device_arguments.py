"""What `coterie devices` takes: which devices there are, and what to do about one."""

from __future__ import annotations

import argparse

from coterie.cli import approval_arguments
from coterie.cli.parser import Parser, command, everywhere


def devices(parser: Parser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", parser_class=Parser)
    parser.set_defaults(action="")
    rename = _action(actions, "rename", "give a device of this account another name")
    rename.add_argument("new_name", metavar="NAME")
    revoke = _action(actions, "revoke", "remove a device: it gets nothing any more and cannot connect")
    revoke.add_argument(
        "--lost", action="store_true", help="it was lost or stolen: end all that it could still read, too"
    )
    deny = _action(actions, "deny", "say of a device that came to this account: that was not me; removes it")
    unmark = _action(
        actions,
        "unmark",
        "end the mark of a device that came in by passphrase or recovery key",
    )
    for losing in (revoke, deny):
        losing.add_argument(
            "--new-identity", action="store_true", help="then go on as after coterie devices new-identity"
        )
    anew = command(
        actions,
        "new-identity",
        "another identity for this account, after the loss of a device that could open its keys",
    )
    anew.epilog = (
        "Asks for the password that opens this device, then for another one, and prints another recovery\n"
        "key. Your other devices follow. Everybody who writes to you has to accept the new identity, or,\n"
        "where they had verified you, to verify you anew."
    )
    for asking in (revoke, deny, anew):
        asking.add_argument(
            "--new-password-file",
            metavar="FILE",
            help="its first line is the new password; - is standard input",
        )
        asking.add_argument(
            "--generate-passphrase", action="store_true", help="make six words, print them, and use them"
        )
    for changing in (rename, revoke, deny, unmark, anew):
        changing.add_argument(
            "--recovery-key-file",
            metavar="FILE",
            help="the 24 words, where no password opens the account's keys on this device",
        )
    approval_arguments.approve(actions)
    _action(actions, "confirm", "say of a device that came to this account: that was me")


def _action(actions: argparse._SubParsersAction[Parser], name: str, does: str) -> Parser:
    parser = actions.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
    everywhere(parser)
    parser.add_argument(
        "device_id", metavar="ID", help="as coterie devices and coterie listen print it, or how it begins"
    )
    return parser

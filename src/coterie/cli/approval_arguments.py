"""What `coterie devices approve` takes."""

from __future__ import annotations

import argparse

from coterie.cli.parser import Parser, everywhere

DOES = "let a new device join this account, by its code or by emoji"


def approve(actions: argparse._SubParsersAction[Parser]) -> None:
    parser = actions.add_parser("approve", help=DOES, description=DOES)
    everywhere(parser)
    parser.epilog = (
        "On the new device: coterie login NAME --server INVITE --approve. Without --code both show seven\n"
        "emoji: compare them, and type yes or no on both."
    )
    parser.add_argument(
        "--recovery-key-file",
        metavar="FILE",
        help="the 24 words, where no password opens the account's keys on this device",
    )
    parser.add_argument(
        "--code", metavar="CODE", help="what the new device shows, in your own hands; - is standard input"
    )

"""What the commands take that keep what is on this machine: backup, restore, verify-backup, rescue."""

from __future__ import annotations

import argparse

from coterie.cli.parser import Parser, command


def add(commands: argparse._SubParsersAction[Parser]) -> None:
    backup = command(commands, "backup", "write this account's messages and people into one file, sealed")
    backup.epilog = (
        "It opens by the password of this account here, or by its recovery key. It holds no keys of this\n"
        "device: what is restored from it becomes a device of its own."
    )
    verify = command(commands, "verify-backup", "open a backup, look at all of it, and say what it holds")
    verify.add_argument(
        "--recovery-key-file", metavar="FILE", help="holds the 24 words, in place of a password; - is stdin"
    )
    restore = command(commands, "restore", "make what is in a backup an account of this machine again")
    restore.epilog = "Nothing that is there is replaced. It opens by the password of the backup."
    rescue = command(commands, "rescue", "save what can be read of a damaged account, and keep the rest")
    rescue.epilog = (
        "What is saved takes its place here, and becomes a device of its own. Try a backup first, if\n"
        "there is one."
    )
    for each in (backup, restore, verify):
        each.add_argument("file", metavar="FILE")

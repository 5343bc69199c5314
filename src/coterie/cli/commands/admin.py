"""`coterie admin`: for whoever runs a server, beside the running one or without it.

`sees NAME`: what it has written down about one person, and why. `speaker NAME`: who may post to everyone
where more than 1000 devices listen. `rotate-identity`: another identity for the server, while it is stopped.
`check`: whether its database is sound.
"""

from __future__ import annotations

import asyncio

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.names import canonical
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import SeenShape
from coterie.cli.commands.serve import data_folder
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.shapes import CheckShape, IdentityShape, ResetCodeShape, SpeakerShape, iso
from coterie.cli.stored import shown
from coterie.server.folder import database_of
from coterie.server.reset_codes import make_reset_code
from coterie.server.rotation import rotate_identity
from coterie.server.seen import SeenRow, seen_of
from coterie.server.speakers import name_speaker
from coterie.server.store.database import DAMAGED
from coterie.server.store.readable import TABLES
from coterie.server.store.soundness import faults_of

GIVE_IT = "Give this to the person, once you are sure who that is: coterie signup NAME --new-identity"


def run(given: Arguments, output: Output) -> int:
    match given.action:
        case "speaker":
            return _speaker(given, output)
        case "rotate-identity":
            return _rotate(given, output)
        case "reset":
            return _reset(given, output)
        case "check":
            return _check(given, output)
        case _:
            return _sees(given, output)


def _rotate(given: Arguments, output: Output) -> int:
    new = asyncio.run(rotate_identity(data_folder(given), SystemClock().wall_ms()))
    output.show(
        IdentityShape(identity=new.hex()),
        f"The server's identity is {new.hex()} from its next start on; invites stay as they are.",
    )
    return Exit.DONE


def _speaker(given: Arguments, output: Output) -> int:
    name = canonical(given.name)
    name_speaker(database_of(data_folder(given)), name, speaks=not given.remove)
    sentence = f"{name} is {'no longer ' if given.remove else ''}a speaker"
    output.show(SpeakerShape(speaker=name, speaks=not given.remove), sentence)
    return Exit.DONE


def _reset(given: Arguments, output: Output) -> int:
    name, now_ms = canonical(given.name), SystemClock().wall_ms()
    code = make_reset_code(database_of(data_folder(given)), name, now_ms)
    shape = ResetCodeShape(reset=name, code=code.words, expires=iso(now_ms + limits.RESET_CODE_MS))
    output.show(shape, f"{GIVE_IT}\n\n  {code.words}\n")
    return Exit.DONE


def _check(given: Arguments, output: Output) -> int:
    faults = faults_of(database_of(data_folder(given)))
    for fault in faults:
        output.show(CheckShape(sound=False, fault=fault), fault)
    if faults:
        raise Unavailable(Code.DAMAGED, DAMAGED)
    output.show(CheckShape(sound=True), "The database is sound.")
    return Exit.DONE


def _sees(given: Arguments, output: Output) -> int:
    table = ""
    for row in seen_of(database_of(data_folder(given)), canonical(given.name)):
        if row.table != table:
            table = row.table
            _explain(table, output)
        fields = "  ".join(f"{column}={shown(value)}" for column, value in row.values.items())
        output.show(_shape(row), f"  {fields}")
    return Exit.DONE


def _explain(table: str, output: Output) -> None:
    output.tell(f"\n{table}")
    for column, why in TABLES[table].columns.items():
        output.tell(f"  {column}: {why}")


def _shape(row: SeenRow) -> SeenShape:
    values = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.values.items()}
    return SeenShape(table=row.table, row=values)

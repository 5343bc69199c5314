"""`coterie admin`: for whoever runs a server, beside the running one or without it.

`sees NAME`: what it has written down about one person, and why. `speaker NAME`: who may post to everyone
where more than 1000 devices listen. `rotate-identity`: another identity for the server, while it is stopped.
`check`: whether its database is sound, a file or a PostgreSQL.
`copy --database URL`: from the file to a PostgreSQL, while it is stopped.
`backup FILE`: a copy of all it has; `restore FILE`: put back, while it is stopped.
`restore --database URL`: what is there was put back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from coterie.base import limits
from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.names import canonical
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import SeenShape
from coterie.cli.commands.serve import data_folder
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.shapes import (
    CarriedShape,
    CheckShape,
    CopyShape,
    IdentityShape,
    ResetCodeShape,
    SpeakerShape,
    iso,
)
from coterie.cli.stored import shown
from coterie.screens.moments import Calendar
from coterie.server.carrying import carry_over
from coterie.server.copies import Copy, make_copy, put_back
from coterie.server.copies_on_postgres import MADE_ELSEWHERE, mark_copy
from coterie.server.folder import database_of
from coterie.server.reset_codes import make_reset_code
from coterie.server.rotation import rotate_identity
from coterie.server.seen import SeenRow, seen_of, seen_on_postgres
from coterie.server.speakers import name_speaker
from coterie.server.store.address import require_address
from coterie.server.store.database import DAMAGED
from coterie.server.store.readable import TABLES
from coterie.server.store.soundness import faults_of

BACKUP_HOLDS = (
    "the whole database of {people} people, the server's private keys, and its certificate with the key. "
    "Nothing in it opens a message, but whoever has it can be this server: keep it as safe as the server."
)
RESTORED = (
    "Put back: the copy of {when}, with {people} people. What lay there before is kept beside it. The next "
    "start begins a new ledger. People's devices bring back what came after the copy; no one has to act."
)
MARKED = (
    "The database is a copy as of {when}, with {people} people: its next start begins a new ledger. People's "
    "devices bring back what came after it; no one has to act."
)
CARRIED = (
    "{rows} rows are in the PostgreSQL now, each compared. Start the server with --database from now on; the "
    "file lies beside under another name."
)
GIVE_IT = "Give this to the person, once you are sure who that is: coterie signup NAME --new-identity"


def run(given: Arguments, output: Output) -> int:
    match given.action:
        case "speaker":
            return _speaker(given, output)
        case "rotate-identity":
            return _rotate(given, output)
        case "backup":
            return _backup(given, output)
        case "restore":
            return _restore(given, output)
        case "copy":
            return _carry(given, output)
        case "reset":
            return _reset(given, output)
        case "check":
            return _check(given, output)
        case _:
            return _sees(given, output)


def _rotate(given: Arguments, output: Output) -> int:
    new = asyncio.run(rotate_identity(data_folder(given), SystemClock().wall_ms(), given.database or ""))
    output.show(
        IdentityShape(identity=new.hex()),
        f"The server's identity is {new.hex()} from its next start on; invites stay as they are.",
    )
    return Exit.DONE


def _backup(given: Arguments, output: Output) -> int:
    if given.copy is None:
        raise Refused(Code.USAGE, MADE_ELSEWHERE)
    made = make_copy(data_folder(given), given.copy, SystemClock().wall_ms())
    output.show(_copy_shape(made), f"{made.file}: {BACKUP_HOLDS.format(people=made.people)}")
    return Exit.DONE


def _restore(given: Arguments, output: Output) -> int:
    if given.copy is None:
        found = asyncio.run(mark_copy(given.database or "", SystemClock().wall_ms()))
        when = Calendar().day_words(found.made_ms)
        shape = CopyShape(copy="", made=iso(found.made_ms), people=found.people)
        output.show(shape, MARKED.format(when=when, people=found.people))
        return Exit.DONE
    back = asyncio.run(put_back(given.copy, data_folder(given), SystemClock().wall_ms()))
    when = Calendar().day_words(back.made_ms)
    output.show(_copy_shape(back), RESTORED.format(when=when, people=back.people))
    return Exit.DONE


def _carry(given: Arguments, output: Output) -> int:
    rows = asyncio.run(carry_over(data_folder(given), given.database or ""))
    output.show(CarriedShape(rows=rows), CARRIED.format(rows=rows))
    return Exit.DONE


def _copy_shape(copy: Copy) -> CopyShape:
    return CopyShape(copy=str(copy.file), made=iso(copy.made_ms), people=copy.people)


def _speaker(given: Arguments, output: Output) -> int:
    name = canonical(given.name)
    file, url = database_of(data_folder(given)), given.database or ""
    asyncio.run(name_speaker(file, name, speaks=not given.remove, url=url))
    sentence = f"{name} is {'no longer ' if given.remove else ''}a speaker"
    output.show(SpeakerShape(speaker=name, speaks=not given.remove), sentence)
    return Exit.DONE


def _reset(given: Arguments, output: Output) -> int:
    name, now_ms = canonical(given.name), SystemClock().wall_ms()
    file, url = database_of(data_folder(given)), given.database or ""
    code = asyncio.run(make_reset_code(file, name, now_ms, url))
    shape = ResetCodeShape(reset=name, code=code.words, expires=iso(now_ms + limits.RESET_CODE_MS))
    output.show(shape, f"{GIVE_IT}\n\n  {code.words}\n")
    return Exit.DONE


def _check(given: Arguments, output: Output) -> int:
    if given.database:
        faults = asyncio.run(_faults_on(given.database))
    else:
        faults = faults_of(database_of(data_folder(given)))
    for fault in faults:
        output.show(CheckShape(sound=False, fault=fault), fault)
    if faults:
        raise Unavailable(Code.DAMAGED, DAMAGED)
    output.show(CheckShape(sound=True), "The database is sound.")
    return Exit.DONE


async def _faults_on(url: str) -> tuple[str, ...]:
    require_address(url)
    from coterie.server.store.postgres.beside import on_postgres
    from coterie.server.store.postgres.soundness import faults_on_postgres

    async with on_postgres(url):
        pass
    return await faults_on_postgres(url)


def _sees(given: Arguments, output: Output) -> int:
    table = ""
    for row in _seen(given):
        if row.table != table:
            table = row.table
            _explain(table, output)
        fields = "  ".join(f"{column}={shown(value)}" for column, value in row.values.items())
        output.show(_shape(row), f"  {fields}")
    return Exit.DONE


def _seen(given: Arguments) -> Iterable[SeenRow]:
    name = canonical(given.name)
    if not given.database:
        return seen_of(database_of(data_folder(given)), name)

    async def all_of(url: str) -> list[SeenRow]:
        return [row async for row in seen_on_postgres(url, name)]

    return asyncio.run(all_of(given.database))


def _explain(table: str, output: Output) -> None:
    output.tell(f"\n{table}")
    for column, why in TABLES[table].columns.items():
        output.tell(f"  {column}: {why}")


def _shape(row: SeenRow) -> SeenShape:
    values = {name: value.hex() if isinstance(value, bytes) else value for name, value in row.values.items()}
    return SeenShape(table=row.table, row=values)

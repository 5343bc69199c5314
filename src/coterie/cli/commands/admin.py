"""`coterie admin sees NAME`: what a server has written down about one person, and why, for its operator."""

from __future__ import annotations

from coterie.base.names import canonical
from coterie.cli.arguments import Arguments
from coterie.cli.chat_shapes import SeenShape
from coterie.cli.commands.serve import data_folder
from coterie.cli.failures import Exit
from coterie.cli.output import Output
from coterie.cli.stored import shown
from coterie.server.folder import database_of
from coterie.server.seen import SeenRow, seen_of
from coterie.server.store.readable import TABLES


def run(given: Arguments, output: Output) -> int:
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

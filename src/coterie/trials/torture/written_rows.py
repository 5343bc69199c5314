"""What a server has written into its database, for whoever looks for the cause of what a trial found.

Without secrets, and without what is sealed or signed: numbers, places, ids and times show where something
went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from coterie.server.store.readable import TABLES

_SECRET_TABLES = frozenset({"facts", "tokens", "verifiers", "reset_tokens"})
_LEFT_OUT = frozenset({"ciphertext", "ed25519", "mac", "salt", "sealed", "signed", "vault"})


def rows_as_json() -> Iterator[tuple[str, str]]:
    """Each table, and SQL of PostgreSQL that gives its rows as JSON objects."""
    for table, its in TABLES.items():
        if table not in _SECRET_TABLES:
            columns = ", ".join(column for column in its.columns if column not in _LEFT_OUT)
            yield table, f"SELECT row_to_json(rows) FROM (SELECT {columns} FROM {table}) rows"  # noqa: S608 - names of ours

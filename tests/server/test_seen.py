"""What an operator sees of a person: all of it, named, and nothing that was not thought about."""

from __future__ import annotations

import secrets
from pathlib import Path

import apsw
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import UserName
from coterie.server.seen import SeenRow, seen_of
from coterie.server.store.readable import TABLES
from coterie.server.store.steps import known_steps
from tests.server.house import House
from tests.server.people import Person
from tests.server.scenes import registered, two


def columns_of(connection: apsw.Connection) -> dict[str, set[str]]:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    return {
        str(name): {str(row[1]) for row in connection.execute(f'PRAGMA table_info("{name}")')}
        for (name,) in tables
    }


def test_every_column_of_the_server_is_named_with_its_reason() -> None:
    """A new one fails here until somebody has thought about it (readable.py)."""
    connection = apsw.Connection(":memory:")
    for step in known_steps():
        connection.execute(step.sql)
    assert columns_of(connection) == {name: set(its.columns) for name, its in TABLES.items()}
    assert all(why for its in TABLES.values() for why in its.columns.values())


def rows_of(folder: Path, name: str) -> dict[str, list[SeenRow]]:
    found: dict[str, list[SeenRow]] = {}
    for row in seen_of(folder / "server.db", UserName(name)):
        found.setdefault(row.table, []).append(row)
    return found


@pytest.mark.asyncio
async def test_all_rows_of_a_person(
    folder: Path, house: House, alice: Person, bob: Person, carol: Person
) -> None:
    await registered(house, carol)
    alices, _ = await two(house, alice, bob)
    await alices.ask(alice.device.message(alice.direct_with(bob), bob.account, request=3))
    seen = rows_of(folder, "bob")
    assert [row.values["name"] for row in seen["accounts"]] == ["bob"]
    assert [row.values["device"] for row in seen["devices"]] == [bob.device.id]
    assert len(seen["verifiers"]) == 2
    assert len(seen["manifests"]) == len(seen["leaves"]) == len(seen["newest_leaves"]) == 1
    assert alice.direct_with(bob) in [row.values["conversation"] for row in seen["conversations"]]
    assert len(seen["log_entries"]) == 1
    assert not {"facts", "heads", "statements", "tokens"} & seen.keys()
    everything = [
        value
        for row in seen_of(folder / "server.db", UserName("bob"))
        for value in row.values.values()
        if isinstance(value, bytes)
    ]
    assert not any(bytes(carol.account) in value for value in everything)


@pytest.mark.asyncio
async def test_whom_the_server_does_not_know(folder: Path, house: House, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        list(seen_of(folder / "server.db", UserName("nobody")))
    assert refused.value.code is Code.UNKNOWN_PERSON
    with pytest.raises(Unavailable):
        list(seen_of(tmp_path / secrets.token_hex(4), UserName("bob")))
    garbage = tmp_path / "garbage"
    garbage.write_bytes(secrets.token_bytes(8192))
    with pytest.raises(Unavailable):
        list(seen_of(garbage, UserName("bob")))

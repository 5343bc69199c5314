"""Numbered migrations of either database: which there are, and which are still to come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable


class Step(msgspec.Struct, frozen=True):
    """One numbered migration."""

    number: int
    sql: str

    @property
    def checksum(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


def known_steps(dialect: str = "sqlite") -> tuple[Step, ...]:
    """All migrations that this version carries for sqlite or pg, in order."""
    folder = files("coterie.server.store") / "schema"
    suffix = f".{dialect}.sql"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(suffix))
    return tuple(
        Step(int(name.removesuffix(suffix)), (folder / name).read_text("utf-8").replace("\r\n", "\n"))
        for name in names
    )


def steps_to_come(steps: tuple[Step, ...], applied: Mapping[int, bytes]) -> tuple[Step, ...]:
    """What has to be done to a database to which these were applied (number -> checksum).

    Raises Unavailable: newer-schema, disk (a step that was applied is not the one of this version).
    """
    known = {step.number: step.checksum for step in steps}
    if applied.keys() - known.keys():
        raise Unavailable(Code.NEWER_SCHEMA, "the data was used by a newer version")
    for number, checksum in applied.items():
        if known[number] != checksum:
            raise Unavailable(Code.DISK, f"migration {number} of the database is not the known one")
    return tuple(step for step in steps if step.number not in applied)

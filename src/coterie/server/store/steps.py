"""Numbered migrations of either database: which there are, and which are still to come.

Each step says which servers can go on working beside it: its first line may be `-- beside: N`, and then a
server that knows the steps up to N does not mind it (docs/decisions/0053-who-works-beside-a-step.md). That is
kept with the step in the database, where those read it that have never heard of the step.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import Unavailable

SCHEMA = files("coterie.server.store") / "schema"
"""Where the steps lie: NNN.sqlite.sql and NNN.pg.sql."""
_BESIDE = re.compile(r"\A-- beside: (\d+)$", re.MULTILINE)


class Step(msgspec.Struct, frozen=True):
    """One numbered migration."""

    number: int
    sql: str

    @property
    def checksum(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()

    @property
    def beside(self) -> int:
        """The oldest schema whose servers work beside this step; where it says nothing, only its own."""
        found = _BESIDE.match(self.sql)
        return min(int(found[1]), self.number) if found else self.number


class Applied(msgspec.Struct, frozen=True):
    """A step that was done to a database."""

    number: int
    checksum: bytes
    beside: int | None
    """None: of a version that did not write it down."""

    def works_beside(self, schema: int) -> bool:
        """Whether a server that knows no step behind that one minds this one."""
        return schema >= (self.number if self.beside is None else self.beside)


def known_steps(dialect: str = "sqlite") -> tuple[Step, ...]:
    """All migrations that this version carries for sqlite or pg, in order."""
    suffix = f".{dialect}.sql"
    names = sorted(entry.name for entry in SCHEMA.iterdir() if entry.name.endswith(suffix))
    return tuple(
        Step(int(name.removesuffix(suffix)), (SCHEMA / name).read_text("utf-8").replace("\r\n", "\n"))
        for name in names
    )


def schema_of(steps: tuple[Step, ...]) -> int:
    """What a server that knows these has: the number of the last one."""
    return max((step.number for step in steps), default=0)


def steps_to_come(steps: tuple[Step, ...], applied: Iterable[Applied]) -> tuple[Step, ...]:
    """What has to be done to a database to which these were applied.

    Raises Unavailable: newer-schema (a step of a newer version, beside which this one cannot work), disk (a
    step that was applied is not the one of this version).
    """
    known = {step.number: step.checksum for step in steps}
    done = {each.number: each for each in applied}
    for number, each in done.items():
        if number not in known:
            if not each.works_beside(schema_of(steps)):
                raise Unavailable(Code.NEWER_SCHEMA, "the data was used by a newer version")
        elif known[number] != each.checksum:
            raise Unavailable(Code.DISK, f"migration {number} of the database is not the known one")
    return tuple(step for step in steps if step.number not in done)

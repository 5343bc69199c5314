"""The marks for values in the SQL of both stores (`?`, `?2`, `:name`), as PostgreSQL writes them ($1)."""

from __future__ import annotations

import re
from functools import cache

from coterie.base.codes import Code
from coterie.base.errors import LocalError
from coterie.server.store.statements import Value, Values

_MARK = re.compile(r"\?(\d*)|:([a-z_]+)")


@cache
def translated(sql: str) -> tuple[str, tuple[str, ...]]:
    """The SQL, and the names of its values in order where they have any. There are only as many texts as the
    program has statements."""
    names: list[str] = []
    count = 0

    def mark(found: re.Match[str]) -> str:
        nonlocal count
        number, name = found.groups()
        if name:
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"
        if number:
            return f"${number}"
        count += 1
        return f"${count}"

    text = _MARK.sub(mark, sql)
    if names and count:
        raise LocalError(Code.USAGE, "a statement names some of its values and not others")
    return text, tuple(names)


def bound(sql: str, values: Values) -> tuple[str, tuple[Value, ...]]:
    """SQL and values as asyncpg takes them."""
    text, names = translated(sql)
    if isinstance(values, dict):
        return text, tuple(values[name] for name in names)
    return text, values

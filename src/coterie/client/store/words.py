"""Full-text search: which texts are in the index, and how a person's words become a question to it.

Texts enter the index many at a time: for each alone the index would write as much as for a hundred. What is
not in it yet enters before the next search.
"""

from __future__ import annotations

from typing import Any, Final

import apsw

SEARCH_CHARACTERS = 1000
SEARCH_WORDS = 64
"""What a search goes by; what lies beyond is not looked at."""
TEXTS_AT_ONCE: Final = 1024
"""So many messages may be outside of the index when a transaction is committed."""

_ORDERS = 'SELECT max("deleted", coalesce((SELECT max("order") FROM message), 0)), "indexed" FROM orders'
_INDEX = """INSERT INTO message_words (rowid, "text")
    SELECT "order", "text" FROM message WHERE "order" > (SELECT "indexed" FROM orders)"""
_INDEXED = 'UPDATE orders SET "indexed" = ?'


def words_query(words: str) -> str:
    """A full-text query for all words, each quoted, the last one as a beginning; "" where there is none.

    Zero bytes and lone surrogates count as blanks; signs inside a word make it a run of words.
    """
    clean = "".join(" " if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in words[:SEARCH_CHARACTERS])
    quoted = ['"' + part.replace('"', '""') + '"' for part in clean.split()[:SEARCH_WORDS]]
    return " ".join(quoted) + "*" if quoted else ""


class Orders:
    """The highest order ever used, and the highest whose text is in the index (table orders)."""

    def __init__(self, database: apsw.Connection) -> None:
        self._database = database
        self._read: tuple[int, int] | None = None

    @property
    def used(self) -> int:
        """By a message in the store, also one that was deleted; 0 in an empty store."""
        return (self._read or self._orders())[0]

    def saved(self, order: int) -> None:
        """A message of this order is about to be in the store."""
        used, indexed = self._read or self._orders()
        if order > used:
            self._read = order, indexed

    @property
    def outside(self) -> int:
        """How many messages, at most, have texts that are not in the index yet."""
        used, indexed = self._read or self._orders()
        return used - indexed

    def index(self) -> None:
        """Take all texts into the index; every message is written already. Raises what apsw raises."""
        self._database.execute(_INDEX)
        self._database.execute(_INDEXED, (self.used,))
        self._read = self.used, self.used

    def forget(self) -> None:
        """The transaction is rolled back."""
        self._read = None

    def _orders(self) -> tuple[int, int]:
        rows: list[Any] = self._database.execute(_ORDERS).fetchall()
        used, indexed = self._read = rows[0]
        return used, indexed

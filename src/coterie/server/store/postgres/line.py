"""One connection to PostgreSQL, made anew where it broke; its settings are asserted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol, TypeVar

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.faults import FAULTS, database_fault
from coterie.server.store.protocol import StoreLost

CONNECT_SECONDS = 20.0
CLOSE_SECONDS = 5.0
STATEMENTS = 500
LEAST_VERSION = 18
SERVER_LOCK = 0x636F_7465_7269_6501
"""Advisory: the servers of a database share it; whoever has to be the only one there has it alone."""
SERVER_LOCK_PATIENCE = "10s"
SERVERS = 0x636F_7465
"""Advisory, with the number of a server: held as long as that one is there."""
THERE = (
    f"SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = {SERVERS} AND objsubid = 2"  # noqa: S608 - a constant
    " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""The numbers of the servers that are there."""
_BESIDE = (
    f"SET lock_timeout = '{{patience}}'; SELECT pg_advisory_lock_shared({SERVER_LOCK}); SET lock_timeout = 0"
)
_ALONE = f"SET lock_timeout = '{{patience}}'; SELECT pg_advisory_lock({SERVER_LOCK}); SET lock_timeout = 0"
_NOT_BESIDE = f"SELECT pg_advisory_unlock_shared({SERVER_LOCK})"
_NOT_ALONE = f"SELECT pg_advisory_unlock({SERVER_LOCK})"

_SETTINGS = {
    "application_name": "coterie",
    "client_min_messages": "warning",
    "default_transaction_isolation": "read committed",
    "enable_seqscan": "off",
    "idle_in_transaction_session_timeout": "60s",
    "jit": "off",
    "lock_timeout": "0",
    "plan_cache_mode": "force_generic_plan",
    "statement_timeout": "0",
    "transaction_timeout": "0",
}
"""A writer is never cut off: what it waits for may be the standby, and the commit may hold already.
Everything on the way of a message is found by an index. So its statements are planned once and not for each
values, and not by how large a table was then: in a new database reading all of it looks as cheap."""
_ASSERTED = (
    ("fsync", ("on",)),
    ("full_page_writes", ("on",)),
    ("synchronous_commit", ("on", "remote_apply")),
)
"""Name, and the values of which one is needed: else what was acknowledged could be lost."""


T = TypeVar("T")


class Said(Protocol):
    """Runs words on a line, one after the other. Raises Unavailable."""

    async def __call__(self, words: Callable[[Connection], Awaitable[T]]) -> T: ...


class Hold(Enum):
    """What a connection holds of the servers' lock, from its first moment for as long as it lasts."""

    NOTHING = "nothing"
    BESIDE = "beside"
    """Others may serve the same data."""
    ALONE = "alone"


class Line:
    """get() gives the connection. Whoever uses it lets nobody else in between."""

    def __init__(
        self,
        url: str,
        hold: Hold = Hold.NOTHING,
        stand: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        """stand: what each new connection of one that holds something begins with."""
        self._url = url
        self._hold = hold
        self._stand = stand
        self.number = 0
        """Of this server, among all that there ever were in this database; another for each connection."""
        self._connection: Connection | None = None
        self._numbered: Connection | None = None
        self.warned = False
        """Whether the database has said a warning since this was last set back."""

    async def get(self) -> Connection:
        """Raises Unavailable: disk (not there, or not to be trusted), profile-in-use; StoreLost, once, where
        the lock of the servers went with its connection: the data may have begun another life since."""
        if self._hold is not Hold.NOTHING and self._connection is not None and self._connection.is_closed():
            self._connection = None
            raise StoreLost(Code.DISK, "the database was lost for a moment")
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection

    @property
    def is_lost(self) -> bool:
        """Whether there is no connection now."""
        return self._connection is None or self._connection.is_closed()

    def drop(self) -> None:
        """Let go at once, without a word: a word might cancel what is under way."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """In order where that goes quickly."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=CLOSE_SECONDS)
            except FAULTS:
                connection.terminate()

    async def _connect(self) -> Connection:
        import asyncpg

        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection: Connection = await asyncpg.connect(
                    self._url,
                    timeout=CONNECT_SECONDS,
                    server_settings=_SETTINGS,
                    statement_cache_size=STATEMENTS,
                    max_cached_statement_lifetime=0,
                    target_session_attrs="read-write",
                )
        except (*FAULTS, ssl.SSLError, ValueError) as error:
            raise Unavailable(
                Code.DISK, f"the database cannot be reached ({type(error).__name__})"
            ) from error
        try:
            connection.add_log_listener(self._heard)
            await self._examine(connection)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, FAULTS):
                raise database_fault(error) from error
            raise
        return connection

    async def _examine(self, connection: Connection) -> None:
        if connection.get_server_version().major < LEAST_VERSION:
            raise Unavailable(Code.DISK, f"the database is older than PostgreSQL {LEAST_VERSION}")
        for name, good in _ASSERTED:
            value = await connection.fetchval("SELECT current_setting($1)", name)
            if value not in good:
                raise Unavailable(Code.DISK, f"the database would lose messages: its {name} is {value}")
        if self._hold is Hold.ALONE:
            await _lock(connection, _ALONE)
        elif self._hold is Hold.BESIDE:
            await _lock(connection, _BESIDE)
        if self._stand is not None:
            await self._stand(connection)

    async def take_number(self) -> None:
        """Be one of the servers that are there, under a number that none has had."""
        connection = await self.get()
        if self._numbered is connection:
            await connection.execute(f"SELECT pg_advisory_unlock_shared({SERVERS}, {self.number})")
        self.number = int(await connection.fetchval("SELECT nextval('server_numbers')"))
        await connection.execute(f"SELECT pg_advisory_lock_shared({SERVERS}, {self.number})")
        self._numbered = connection

    async def be_alone(self, patience_seconds: float) -> None:
        """From beside others to alone; whatever was known of the database before may not be so any more.
        Raises Unavailable(profile-in-use) where others do not end soon: then as before."""
        connection = await self.get()
        await connection.execute(_NOT_BESIDE)
        try:
            await _lock(connection, _ALONE, f"{round(patience_seconds * 1000)}ms")
        except Unavailable:
            await _lock(connection, _BESIDE)
            raise
        self._hold = Hold.ALONE

    async def be_beside(self) -> None:
        """Let others in again; nothing where they are not kept out."""
        if self._hold is Hold.ALONE:
            connection = await self.get()
            await _lock(connection, _BESIDE)
            await connection.execute(_NOT_ALONE)
            self._hold = Hold.BESIDE

    def _heard(self, _connection: object, _message: object) -> None:
        self.warned = True


async def _lock(connection: Connection, sql: str, patience: str = "") -> None:
    import asyncpg

    try:
        await connection.execute(sql.format(patience=patience or SERVER_LOCK_PATIENCE))
    except asyncpg.LockNotAvailableError as error:
        await connection.execute("SET lock_timeout = 0")
        raise Unavailable(Code.PROFILE_IN_USE, "another server serves this database") from error

"""Wake-ups by the database itself: NOTIFY on a connection of its own, never inside a writing transaction
(there it costs more than half of the throughput: NOTIFY commits one after the other)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.server.store.postgres.connection import Connection
from coterie.server.store.postgres.faults import FAULTS, database_fault
from coterie.server.store.postgres.line import Line
from coterie.server.wakeups.protocol import Hint

T = TypeVar("T")

CHANNEL = "coterie_hints"
_TELL = f"SELECT pg_notify('{CHANNEL}', topics) FROM unnest($1::text[]) AS n (topics)"  # noqa: S608 - constant


class NotifyBus:
    """Implements Bus. Topics go as hexadecimal digits."""

    def __init__(self, url: str) -> None:
        self._line = Line(url)
        self._received: Callable[[Hint], None] | None = None
        self._pid = 0

    async def connect(self, received: Callable[[Hint], None]) -> None:
        self._received = received
        try:
            await self._line.get()
        except FAULTS as error:
            raise _gone(error) from error
        self._pid = await self._said(_pid_of)
        await self._said(lambda line: line.add_listener(CHANNEL, self._on_notify))

    async def tell(self, hints: Iterable[Hint]) -> None:
        told = [each.hex() for each in hints]
        await self._said(lambda line: line.execute(_TELL, told))

    async def look(self) -> None:
        """tell() has had an answer each time."""
        await self._said(_pid_of)

    async def close(self) -> None:
        self._pid = 0
        self._line.drop()

    async def _said(self, words: Callable[[Connection], Awaitable[T]]) -> T:
        """What the database answers. A connection that was made anew would listen to nothing."""
        if self._line.is_lost:
            raise Unavailable(Code.DISK, "the way to the database broke")
        try:
            return await words(await self._line.get())
        except FAULTS as error:
            raise _gone(error) from error

    def _on_notify(self, _connection: object, pid: int, _channel: str, payload: str) -> None:
        """Anybody who may connect to the database may say anything here."""
        if pid == self._pid or self._received is None:
            return
        try:
            topics = bytes.fromhex(payload)
        except ValueError:
            return
        self._received(topics)


async def _pid_of(connection: Connection) -> int:
    return int(await connection.fetchval("SELECT pg_backend_pid()"))


def _gone(error: BaseException) -> Unavailable:
    fault = database_fault(error)
    return Unavailable(fault.code, fault.note)

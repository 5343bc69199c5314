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

_TELL = "SELECT pg_notify(channel, topics) FROM unnest($1::text[], $2::text[]) AS n (channel, topics)"


class NotifyBus:
    """Implements Bus. Topics go as hexadecimal digits."""

    def __init__(self, url: str) -> None:
        self._line = Line(url)
        self._received: Callable[[bytes], None] | None = None
        self._pid = 0

    async def connect(self, received: Callable[[bytes], None]) -> None:
        self._received = received
        try:
            await self._line.get()
        except FAULTS as error:
            raise _gone(error) from error
        self._pid = await self._said(_pid_of)

    async def listen(self, channels: Iterable[int]) -> None:
        async def all_of(connection: Connection) -> None:
            for channel in channels:
                await connection.add_listener(_name(channel), self._on_notify)

        await self._said(all_of)

    async def ignore(self, channels: Iterable[int]) -> None:
        async def all_of(connection: Connection) -> None:
            for channel in channels:
                await connection.remove_listener(_name(channel), self._on_notify)

        await self._said(all_of)

    async def tell(self, hints: Iterable[Hint]) -> None:
        told = list(hints)

        async def all_of(connection: Connection) -> None:
            await connection.execute(
                _TELL, [_name(each[0]) for each in told], [each[1].hex() for each in told]
            )

        await self._said(all_of)

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


def _name(channel: int) -> str:
    return f"coterie_{channel:04x}"

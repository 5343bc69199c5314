"""A PostgreSQL of a torture's own, in a cluster with a standby and a bus: killed, taken over, made again."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from coterie.base.clock import SystemClock
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import ConversationId, DeviceId, MessageId
from coterie.trials.engines.nats import Node, node
from coterie.trials.engines.postgres import PORT, Engine, pair, running, unpacked
from coterie.trials.soak.figures import DOUBLED, ENTITLED
from coterie.trials.talk_check import Written
from coterie.trials.torture.faults import Kind
from coterie.trials.torture.proxy import HOST, Proxy
from coterie.trials.torture.written_rows import rows_as_json

PATIENCE_SECONDS = 30.0
LOOK_SECONDS = 0.05
_IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum' AND state = 'streaming'"
_IS_PRIMARY = "SELECT NOT pg_is_in_recovery()"
_ENTITLED = f"SELECT encode(device, 'hex'), encode(conversation, 'hex'), from_seq FROM ({ENTITLED}) rows"  # noqa: S608 - a constant
_DOUBLED = f"SELECT encode(message, 'hex') FROM ({DOUBLED}) rows"  # noqa: S608 - a constant


class OnPostgres:
    """Implements Ground: one server on one PostgreSQL, which comes back on its data when it was killed."""

    servers = 1

    def __init__(self) -> None:
        self.kills = 0
        self._left = ExitStack()
        self._clock = SystemClock()
        self._changing = asyncio.Lock()
        """Held while the database is about to become well again: one after the other is killed."""
        self._engines: list[Engine] = []
        """The one that takes changes, and its standby if there is one."""

    @property
    def database(self) -> str:
        folders = ",".join(
            str(engine.folder) for engine in sorted(self._engines, key=lambda each: each.folder)
        )
        ports = ",".join(str(PORT) for _ in self._engines)
        return f"postgresql://postgres@/postgres?host={folders}&port={ports}"

    @property
    def wakeups(self) -> str:
        return ""

    async def start(self) -> None:
        self._engines = await asyncio.to_thread(self._made)

    async def end(self) -> None:
        await asyncio.to_thread(self._left.close)

    async def suffer(self, kind: Kind, seconds: float) -> bool:
        if kind is not Kind.KILL_DATABASE:
            return False
        async with self._changing:
            self.kills += 1
            await asyncio.to_thread(self._engines[0].kill)
            await self._pause(seconds)
            await self._come_back()
        return True

    async def written(self) -> Written:
        said = await asyncio.to_thread(self._engines[0].psql, _ENTITLED)
        rows = (line.split("|") for line in said.splitlines())
        entitled = {
            (DeviceId(bytes.fromhex(device)), ConversationId(bytes.fromhex(conversation))): int(seq)
            for device, conversation, seq in rows
        }
        doubled = (await asyncio.to_thread(self._engines[0].psql, _DOUBLED)).split()
        return Written(entitled, tuple(MessageId(bytes.fromhex(message)) for message in doubled))

    async def keep(self, folder: Path) -> None:
        await asyncio.to_thread(self._keep, folder)

    def _keep(self, folder: Path) -> None:
        """A table is a file, a row a line (written_rows.py); beside them what the engines said."""
        folder.mkdir()
        for name, sql in rows_as_json():
            rows = self._engines[0].psql(sql)
            (folder / f"{name}.jsonl").write_text(f"{rows}\n" if rows else "", encoding="utf-8")
        for number, engine in enumerate(self._engines):
            shutil.copyfile(engine.folder / "log", folder / f"engine-{number}.log")

    def _made(self) -> list[Engine]:
        return [self._left.enter_context(running())]

    async def _come_back(self) -> None:
        await asyncio.to_thread(self._engines[0].restart)

    async def _pause(self, seconds: float) -> None:
        await self._clock.wait_until(self._clock.monotonic_seconds() + seconds)

    async def _until(self, engine: Engine, sql: str, answer: str) -> None:
        until = self._clock.monotonic_seconds() + PATIENCE_SECONDS
        while await asyncio.to_thread(engine.psql, sql) != answer:
            if self._clock.monotonic_seconds() > until:
                raise Unavailable(Code.MISSING_PART, "the database of the trial did not get well")
            await self._pause(LOOK_SECONDS)


class OnCluster(OnPostgres):
    """Implements Ground: two servers, a PostgreSQL that acknowledges nothing before its standby has it, and a
    bus behind a proxy that may swallow what is said."""

    servers = 2

    def __init__(self) -> None:
        super().__init__()
        self._bus: Node | None = None
        self._bus_changing = asyncio.Lock()
        self._bus_proxy = Proxy()

    @property
    def wakeups(self) -> str:
        return f"nats://{HOST}:{self._bus_proxy.port}"

    async def start(self) -> None:
        await super().start()
        await self._until(self._engines[0], _IN_STEP, "1")
        self._bus = bus = await asyncio.to_thread(lambda: self._left.enter_context(node()))
        self._bus_proxy.targets.append(bus.port)
        await self._bus_proxy.start()

    async def end(self) -> None:
        async with AsyncExitStack() as left:
            left.push_async_callback(super().end)
            await self._bus_proxy.close()

    async def suffer(self, kind: Kind, seconds: float) -> bool:
        if kind is Kind.KILL_STANDBY:
            return await self._kill_standby(seconds)
        if kind in (Kind.KILL_BUS, Kind.SILENT_BUS):
            return await self._break_bus(kind, seconds)
        return await super().suffer(kind, seconds)

    async def _kill_standby(self, down_seconds: float) -> bool:
        """Meanwhile nothing is acknowledged."""
        async with self._changing:
            self.kills += 1
            primary, standby = self._engines
            await asyncio.to_thread(standby.kill)
            await self._pause(down_seconds)
            await asyncio.to_thread(standby.restart)
            await self._until(primary, _IN_STEP, "1")
        return True

    async def _break_bus(self, kind: Kind, seconds: float) -> bool:
        bus = self._bus
        assert bus is not None, "it was started"
        async with self._bus_changing:
            if kind is Kind.KILL_BUS:
                self.kills += 1
                await asyncio.to_thread(bus.kill)
                await self._pause(seconds)
                await asyncio.to_thread(bus.start)
            else:
                self._bus_proxy.silence()
                await self._pause(seconds)
                self._bus_proxy.heal()
        return True

    def _made(self) -> list[Engine]:
        return list(self._left.enter_context(pair(self._left.enter_context(unpacked()), for_good=True)))

    async def _come_back(self) -> None:
        """The standby takes over, and the one that was killed becomes its standby, made anew."""
        dead, standby = self._engines
        await asyncio.to_thread(standby.psql, "SELECT pg_promote()")
        await self._until(standby, _IS_PRIMARY, "t")
        self._engines = [standby, dead]
        await asyncio.to_thread(dead.forget)
        await asyncio.to_thread(dead.follow, standby)
        await asyncio.to_thread(dead.restart)
        await self._until(standby, _IN_STEP, "1")

"""What the servers of a torture stand on, and how that is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from coterie.trials.soak.figures import written_of
from coterie.trials.talk_check import Written
from coterie.trials.torture.faults import Kind


class Ground(Protocol):
    """start(), any faults, end()."""

    servers: int
    """How many there are on it."""
    kills: int
    """How many of its processes were killed."""

    @property
    def database(self) -> str:
        """As `coterie serve --database` takes it."""
        ...

    @property
    def wakeups(self) -> str: ...

    async def start(self) -> None:
        """Raises Unavailable where the engines are not here."""
        ...

    async def end(self) -> None: ...
    async def suffer(self, kind: Kind, seconds: float) -> bool:
        """Return when the fault is over; False where it meets nothing to break."""
        ...

    async def written(self) -> Written:
        """Asked when all servers have stopped."""
        ...

    async def keep(self, folder: Path) -> None:
        """Write down there what is left of it, without secrets, for whoever looks for what went wrong; asked
        when all servers have stopped. The folder is not there yet."""
        ...


class FileGround:
    """Implements Ground: one server, and a file in its folder."""

    servers = 1
    kills = 0
    database = wakeups = ""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "server" / "server.db"

    async def start(self) -> None:
        """The server makes it."""

    async def end(self) -> None:
        """The server has closed it."""

    async def suffer(self, kind: Kind, seconds: float) -> bool:
        """Breaks with its server, and by the server's disk."""
        del kind, seconds
        return False

    async def written(self) -> Written:
        return written_of(self._file)

    async def keep(self, folder: Path) -> None:
        """It lies in the folder that stays."""

"""A process with some of the clients: orders come by standard input, reports go to standard output.

python -m coterie.trials.soak.worker FOLDER SERVER OFFSET_FILE [SKEW_FILE DISK_FILE]
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from coterie.base.clock import Clock
from coterie.trials.breakable import prepared
from coterie.trials.soak.client import SoakClient
from coterie.trials.soak.speech import Report, Trouble, read_order, report_line


class _ErrorReports(logging.Handler):
    """Level error means a bug: the director hears of each."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        report(Trouble(record.name, f"{record.getMessage()} {kind}".strip()))


def report(what: Report) -> None:
    sys.stdout.buffer.write(report_line(what))
    sys.stdout.buffer.flush()


async def work(folder: Path, server: str, clock: Clock) -> None:
    """Until standard input ends; then every client is closed."""
    clients: dict[int, SoakClient] = {}
    async with asyncio.TaskGroup() as tasks:
        running = []
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            order = read_order(line)
            client = clients.get(order.client)
            if client is None:
                home = folder / f"client-{order.client}"
                client = clients[order.client] = SoakClient(order.client, home, server, clock, report)
                running.append(tasks.create_task(client.run()))
            client.orders.put_nowait(order)
        for task in running:
            task.cancel()


def main() -> None:
    folder, server, *files = sys.argv[1:]
    clock = prepared(*files)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().addHandler(_ErrorReports())
    asyncio.run(work(Path(folder), server, clock))


if __name__ == "__main__":
    main()

"""From a message's acceptance by the sender's store to the line that the other person's client prints.

`python -m tests.real.measure_latency [MESSAGES]`: a server and two people, each in a process of their own, on
loopback. Prints the figures; nothing here passes or fails.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

import coterie
from coterie.base.clock import SystemClock
from tests.real.programs import Client, Running, Server

MESSAGES = 300


async def measure(alice: Client, listening: Running, count: int) -> list[float]:
    """Milliseconds for each message, one at a time."""
    clock = SystemClock()
    password = alice.password_file.read_text().strip()
    taken = []
    async with coterie.open(alice.home, password=password) as me:
        await me.wait_live()
        for number in range(count):
            sent = await me.post("@bob", f"message {number}")
            accepted = clock.monotonic_seconds()
            line = await asyncio.to_thread(listening.message)
            taken.append((clock.monotonic_seconds() - accepted) * 1000)
            assert line["id"] == sent.id.hex()
            await me.acknowledged(sent, 10)
    return taken


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "server")
        server.start()
        try:
            alice, bob = (Client(Path(folder) / name, name) for name in ("alice", "bob"))
            for client in (alice, bob):
                client.sign_up(server.invite)
            bob.send("@alice", "write to me")
            with bob.listening() as listening:
                taken = sorted(asyncio.run(measure(alice, listening, count)))
        finally:
            server.stop()
    print(f"{count} messages, one at a time, from the sender's store to the other's line:")
    for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99)):
        print(f"  {name:6} {taken[min(int(share * count), count - 1)]:7.1f} ms")
    print(f"  mean   {statistics.fmean(taken):7.1f} ms, worst {taken[-1]:.1f} ms")


if __name__ == "__main__":
    main()

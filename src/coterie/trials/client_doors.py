"""Coming in: sign-up, unlocking, a second device; and what an open client holds in memory."""

from __future__ import annotations

from coterie.client.api.log_in import log_in
from coterie.client.api.sign_up import sign_up
from coterie.trials.figures import Figure
from coterie.trials.machine import can_measure_processes, memory_bytes
from coterie.trials.people import PASSWORD, PATIENCE_SECONDS, move_in, wake
from coterie.trials.processes import coterie_server, listening_client
from coterie.trials.trial import Trial


async def run(trial: Trial) -> list[Figure]:
    clock, folder = trial.clock, trial.folder
    times: dict[str, list[float]] = {"sign_up": [], "unlock": [], "live": [], "log_in": []}
    async with coterie_server(folder / "server") as server:
        for number in range(trial.scale.doors):
            start = clock.monotonic_seconds()
            me = await sign_up(
                server=server.invite.link,
                name=f"person{number}",
                generate_passphrase=True,
                home=folder / f"person{number}",
            )
            times["sign_up"].append(clock.monotonic_seconds() - start)
            passphrase = me.passphrase or ""
            await me.wait_live(PATIENCE_SECONDS)
            await me.close()
            start = clock.monotonic_seconds()
            me = await log_in(
                server=server.invite.link,
                name=f"person{number}",
                password=passphrase,
                home=folder / f"second{number}",
            )
            times["log_in"].append(clock.monotonic_seconds() - start)
            await me.close()
        await (await move_in(server.invite, folder, "alice")).close()
        for _ in range(trial.scale.doors):
            start = clock.monotonic_seconds()
            me = await wake(folder, "alice")
            times["unlock"].append(clock.monotonic_seconds() - start)
            start = clock.monotonic_seconds()
            await me.wait_live(PATIENCE_SECONDS)
            times["live"].append(clock.monotonic_seconds() - start)
            await me.close()
        memory = await _memory(trial)
    words = {
        "sign_up": "a new account, keys made and acknowledged",
        "log_in": "a second device by passphrase",
        "unlock": "opening a profile with its password",
        "live": "from unlocked to connected and up to date",
    }
    figures = [
        Figure(name=f"client.doors.{name}", what=what, unit="ms", values=tuple(t * 1000 for t in times[name]))
        for name, what in words.items()
    ]
    return [*figures, *memory]


async def _memory(trial: Trial) -> list[Figure]:
    """Of a client with an empty history, after it has unlocked and connected."""
    if not can_measure_processes():
        return []
    password_file = trial.folder / "password"
    password_file.write_text(PASSWORD + "\n")
    async with listening_client(trial.folder / "alice", password_file) as pid:
        held = memory_bytes(pid) / (1 << 20)
    return [Figure(name="client.memory", what="`coterie listen`, connected", unit="MiB", values=(held,))]

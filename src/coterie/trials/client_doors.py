"""Coming in: sign-up, unlocking, a second device; and what an open client holds in memory."""

from __future__ import annotations

from coterie.base.invite import Invite
from coterie.client.api.log_in import log_in
from coterie.client.api.sign_up import sign_up
from coterie.trials.figures import Figure
from coterie.trials.machine import can_measure_processes, memory_bytes
from coterie.trials.people import PASSWORD, PATIENCE_SECONDS, move_in, wake
from coterie.trials.processes import coterie_server, listening_client
from coterie.trials.trial import Trial

WORDS = {
    "sign_up": "a new account, keys made and acknowledged",
    "log_in": "a second device by passphrase",
    "unlock": "opening a profile with its password",
    "live": "from unlocked to connected and up to date",
}


async def run(trial: Trial) -> list[Figure]:
    times: dict[str, list[float]] = {name: [] for name in WORDS}
    async with coterie_server(trial.folder / "server") as server:
        for number in range(trial.scale.doors):
            await _enrol(trial, server.invite, f"person{number}", times)
        await (await move_in(server.invite, trial.folder, "alice")).close()
        for _ in range(trial.scale.doors):
            await _unlock(trial, times)
        memory = await _memory(trial)
    figures = [
        Figure(name=f"client.doors.{name}", what=what, unit="ms", values=tuple(t * 1000 for t in times[name]))
        for name, what in WORDS.items()
    ]
    return [*figures, *memory]


async def _enrol(trial: Trial, invite: Invite, name: str, times: dict[str, list[float]]) -> None:
    """A new account, and a second device of it."""
    clock = trial.clock
    start = clock.monotonic_seconds()
    first = trial.folder / name
    me = await sign_up(server=invite.link, name=name, generate_passphrase=True, home=first)
    times["sign_up"].append(clock.monotonic_seconds() - start)
    passphrase = me.passphrase or ""
    await me.wait_live(PATIENCE_SECONDS)
    await me.close()
    start = clock.monotonic_seconds()
    second = trial.folder / f"second-{name}"
    me = await log_in(server=invite.link, name=name, password=passphrase, home=second)
    times["log_in"].append(clock.monotonic_seconds() - start)
    await me.close()


async def _unlock(trial: Trial, times: dict[str, list[float]]) -> None:
    start = trial.clock.monotonic_seconds()
    me = await wake(trial.folder, "alice")
    times["unlock"].append(trial.clock.monotonic_seconds() - start)
    start = trial.clock.monotonic_seconds()
    await me.wait_live(PATIENCE_SECONDS)
    times["live"].append(trial.clock.monotonic_seconds() - start)
    await me.close()


async def _memory(trial: Trial) -> list[Figure]:
    """Of a client with an empty history, after it has unlocked and connected."""
    if not can_measure_processes():
        return []
    password_file = trial.folder / "password"
    password_file.write_text(PASSWORD + "\n")
    async with listening_client(trial.folder / "alice", password_file) as pid:
        held = memory_bytes(pid) / (1 << 20)
    return [Figure(name="client.memory", what="`coterie listen`, connected", unit="MiB", values=(held,))]

"""What sealed receipts cost both sides of a direct conversation, beside sealing what they are about."""

from __future__ import annotations

from collections.abc import Callable

from coterie.base.clock import cpu_seconds
from coterie.client.commands import Tick
from coterie.trials.client_messages import Mail, acquainted, mail_between
from coterie.trials.figures import Figure, Target
from coterie.trials.trial import Trial
from coterie.wire.frames import ClientFrame

DUE_MS = 10_000
"""By then a receipt is on its way (client/core/receipts.py)."""
TARGET = (Target(0.25, of_floor=True),)


async def run(trial: Trial) -> list[Figure]:
    """A receipt is cumulative: one envelope for all that came in the seconds before it."""
    batch = trial.scale.batch
    async with acquainted(trial) as mail:
        mail.exchange(batch)
        _receipt(mail, trial)
        rounds = [_round(mail, trial, batch) for _ in range(trial.scale.rounds)]
        alone = [_round(mail, trial, 1) for _ in range(trial.scale.rounds)]
    return [
        Figure(
            name="client.receipts.batch",
            what=f"a receipt told and heard, CPU of both for each of {batch} messages (floor: sealing it)",
            unit="us",
            values=tuple(cost for cost, _ in rounds),
            floor=tuple(seal for _, seal in rounds),
            targets=TARGET,
        ),
        Figure(
            name="client.receipts.single",
            what="the same where one message came in the seconds before (floor: sealing it)",
            unit="us",
            values=tuple(cost for cost, _ in alone),
            floor=tuple(seal for _, seal in alone),
        ),
    ]


def _round(mail: Mail, trial: Trial, count: int) -> tuple[float, float]:
    """CPU microseconds for a message: of its share of the receipt, and of sealing it."""
    receipts = seals = 0.0
    for _ in range(trial.scale.batches):
        seals += mail.exchange(count)
        receipts += _receipt(mail, trial)
    messages = count * trial.scale.batches
    return receipts / messages * 1e6, seals / messages * 1e6


def _receipt(mail: Mail, trial: Trial) -> float:
    """CPU seconds of telling what came, and of hearing it."""
    told: list[ClientFrame] = []
    seconds = _spent(lambda: told.extend(mail.bob.turn((Tick(),), DUE_MS)))
    arriving = mail_between(mail.bob, mail.alice, told, trial.clock.wall_ms())
    if not arriving:
        raise AssertionError("no receipt was told")
    return seconds + _spent(lambda: mail.alice.turn(arriving))


def _spent(do: Callable[[], object]) -> float:
    start = cpu_seconds()
    do()
    return cpu_seconds() - start

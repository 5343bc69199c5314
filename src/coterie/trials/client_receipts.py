"""What sealed receipts cost both sides of a direct conversation, beside sending what they are about."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from coterie.base.clock import cpu_seconds
from coterie.client.commands import Tick
from coterie.trials.client_messages import Mail, acquainted, mail_between
from coterie.trials.figures import Figure, Target
from coterie.trials.trial import Trial
from coterie.wire.frames import Accepted, ClientFrame, Envelopes

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
    what = f"a receipt told and heard, CPU of both for each of {batch} messages (floor: sealing it)"
    return [
        Figure(
            name="client.receipts.batch",
            what=what,
            unit="us",
            values=tuple(each.told_and_heard for each in rounds),
            floor=tuple(each.sealed for each in rounds),
        ),
        Figure(
            name="client.receipts.batch.answer",
            what="take the server's answer to such a receipt, CPU for each of them",
            unit="us",
            values=tuple(each.answered for each in rounds),
        ),
        Figure(
            name="client.receipts.batch.of_send",
            what=f"all of a receipt, CPU of both for each of {batch} messages (floor: all of sending it)",
            unit="us",
            values=tuple(each.told_and_heard + each.answered for each in rounds),
            floor=tuple(each.sealed + each.accepted for each in rounds),
            targets=TARGET,
        ),
        Figure(
            name="client.receipts.single",
            what="the same where one message came in the seconds before (floor: sealing it)",
            unit="us",
            values=tuple(each.told_and_heard for each in alone),
            floor=tuple(each.sealed for each in alone),
        ),
    ]


class _Round(msgspec.Struct, frozen=True):
    """CPU microseconds for a message: of its share of the receipt and of the server's answer to that, of
    sealing it and of taking the server's answer."""

    told_and_heard: float
    answered: float
    sealed: float
    accepted: float


def _round(mail: Mail, trial: Trial, count: int) -> _Round:
    receipts = answers = seals = accepts = 0.0
    for _ in range(trial.scale.batches):
        sealed, accepted = mail.exchange(count)
        seals += sealed
        accepts += accepted
        receipt, answer = _receipt(mail, trial)
        receipts += receipt
        answers += answer
    messages = count * trial.scale.batches
    return _Round(*(seconds / messages * 1e6 for seconds in (receipts, answers, seals, accepts)))


def _receipt(mail: Mail, trial: Trial) -> tuple[float, float]:
    """CPU seconds of telling what came and of hearing it, and of the server's answer to who told it."""
    told: list[ClientFrame] = []
    seconds = _spent(lambda: told.extend(mail.bob.turn((Tick(),), DUE_MS)))
    arriving = mail_between(mail.bob, mail.alice, told, trial.clock.wall_ms())
    if not arriving:
        raise AssertionError("no receipt was told")
    seconds += _spent(lambda: mail.alice.turn(arriving))
    answers = [Accepted(frame.request, 0) for frame in told if isinstance(frame, Envelopes)]
    return seconds, _spent(lambda: mail.bob.turn(answers))


def _spent(do: Callable[[], object]) -> float:
    start = cpu_seconds()
    do()
    return cpu_seconds() - start

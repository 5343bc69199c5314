"""How a trial of talk ends: quiet, one more start of everybody, a look into every store, and the check."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from coterie.trials.soak.crowd import CLAIMER
from coterie.trials.soak.figures import Figures, SoakResult, logged_errors
from coterie.trials.soak.speech import Look, Open
from coterie.trials.soak.stage import Stage
from coterie.trials.soak.traffic import Traffic
from coterie.trials.talk_check import Written, find_faults


async def settle(stage: Stage, traffic: Traffic) -> None:
    """Everybody comes back; what was typed is sent, what was sent arrives; then all start once more. Drained
    twice: what one sends at its end another has to take. Where anything of it does not come to pass in its
    time, nothing more is waited for: the check finds it."""
    for client in sorted(traffic.away):
        traffic.bring_back(client)
    crowd = stage.crowd
    if await stage.until(lambda: len(crowd.joined) == len(traffic.names) + 1):
        await stage.until(lambda: stage.obeyed() and crowd.ledger.unacknowledged <= 0)
    everybody = _present(stage)
    await stage.close(everybody)
    for client in everybody:
        stage.order(Open(client, stage.passphrase(client)))
    if await stage.drain_to_the_end(everybody) and await stage.drain_to_the_end(everybody):
        await stage.until(lambda: not crowd.ledger.owed())
    await stage.close(everybody)
    for client in everybody:
        marked = tuple(crowd.marks.get(client, {}).items())
        stage.order(Look(client, stage.passphrase(client), marked))
    await stage.until(lambda: crowd.stores.keys() >= set(everybody))


def judged(stage: Stage, traffic: Traffic, written: Written | None, logs: Iterable[Path]) -> SoakResult:
    """written: by the servers, which are stopped; None where one was restored from a copy meanwhile. logs:
    theirs."""
    crowd = stage.crowd
    faults = tuple(find_faults(crowd.ledger, crowd.stores.values(), written))
    failures = tuple(f"client {each.client}: {each.what}: {each.code}" for each in crowd.failures)
    errors = tuple(f"{each.logger}: {each.text}" for each in crowd.troubles) + tuple(
        line for log in logs for line in logged_errors(log)
    )
    figures = Figures.counted(
        faults,
        messages=crowd.ledger.messages,
        deliveries=crowd.ledger.deliveries,
        sign_ups=traffic.sign_ups,
        devices=traffic.log_ins,
        exhaustions=crowd.exhaustions,
        days=traffic.days,
        failures=len(failures),
        errors=len(errors),
    )
    return SoakResult(figures, faults, failures, errors)


def _present(stage: Stage) -> list[int]:
    return [client for client in stage.crowd.joined if client != CLAIMER and client not in stage.crowd.gone]

"""What `coterie soak`, `torture` and `overload` are given, with what they take where nothing is said."""

from __future__ import annotations

import secrets

import msgspec

from coterie.cli.arguments import Arguments
from coterie.cli.parser import UsageError

SEED_BITS = 32
LEAST_CLIENTS = 2
LEAST_SECONDS = 1.0


class Trial(msgspec.Struct, frozen=True):
    seconds: float
    clients: int
    seed: int


def trial_of(given: Arguments, seconds: float, clients: int) -> Trial:
    """Raises UsageError for a trial of nothing."""
    trial = Trial(
        seconds if given.trial_seconds is None else given.trial_seconds,
        clients if given.clients is None else given.clients,
        secrets.randbits(SEED_BITS) if given.seed is None else given.seed,
    )
    if trial.clients < LEAST_CLIENTS or trial.seconds < LEAST_SECONDS:
        raise UsageError("", f"it takes {LEAST_CLIENTS} clients and {LEAST_SECONDS:g} second at least")
    return trial

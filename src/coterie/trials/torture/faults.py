"""What is broken in a torture, and when: drawn from a seed, fault by fault."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import StrEnum
from random import Random  # noqa: TID251 - a plan has to be drawn again from its seed; nothing secret is

import msgspec

from coterie.trials.deaths import Death


class Kind(StrEnum):
    """The words of `--faults`."""

    KILL_SERVER = "kill-server"
    KILL_CLIENT = "kill-client"
    CUT = "cut"
    DELAY = "delay"
    HALF_OPEN = "half-open"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    SLOW_READER = "slow-reader"
    CLOCK = "clock"
    FULL_DISK = "full-disk"
    RESTORE_SERVER = "restore-server"
    REVOKE = "revoke"
    RESTORE_CLIENT = "restore-client"
    KILL_DATABASE = "kill-database"
    KILL_STANDBY = "kill-standby"
    KILL_BUS = "kill-bus"
    SILENT_BUS = "silent-bus"


class On(StrEnum):
    """The words of `--on`: what stands behind the clients."""

    SQLITE = "sqlite"
    """One server, and its file."""
    POSTGRES = "postgres"
    """One server, and a PostgreSQL."""
    CLUSTER = "cluster"
    """Two servers, a PostgreSQL with a synchronous standby, and NATS."""


_OF_A_FILE = frozenset({Kind.RESTORE_SERVER})
_OF_A_DATABASE = frozenset({Kind.KILL_DATABASE})
_OF_A_CLUSTER = frozenset({Kind.KILL_STANDBY, Kind.KILL_BUS, Kind.SILENT_BUS})
KINDS = {
    On.SQLITE: frozenset(Kind) - _OF_A_DATABASE - _OF_A_CLUSTER,
    On.POSTGRES: frozenset(Kind) - _OF_A_FILE - _OF_A_CLUSTER,
    On.CLUSTER: frozenset(Kind) - _OF_A_FILE,
}
"""What can be broken there. Where a server has no file, only a client's disk is full."""


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """due_seconds: after the traffic began. which: drawn at random, and reduced to what is there then.

    seconds: how long it lasts; where a process is killed: how long it stays down.
    """

    due_seconds: float
    kind: Kind
    which: int
    seconds: float
    death: Death = Death.ANYWHERE


_KILLS = (Kind.KILL_SERVER, Kind.KILL_CLIENT, Kind.KILL_DATABASE, Kind.KILL_STANDBY, Kind.KILL_BUS)
EVERY_SECONDS = 1.6
"""Between two faults, on average."""
QUIET_PART = 0.08
"""No fault in the last part of the traffic: what was broken last shows its effect in time."""
_OFTEN = {
    Kind.KILL_SERVER: 10,
    Kind.KILL_CLIENT: 25,
    Kind.CUT: 12,
    Kind.DELAY: 10,
    Kind.HALF_OPEN: 8,
    Kind.DUPLICATE: 8,
    Kind.REORDER: 8,
    Kind.SLOW_READER: 8,
    Kind.CLOCK: 4,
    Kind.FULL_DISK: 6,
    Kind.RESTORE_SERVER: 3,
    Kind.REVOKE: 2,
    Kind.RESTORE_CLIENT: 3,
    Kind.KILL_DATABASE: 5,
    Kind.KILL_STANDBY: 3,
    Kind.KILL_BUS: 5,
    Kind.SILENT_BUS: 5,
}
"""How often each comes, in proportion."""


def fault_plan(seed: int, seconds: float, kinds: Collection[Kind]) -> tuple[Fault, ...]:
    """In the order of their times. The same seed, seconds and kinds give the same plan."""
    return tuple(_drawn(Random(seed), seconds, sorted(kinds)))  # noqa: S311 - see above


def _drawn(dice: Random, seconds: float, kinds: list[Kind]) -> Iterator[Fault]:
    if not kinds:
        return
    now = 0.0
    while True:
        now += dice.expovariate(1 / EVERY_SECONDS)
        if now >= seconds * (1 - QUIET_PART):
            return
        kind = dice.choices(kinds, [_OFTEN[each] for each in kinds])[0]
        yield Fault(
            round(now, 2), kind, dice.randrange(1 << 20), _lasting(dice, kind), dice.choice(list(Death))
        )


def _lasting(dice: Random, kind: Kind) -> float:
    longest = 1.5 if kind in _KILLS else 6.0
    return round(dice.uniform(0.0, longest), 2)


_faults: msgspec.json.Decoder[Fault] = msgspec.json.Decoder(Fault)


def written_plan(faults: Collection[Fault]) -> str:
    """One fault a line, to be played again by `--plan`."""
    return "".join(msgspec.json.encode(fault).decode() + "\n" for fault in faults)


def read_plan(text: str) -> tuple[Fault, ...]:
    """Raises ValueError for anything that written_plan() did not make."""
    try:
        plan = tuple(_faults.decode(line) for line in text.splitlines())
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise ValueError("this is no plan of faults") from None
    if not plan:
        raise ValueError("no plan, but an empty file")
    return plan

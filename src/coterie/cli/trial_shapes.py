"""The JSON objects of the trials; as those of shapes.py, fields are added and never renamed."""

from __future__ import annotations

from coterie.cli.shapes import Shape


class FaultShape(Shape, frozen=True, kw_only=True):
    """soak: one thing that is wrong. where: the device; what: with ids, without texts."""

    fault: str
    where: str
    what: str


class TortureShape(Shape, frozen=True, kw_only=True):
    """torture, the last line. kills: processes killed; broken: how often each kind of fault was carried out.
    From lost on all have to be 0. wrong_state: altered, unsent, misstated, miscounted,
    failures and errors together."""

    messages: int
    kills: int
    lost: int
    doubled: int
    reordered: int
    unreadable: int
    wrong_state: int
    seed: int
    seconds: float
    deliveries: int
    broken: dict[str, int]
    on: str = "sqlite"
    folder: str = ""


class SoakShape(Shape, frozen=True, kw_only=True):
    """soak, the last line. All from lost on have to be 0; folder: of the run, where it was kept."""

    seed: int
    seconds: float
    messages: int
    deliveries: int
    sign_ups: int
    devices: int
    exhaustions: int
    days: int
    lost: int
    doubled: int
    reordered: int
    unreadable: int
    altered: int
    unsent: int
    misstated: int
    miscounted: int
    failures: int
    errors: int
    folder: str = ""


class OverloadShape(Shape, frozen=True, kw_only=True):
    """overload, its only line. Rates in messages a second, memory in MiB; what each is stands in
    docs/trials.md. missed: in words, what is not as it must be."""

    seconds: float
    sustained_rate: float
    offered: int
    accepted: int
    accepted_rate: float
    busy: int
    by_quota: int
    again: int
    speakers_busy: int
    p50_seconds: float
    p99_seconds: float
    most_seconds: float
    quiet_p50_seconds: float
    quiet_most_seconds: float
    quiet_busy: int
    drained_seconds: float
    undrained: int
    memory_before_mib: int
    memory_most_mib: int
    memory_curve_mib: tuple[int, ...]
    lost: int
    doubled: int
    refused: int
    missed: list[str]

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

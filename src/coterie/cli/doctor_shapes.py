"""The JSON object of `coterie doctor`: fields are added and never renamed."""

from __future__ import annotations

from coterie.base.version import VERSION
from coterie.cli.shapes import Shape
from coterie.client.api.health import Health


class HealthShape(Shape, frozen=True, kw_only=True):
    """doctor. link: offline, connecting, syncing, live or stopped. unopened: how many wait, by reason.
    told: the server is told of the two numbers before."""

    version: str
    name: str
    device_id: str
    link: str
    store_sound: bool
    undecryptable_now: int
    undecryptable_ever: int
    told: bool
    unopened: dict[str, int]
    queued: int
    well: bool


def health_shape(health: Health) -> HealthShape:
    return HealthShape(
        version=VERSION,
        name=health.name,
        device_id=health.device.hex(),
        link=health.link.value,
        store_sound=health.store_sound,
        undecryptable_now=health.undecryptable_now,
        undecryptable_ever=health.undecryptable_ever,
        told=health.told,
        unopened=health.unopened,
        queued=health.queued,
        well=health.is_well,
    )

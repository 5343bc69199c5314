"""What `coterie doctor` says of a profile."""

from __future__ import annotations

import msgspec

from coterie.base.ids import DeviceId, UserName
from coterie.base.version import VERSION
from coterie.cli.commands.doctor import _lines
from coterie.cli.doctor_shapes import health_shape
from coterie.client.api.health import Health
from coterie.client.events import LinkState

WELL = Health(UserName("alice"), DeviceId(b"d" * 16), LinkState.LIVE, True, 0, 3, {}, 0, told=False)
ILL = msgspec.structs.replace(
    WELL,
    link=LinkState.OFFLINE,
    store_sound=False,
    undecryptable_now=2,
    unopened={"no-key": 2},
    queued=1,
    told=True,
)


def test_the_object() -> None:
    assert msgspec.to_builtins(health_shape(ILL)) == {
        "version": VERSION,
        "name": "alice",
        "device_id": "64" * 16,
        "link": "offline",
        "store_sound": False,
        "undecryptable_now": 2,
        "undecryptable_ever": 3,
        "told": True,
        "unopened": {"no-key": 2},
        "queued": 1,
        "well": False,
    }


def test_the_lines() -> None:
    assert _lines(WELL)[1:] == [
        "connection: live",
        "store: sound",
        "messages that cannot be read now: 0, ever: 3",
        "the server is not told of these numbers",
        "waiting unopened: 0",
        "not sent yet: 0",
        "all is well",
    ]
    assert _lines(ILL)[1:] == [
        "connection: offline",
        "store: damaged",
        "messages that cannot be read now: 2, ever: 3",
        "the server is told of these numbers",
        "waiting unopened: 2 (no-key 2)",
        "not sent yet: 1",
        "other devices are asked for what is missing, by itself",
    ]

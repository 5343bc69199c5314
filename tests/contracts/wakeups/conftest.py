"""Each bus of wake-ups, and what makes one of its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from coterie.server.wakeups.local import LocalBus, Yard
from coterie.server.wakeups.nats import NatsBus
from coterie.server.wakeups.pgnotify import NotifyBus
from coterie.server.wakeups.protocol import Bus
from coterie.trials.engines.nats import node

Make = Callable[[], Bus]
"""One more on the same bus."""

IMPLEMENTATIONS = (
    "local",
    pytest.param("notify", marks=pytest.mark.slow),
    pytest.param("nats", marks=pytest.mark.slow),
)


@pytest.fixture(params=IMPLEMENTATIONS)
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    if request.param == "local":
        yard = Yard()
        yield lambda: LocalBus(yard)
    elif request.param == "notify":
        url = request.getfixturevalue("postgres_database")
        yield lambda: NotifyBus(url)
    else:
        with node() as server:
            yield lambda: NatsBus(server.url)

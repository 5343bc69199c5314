"""The one pattern: what a step of the core wants done (CONTRIBUTING.md, The one pattern).

The runtime carries it out in this order: commit, then send, then show.
"""

from __future__ import annotations

import msgspec

from coterie.client.events import Event
from coterie.client.store.records import Record
from coterie.wire.frames import ClientFrame


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """save: records of this step; send: frames, after the commit; show: events, last."""

    save: tuple[Record, ...] = ()
    send: tuple[ClientFrame, ...] = ()
    show: tuple[Event, ...] = ()


NOTHING = Outcome()

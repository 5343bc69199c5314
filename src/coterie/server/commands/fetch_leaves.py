"""FetchLeaves -> Leaves: the ledger, as far as a signed head covers it (encryption rule 19)."""

from __future__ import annotations

from coterie.base import limits
from coterie.server.commands.outcome import Outcome
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import FetchLeaves, Leaves


async def handle(frame: FetchLeaves, reads: Reads, realm: Realm) -> Outcome:
    ledger = realm.ledger
    end = min(ledger.size, frame.start + limits.LEAVES_PER_FRAME)
    leaves = await reads.leaves(frame.start, end)
    return Outcome(frame.request, reply=(Leaves(frame.request, frame.start, leaves, ledger.head),))

"""FetchLeaves -> Leaves: the ledger, as far as a signed head covers it (encryption rule 19)."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import FetchLeaves, Leaves


async def handle(frame: FetchLeaves, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    wait_seconds = realm.rates.fetches.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    ledger = realm.ledger
    end = min(ledger.size, frame.start + limits.LEAVES_PER_FRAME)
    leaves = await reads.leaves(frame.start, end)
    return Outcome(frame.request, reply=(Leaves(frame.request, frame.start, leaves, ledger.head),))

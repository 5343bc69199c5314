"""FetchLeaves -> Leaves: the ledger, as far as a signed head covers it (encryption rule 19).

Where sign-up is open a stranger may ask too: anybody could make an account and see the same, and a server
that does not know who asks cannot show this one something else (docs/decisions/0025).
"""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.server.caller import Caller
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import FetchLeaves, Leaves


async def handle(frame: FetchLeaves, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    if who.signed_in is None and not realm.open_signup:
        return refusal(frame.request, Code.NOT_SIGNED_IN)
    asking = who.address if who.signed_in is None else who.signed_in.account
    wait_seconds = realm.rates.fetches.take(asking, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    ledger = realm.ledger
    end = min(ledger.size, frame.start + limits.LEAVES_PER_FRAME)
    leaves = await reads.leaves(frame.start, end)
    return Outcome(frame.request, reply=(Leaves(frame.request, frame.start, leaves, ledger.head),))

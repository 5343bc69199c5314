"""ShowHead -> Accepted: whether a client was shown more of the ledger than is here (docs/protocol.md 3.13).

A head that this server's key signed, over more leaves than it has ever signed as far as its data knows,
proves that the data is a copy. Nobody can make one who has not the ledger key, so no client can move a
healthy server.
"""

from __future__ import annotations

import logging

from coterie.base.errors import RemoteError, SealBroken
from coterie.ledger.heads import Head, SignedHead, check_head
from coterie.server.caller import Caller
from coterie.server.commands.outcome import BeginAnew, Outcome
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.lives import RESTORED
from coterie.server.store.protocol import Reads
from coterie.server.store.records import PutFact
from coterie.wire.frames import Accepted, ShowHead

log = logging.getLogger("coterie.server")


async def handle(frame: ShowHead, who: Caller, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Signatures are looked at only where the head is beyond our own, and the database only where they are
    good: another server of this data may have signed it."""
    done = Outcome(frame.request, reply=(Accepted(frame.request, 0),))
    try:
        signed = SignedHead.unpack(frame.head)
        shown = Head.unpack(signed.payload)
        own = Head.unpack(SignedHead.unpack(realm.ledger.head).payload)
        if shown.ledger != own.ledger or shown.size <= own.size:
            return done
        if realm.rates.heads.take(who.address, now.monotonic_seconds):
            return done
        check_head(signed, realm.ledger_key, own.ledger)
        newest = await reads.head()
        if newest is None or shown.size <= newest.size:
            return done
    except (RemoteError, SealBroken):
        return done
    log.critical("somebody has a newer ledger of ours: this data is a copy, and begins anew")
    return Outcome(frame.request, save=PutFact(RESTORED, b"1"), push=(BeginAnew(),))

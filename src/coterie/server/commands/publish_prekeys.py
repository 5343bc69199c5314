"""PublishPrekeys -> Accepted: more one-time keys, or new standing ones (encryption rule 3)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.ledger.manifest import SignedManifest
from coterie.server.caller import SignedIn
from coterie.server.commands.manifests import checked_keys
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.server.store.records import PutPrekeys
from coterie.wire.frames import PublishPrekeys


async def handle(frame: PublishPrekeys, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """Rates come before signatures, each of which costs the server a tenth of a millisecond."""
    wait_seconds = realm.rates.prekeys.take(who.account, now.monotonic_seconds, len(frame.prekeys))
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    row = await reads.account(who.account)
    entry = SignedManifest.unpack(row.manifest).manifest.entry(who.device) if row is not None else None
    if entry is None or not entry.live:
        return refusal(frame.request, Code.REVOKED)
    try:
        keys = checked_keys(frame.prekeys, who.account, entry, now)
    except Refused as error:
        return refusal(frame.request, error.code)
    return Outcome(frame.request, save=PutPrekeys(who.device, keys, now.wall_ms))

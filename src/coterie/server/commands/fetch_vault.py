"""FetchVault -> VaultGiven: a device gets its own account's vault (encryption rules 2 and 6)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.protocol import Reads
from coterie.wire.frames import FetchVault, VaultGiven


async def handle(frame: FetchVault, who: SignedIn, reads: Reads, realm: Realm, now: Now) -> Outcome:
    """What a device had at its enrolment it gets again; of others' vaults nothing."""
    wait_seconds = realm.rates.fetches.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    row = await reads.account(who.account)
    if row is None:
        return refusal(frame.request, Code.UNKNOWN_PERSON)
    return Outcome(frame.request, reply=(VaultGiven(frame.request, row.vault),))

"""Claim -> Claimed: one-time keys, each given out once (encryption rule 3)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.records import ClaimKeys
from coterie.wire.frames import Claim


def handle(frame: Claim, who: SignedIn, realm: Realm, now: Now) -> Outcome:
    wait_seconds = realm.rates.claims.take(who.account, now.monotonic_seconds, len(frame.devices))
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    devices = tuple((AccountId(each.account), DeviceId(each.device)) for each in frame.devices)
    return Outcome(frame.request, save=ClaimKeys(devices, now.wall_ms))

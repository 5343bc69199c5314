"""WatchApprovals -> Accepted: a person looks for devices that want to join their account."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import HandOnApproval, Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.wire.frames import Accepted, WatchApprovals


def handle(frame: WatchApprovals, who: SignedIn, realm: Realm, now: Now) -> Outcome:
    if frame.seconds:
        wait_seconds = realm.rates.approval_watches.take(who.account, now.monotonic_seconds)
        if wait_seconds:
            return refusal(frame.request, Code.TOO_MANY_TRIES, wait_seconds)
    return Outcome(frame.request, reply=(Accepted(frame.request, 0),), push=(HandOnApproval(frame),))

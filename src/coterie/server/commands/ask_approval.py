"""AskApproval -> Accepted: a device without an account asks those of a name (encryption rule 8)."""

from __future__ import annotations

from coterie.base.codes import Code
from coterie.server.caller import Caller
from coterie.server.commands.outcome import HandOnApproval, Outcome, refusal
from coterie.server.policy import Now, Tried
from coterie.server.realm import Realm
from coterie.wire.frames import Accepted, AskApproval


async def handle(frame: AskApproval, who: Caller, realm: Realm, now: Now) -> Outcome:
    """The name is not looked up: the answer is the same for a name that nobody has."""
    if not who.loopback:
        wait_seconds = await realm.tries.take(Tried.APPROVAL, (who.address,), now.monotonic_seconds)
        if wait_seconds:
            return refusal(frame.request, Code.TOO_MANY_TRIES, wait_seconds)
    return Outcome(frame.request, reply=(Accepted(frame.request, 0),), push=(HandOnApproval(frame),))

"""Accept -> Accepted: this account wants messages of that one, which then has more room in its mailboxes."""

from __future__ import annotations

from coterie.base.ids import AccountId
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome
from coterie.server.store.records import PutAccept
from coterie.wire.frames import Accept


def handle(frame: Accept, who: SignedIn) -> Outcome:
    return Outcome(frame.request, save=PutAccept(who.account, AccountId(frame.account)))

"""Send -> Accepted: a sealed message for a conversation's log (docs/protocol.md, Sending)."""

from __future__ import annotations

from functools import lru_cache

from coterie.base.codes import Code
from coterie.base.conversations import direct_id, membership_hash
from coterie.base.ids import AccountId, ConversationId, MessageId, SessionId
from coterie.server.caller import Caller, SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now, spared_from
from coterie.server.realm import Realm
from coterie.server.store.records import AppendMessage
from coterie.wire.frames import Send


@lru_cache(4096)
def _direct(account: AccountId, to: AccountId) -> tuple[ConversationId, bytes]:
    """The conversation of two, and the hash of who is in it."""
    conversation = direct_id(account, to)
    return conversation, membership_hash(conversation)


_membership_hash = lru_cache(16)(membership_hash)


def handle(frame: Send, caller: Caller, who: SignedIn, realm: Realm, now: Now) -> Outcome:
    """Reads nothing: what decides is checked where the message is saved."""
    if frame.to:
        conversation, membership = _direct(who.account, AccountId(frame.to))
    else:
        conversation, membership = realm.everyone, _membership_hash(realm.everyone)
    if frame.conversation != conversation or frame.membership != membership:
        return refusal(frame.request, Code.NOT_A_MEMBER)
    wait_seconds = realm.rates.messages.take(who.account, now.monotonic_seconds)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    record = AppendMessage(
        who.account,
        who.device,
        conversation,
        frame.to,
        SessionId(frame.session),
        MessageId(frame.message),
        frame.previous,
        frame.ciphertext,
        frame.commitment,
        realm.franking_mac(frame.commitment, who.account, who.device, conversation, now.wall_ms),
        -1
        if caller.refused_view is None
        else spared_from(caller.refused_view, frame.message, frame.ledger_size),
        now.wall_ms,
    )
    return Outcome(frame.request, record)

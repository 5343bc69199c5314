"""Envelopes -> Accepted: sealed keys into mailboxes, and rows of who has a session's key."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import AccountId, ConversationId, DeviceId, EnvelopeId, SessionId
from coterie.server.caller import SignedIn
from coterie.server.commands.outcome import Outcome, refusal
from coterie.server.policy import Now
from coterie.server.realm import Realm
from coterie.server.store.records import LeftOut, NewEnvelope, PostEnvelopes
from coterie.wire.frames import Envelopes
from coterie.wire.frames.messages import EnvelopeItem

LEFT_OUT_REASONS = frozenset(
    {
        Code.BAD_PREKEY.value,
        Code.NO_PREKEY.value,
        Code.MAILBOX_FULL.value,
        Code.UNPROVEN.value,
        Code.UNCONFIRMED.value,
    }
)


def handle(frame: Envelopes, who: SignedIn, realm: Realm, now: Now) -> Outcome:
    """One large envelope (a repair) stands alone in its frame."""
    large = any(len(item.sealed) > limits.ENVELOPE_BYTES for item in frame.items)
    if large and len(frame.items) > 1:
        return refusal(frame.request, Code.TOO_LARGE)
    if any(left.reason not in LEFT_OUT_REASONS for left in frame.left_out):
        return refusal(frame.request, Code.BAD_FRAME)
    more = sum(len(item.share.more) for item in frame.items if item.share is not None)
    rows = len(frame.items) + more + len(frame.left_out)
    wait_seconds = realm.rates.fan_out.take(who.account, now.monotonic_seconds, rows)
    if wait_seconds:
        return refusal(frame.request, Code.BUSY, wait_seconds)
    left_out = tuple(
        LeftOut(
            ConversationId(left.conversation), SessionId(left.session), DeviceId(left.device), left.reason
        )
        for left in frame.left_out
    )
    record = PostEnvelopes(
        account=who.account,
        device=who.device,
        peer=frame.to,
        items=tuple(_new(item) for item in frame.items),
        left_out=left_out,
        now_ms=now.wall_ms,
    )
    return Outcome(frame.request, save=record)


def _new(item: EnvelopeItem) -> NewEnvelope:
    return NewEnvelope(
        AccountId(item.account),
        DeviceId(item.device),
        EnvelopeId(item.envelope),
        item.sealed,
        ConversationId(item.share.conversation) if item.share is not None else None,
        tuple(map(SessionId, item.share.sessions)) if item.share is not None else (),
    )

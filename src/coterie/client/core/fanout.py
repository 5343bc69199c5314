"""Envelopes on their way: keys to devices in slices, claims, who was left out, and giving them again."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from itertools import chain

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId, EnvelopeId, SessionId
from coterie.client.core.ports import Reads
from coterie.client.core.requests import ClaimAsked, EnvelopesGiven, ReceiptsGiven, RepairClaimed, Requests
from coterie.client.core.sharing import SessionKeyAt, Sharing
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import (
    ConversationRow,
    DropEnvelopeOut,
    DropGroupOut,
    DropPeerFreshKey,
    PeerDevice,
    Record,
    ShareRow,
    ShareState,
)
from coterie.content.receipts import Receipts
from coterie.e2ee.pairwise import PlainKind
from coterie.wire.frames import Claim, ClientFrame, Envelopes
from coterie.wire.frames.messages import EnvelopeItem, LeftOutDevice, Share
from coterie.wire.frames.shared import DeviceRef, Refusal

log = logging.getLogger("coterie.client.fanout")

_items = msgspec.msgpack.Decoder(EnvelopeItem)
SLICE = limits.ENVELOPES_PER_FRAME


def _too_late(since_ms: int, now_ms: int) -> bool:
    """Whether what was sealed then is not given to the server any more; the clock may have been put back."""
    return not since_ms - limits.CLOCK_SKEW_MS <= now_ms <= since_ms + limits.GIVE_AGAIN_MS


class Fanout:
    """Turns shares into Envelopes frames and their answers into rows."""

    def __init__(self, reads: Reads, sharing: Sharing, requests: Requests) -> None:
        self._reads = reads
        self._sharing = sharing
        self._requests = requests

    def share(
        self,
        conversation: ConversationRow,
        keys: tuple[SessionKeyAt, ...],
        devices: tuple[PeerDevice, ...],
        now_ms: int,
    ) -> Generator[Outcome, None, tuple[PeerDevice, ...]]:
        """Give keys to devices, a frame at a time; returns those that have to be claimed first."""
        unclaimed: list[PeerDevice] = []
        for start in range(0, len(devices), SLICE):
            shared = self._sharing.share(conversation, keys, devices[start : start + SLICE], now_ms)
            unclaimed.extend(shared.unclaimed)
            if shared.save:
                frame = self._frame(shared.envelopes, shared.left_out, conversation.peer, now_ms)
                kept = (self._kept(conversation, key, now_ms) for key in keys)
                yield Outcome(save=(*chain.from_iterable(kept), *shared.save), send=(frame,))
        return tuple(unclaimed)

    def _kept(self, conversation: ConversationRow, key: SessionKeyAt, now_ms: int) -> tuple[Record, ...]:
        """The key as it is given: a device may turn out to be unreachable, and is owed it from here on."""
        if self._reads.kept_key_at(key.session, key.index) is not None:
            return ()
        return (key.kept(conversation.id, now_ms),)

    def tell(self, devices: tuple[PeerDevice, ...], kind: PlainKind, content: bytes, now_ms: int) -> Outcome:
        """Say something that is no key to own devices: fewer than a slice."""
        told = self._sharing.tell(devices, kind, content, now_ms)
        send = (self._frame(told.envelopes, (), b"", now_ms),) if told.envelopes else ()
        return Outcome(save=told.save, send=send)

    def tell_receipts(
        self, device: PeerDevice, receipts: Receipts, given: ReceiptsGiven, now_ms: int
    ) -> Outcome:
        """Tell a device what is due to it. That stays due until the server has the envelope, which is not
        kept."""
        told = self._sharing.tell_once(device, PlainKind.RECEIPT, receipts.pack(), now_ms)
        if told is None:
            return NOTHING
        item, stepped = told
        return Outcome(
            save=(stepped,), send=(Envelopes(self._requests.new(given, now_ms), (item,), (), b""),)
        )

    def claim(
        self, conversation: ConversationRow, session: SessionId, devices: tuple[PeerDevice, ...], now_ms: int
    ) -> Outcome:
        """Ask for one-time keys of the first devices; the rest follows with the next turn of the line."""
        refs = tuple(DeviceRef(each.account, each.device) for each in devices[:SLICE])
        request = self._requests.new(ClaimAsked(refs, conversation.id, session), now_ms)
        return Outcome(send=(Claim(request, refs),))

    def claim_to_mend(self, devices: tuple[PeerDevice, ...], now_ms: int) -> Outcome:
        """The same of devices that a message is asked of, or given to again: of the first ones."""
        refs = tuple(DeviceRef(each.account, each.device) for each in devices[:SLICE])
        if not refs:
            return NOTHING
        return Outcome(send=(Claim(self._requests.new(RepairClaimed(refs), now_ms), refs),))

    def leave_out(
        self,
        conversation: ConversationRow,
        key: SessionKeyAt,
        device: PeerDevice,
        reason: Code,
        now_ms: int,
    ) -> Outcome:
        """A device gets no key of this session now."""
        marked = self._sharing.leave_out(conversation, key, device, reason, now_ms)
        frame = self._frame((), marked.left_out, conversation.peer, now_ms)
        return Outcome(save=marked.save, send=(frame,))

    def leave_out_all(
        self,
        conversation: ConversationRow,
        key: SessionKeyAt,
        devices: tuple[PeerDevice, ...],
        held: frozenset[DeviceId],
        now_ms: int,
    ) -> Iterator[Outcome]:
        """Those of the devices that the person has to confirm first get no key of this session now."""
        for device in devices:
            if device.device in held:
                yield self.leave_out(conversation, key, device, Code.UNCONFIRMED, now_ms)

    def say_left_out(
        self,
        conversation: ConversationRow,
        session: SessionId,
        devices: tuple[tuple[DeviceRef, str], ...],
        index: int,
        now_ms: int,
        *,
        never: frozenset[DeviceId] = frozenset(),
    ) -> Outcome:
        """Tell the server which devices it wants served do not get this session's key, and why. One that is
        not proven is noted: it is owed the key from this index on, should it ever be. never: who is owed
        nothing of it."""
        left_out = tuple(
            LeftOutDevice(conversation.id, session, DeviceId(ref.device), reason) for ref, reason in devices
        )
        rows = tuple(
            ShareRow(
                session, DeviceId(ref.device), AccountId(ref.account), ShareState.LEFT_OUT, reason, index
            )
            for ref, reason in devices
            if ref.device not in never and self._reads.share_of(session, DeviceId(ref.device)) is None
        )
        return Outcome(save=rows, send=(self._frame((), left_out, conversation.peer, now_ms),))

    def give_again(self, now_ms: int) -> Iterator[Outcome]:
        """On a new connection: every envelope that was not accepted, with the same bytes, a large one in a
        frame of its own; those that waited for too long are given up."""
        yield Outcome(save=tuple(self._given_up(now_ms)))
        batch: list[EnvelopeItem] = []
        to = b""
        for row in self._reads.envelopes_out():
            large = len(row.item) > limits.ENVELOPE_BYTES
            if batch and (large or row.to != to or len(batch) == SLICE):
                yield Outcome(send=(self._frame(tuple(batch), (), to, now_ms),))
                batch = []
            to = row.to
            batch.append(_items.decode(row.item))
            if large:
                yield Outcome(send=(self._frame(tuple(batch), (), to, now_ms),))
                batch = []
        if batch:
            yield Outcome(send=(self._frame(tuple(batch), (), to, now_ms),))

    def _given_up(self, now_ms: int) -> Iterator[Record]:
        """What was sealed too long ago may open with no key any more: whom it was for is owed it anew. So is
        everybody who was given the key of a message that still waits: mailboxes may have lost it since."""
        for row in self._reads.envelopes_out():
            if _too_late(row.since_ms, now_ms):
                yield DropEnvelopeOut(row.envelope)
                given = _items.decode(row.item).share
                for share in self._shares_of(given, row.device) if given is not None else ():
                    yield from self._owed_anew(share)
        for session in self._reads.sealed_sessions():
            key = self._reads.kept_key(session)
            if key is not None and _too_late(key.since_ms, now_ms):
                for share in self._reads.shares(session):
                    yield from self._owed_anew(share)

    def _owed_anew(self, share: ShareRow) -> Iterator[Record]:
        """And nothing more is sealed by that session, so no message names the device as left out."""
        if share.state is ShareState.LEFT_OUT:
            return
        yield msgspec.structs.replace(share, state=ShareState.LEFT_OUT, reason=Code.NO_PREKEY.value)
        key = self._reads.kept_key(share.session)
        out = self._reads.group_out(key.conversation) if key is not None else None
        if out is not None and out.session == share.session:
            yield DropGroupOut(out.conversation)

    def accepted(self, given: EnvelopesGiven) -> Outcome:
        """The server has these envelopes in its mailboxes."""
        save: list[Record] = []
        for item in given.items:
            save.append(DropEnvelopeOut(EnvelopeId(item.envelope)))
            if item.share is not None:
                save.extend(
                    msgspec.structs.replace(share, state=ShareState.SHARED)
                    for share in self._shares_of(item.share, item.device)
                    if share.state is ShareState.PENDING
                )
        return Outcome(save=tuple(save))

    def refused(self, given: EnvelopesGiven, refusal: Refusal, code: Code, now_ms: int) -> Iterator[Outcome]:
        """Some devices could not be served: leave them out, give the others again. Of a direct conversation
        the server is not told by this: it must not take messages that nobody there could open."""
        named = {ref.device for ref in refusal.devices} or {item.device for item in given.items}
        reason = code if code is Code.MAILBOX_FULL else Code.NO_PREKEY
        log.info("envelopes refused: %s for %d devices", code.value, len(named))
        save: list[Record] = []
        left_out: list[LeftOutDevice] = []
        for item in given.items:
            if item.device not in named:
                continue
            save += (DropEnvelopeOut(EnvelopeId(item.envelope)), DropPeerFreshKey(DeviceId(item.device)))
            if item.share is not None:
                save.extend(
                    msgspec.structs.replace(share, state=ShareState.LEFT_OUT, reason=reason.value)
                    for share in self._shares_of(item.share, item.device)
                )
                if item.account != given.to:
                    left_out.extend(
                        LeftOutDevice(item.share.conversation, session, item.device, reason.value)
                        for session in item.share.sessions
                    )
        rest = tuple(item for item in given.items if item.device not in named)
        send = (self._frame(rest, tuple(left_out), given.to, now_ms),) if rest or left_out else ()
        yield Outcome(save=tuple(save), send=send)

    def _shares_of(self, share: Share, device: bytes) -> list[ShareRow]:
        """What is known of the keys in an envelope."""
        rows = (self._reads.share_of(SessionId(each), DeviceId(device)) for each in share.sessions)
        return [row for row in rows if row is not None]

    def _frame(
        self,
        items: tuple[EnvelopeItem, ...],
        left_out: tuple[LeftOutDevice, ...],
        to: bytes,
        now_ms: int,
    ) -> ClientFrame:
        request = self._requests.new(EnvelopesGiven(items, to), now_ms)
        return Envelopes(request, items, left_out, to)

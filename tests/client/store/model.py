"""What the store promises, in plain Python: the same questions answered from dictionaries.

A dictionary keeps a replaced entry at its place, as the store does.
"""

from __future__ import annotations

from typing import Any

import msgspec

from coterie.client.events import MessageState
from coterie.client.store import records as r
from tests.client.store.model_reads import KEYS, ModelReads, R


class Conflict(Exception):
    """The record does not fit: the store must say LocalError."""


def _replace(row: R, **changes: Any) -> R:
    return msgspec.structs.replace(row, **changes)


class Model(ModelReads):
    """Takes records as the store does."""

    def _put(self, row: msgspec.Struct) -> None:
        if isinstance(row, r.MessageRow) and self._has_come(row):
            row = _replace(row, state=MessageState.DELIVERED)
        self._rows[type(row)][tuple(getattr(row, name) for name in KEYS[type(row)])] = row

    def _has_come(self, row: r.MessageRow) -> bool:
        told = self._of(r.Delivered, session=row.session)
        had = any(each.first_index <= row.index <= each.up_to for each in told)
        return had and row.own and row.state is MessageState.SENT

    def _drop(self, kind: type[R], gone: list[R]) -> None:
        for row in gone:
            del self._rows[kind][tuple(getattr(row, name) for name in KEYS[kind])]

    def _change(self, kind: type[R], row: R | None, **changes: object) -> None:
        if row is None:
            raise Conflict(kind)
        self._put(_replace(row, **changes))

    def apply(self, record: r.Record) -> None:
        match record:
            case r.MessageRow():
                self._put_message(record)
            case r.MessageAccepted(order, seq, server_ms, mac, state):
                row = self.message(order)
                mac = mac or (row.mac if row else b"")
                self._change(r.MessageRow, row, seq=seq, server_ms=server_ms, state=state, mac=mac)
            case r.ReadUpTo() | r.ReadElsewhere() | r.ReadTold():
                self._read(record)
            case r.PutDraft(conversation, draft):
                self._change(r.ConversationRow, self.conversation(conversation), draft=draft)
            case r.PutLeaves(start, leaves, head):
                if start > len(self._leaves):
                    raise Conflict(record)
                self._leaves[start:] = leaves
                self._put(r.PutSetting(r.Setting.HEAD, head))
            case r.PruneXWing(replaced_before_ms):
                replaced = [row for row in self._of(r.OwnXWing) if 0 < row.replaced_ms <= replaced_before_ms]
                self._drop(r.OwnXWing, replaced)
            case r.BecomeDevice() | r.GiveUp() | r.Delivered() | r.DropReceived():
                self._change_outbox(record)
            case r.PassFreshKeys() | r.DropPeerFreshKey():
                self._apply_fresh(record)
            case r.PruneOutbox() | r.PruneGroupIn() | r.PruneFreshKeys():
                self._prune(record)
            case _:
                self._put_or_drop(record)

    def _put_or_drop(self, record: r.Record) -> None:
        match record:
            case r.DropSetting() | r.DropOlm() | r.DropGroupOut() | r.DropEnvelopeOut():
                self._apply_drop(record)
            case r.DropWaiting() | r.DropReceiptDue() | r.DropAwaited():
                self._apply_drop(record)
            case _:
                self._put(record)

    def _receipted(self, record: r.Delivered | r.DropReceived) -> None:
        match record:
            case r.Delivered(session, first_index, up_to):
                known = self._one(r.Delivered, session=session, first_index=first_index)
                self._put(_replace(record, up_to=max(up_to, known.up_to if known else 0)))
                for row in self._of(r.MessageRow, session=session):
                    self._put(row)
            case r.DropReceived(first_order, last_order):
                sent = self._of(r.OutboxRow, state="sent")
                self._drop(r.OutboxRow, [row for row in sent if first_order <= row.order <= last_order])

    def _read(self, record: r.ReadUpTo | r.ReadElsewhere | r.ReadTold) -> None:
        known = self.conversation(record.conversation)
        marks = (known.read_order, known.read_seq, known.told_seq) if known else (0, 0, 0)
        match record:
            case r.ReadUpTo(_, order):
                self._change(r.ConversationRow, known, read_order=max(order, marks[0]))
            case r.ReadElsewhere(_, seq):
                self._change(
                    r.ConversationRow, known, read_seq=max(seq, marks[1]), told_seq=max(seq, marks[2])
                )
            case r.ReadTold(_, seq):
                self._change(r.ConversationRow, known, told_seq=max(seq, marks[2]))

    def _change_outbox(self, record: r.BecomeDevice | r.GiveUp | r.Delivered | r.DropReceived) -> None:
        match record:
            case r.Delivered() | r.DropReceived():
                self._receipted(record)
            case r.BecomeDevice():
                self._become(record)
            case r.GiveUp(order):
                self._give_up(order)

    def _give_up(self, order: int) -> None:
        queued, row = self.outbox_row(order), self.message(order)
        if queued is not None and row is not None:
            if queued.state is r.OutboxState.SEALED:
                self._put(_replace(row, state=MessageState.UNSURE))
            elif queued.state is r.OutboxState.WAITING:
                self._drop(r.MessageRow, [row])
        self._drop(r.OutboxRow, [queued] if queued else [])

    def _prune(self, record: r.PruneOutbox | r.PruneGroupIn | r.PruneFreshKeys) -> None:
        before_ms = record.before_ms
        match record:
            case r.PruneOutbox():
                old = [row for row in self._of(r.OutboxRow, state="sent") if row.since_ms < before_ms]
                self._drop(r.OutboxRow, old)
                self._drop(r.KeptKey, [row for row in self._of(r.KeptKey) if self._useless(row, before_ms)])
                self._drop(r.ReceiptRow, [row for row in self._of(r.ReceiptRow) if self._over(row)])
                self._drop(r.PastSigned, [row for row in self._of(r.PastSigned) if row.since_ms < before_ms])
            case r.PruneGroupIn():
                for session in [row for row in self._of(r.GroupInRow) if self._followed(row, before_ms)]:
                    self._put(_replace(session, pickle=b""))
            case r.PruneFreshKeys():
                every = self._of(r.OwnFreshKey)
                self._drop(r.OwnFreshKey, [own for own in every if 0 < own.passed_ms < before_ms])

    def _apply_fresh(self, record: r.PassFreshKeys | r.DropPeerFreshKey) -> None:
        match record:
            case r.PassFreshKeys(device, id, now_ms):
                for own in self._of(r.OwnFreshKey, device=device, passed_ms=0):
                    if own.id < id:
                        self._put(_replace(own, passed_ms=now_ms))
            case r.DropPeerFreshKey(device):
                for given in self._of(r.PeerFreshKey, device=device):
                    self._put(_replace(given, key=b""))

    def _useless(self, row: r.KeptKey, before_ms: int) -> bool:
        queued = (self.message(each.order) for each in self._of(r.OutboxRow))
        if row.session in {each.session for each in queued if each is not None and each.session}:
            return False
        used = {each.session for each in self._of(r.GroupOutRow)}
        used |= {each.session for each in self._of(r.ShareRow, state="pending")}
        used |= {each.session for each in self._of(r.ShareRow, state="left-out") if self._missed(each)}
        return row.since_ms < before_ms or row.session not in used

    def _over(self, row: r.ReceiptRow) -> bool:
        """Whether nothing of its session is sent any more, or kept to be sent again."""
        kept = (self.message(queued.order) for queued in self._of(r.OutboxRow))
        used = {message.session for message in kept if message is not None}
        return row.session not in used | {out.session for out in self._of(r.GroupOutRow)}

    def _followed(self, row: r.GroupInRow, before_ms: int) -> bool:
        same = self._of(r.GroupInRow, conversation=row.conversation, account=row.account, device=row.device)
        later = [o for o in same if o.begun_seq > row.begun_seq and o.begun_ms <= before_ms]
        waits = self._of(r.WaitingRow, session=row.session, device=row.device, reason="no-key")
        return row.begun_seq > 0 and bool(later) and not waits

    def _apply_drop(
        self,
        record: r.DropSetting
        | r.DropOlm
        | r.DropGroupOut
        | r.DropEnvelopeOut
        | r.DropWaiting
        | r.DropReceiptDue
        | r.DropAwaited,
    ) -> None:
        match record:
            case r.DropSetting(key):
                self._drop(r.PutSetting, self._of(r.PutSetting, key=key))
            case r.DropOlm(session):
                for olm in self._of(r.OlmRow, session=session):
                    self._put(_replace(olm, pickle=b""))
            case r.DropGroupOut(conversation):
                every = self._of(r.GroupOutRow)
                self._drop(r.GroupOutRow, [g for g in every if conversation in (b"", g.conversation)])
            case r.DropEnvelopeOut(envelope):
                self._drop(r.EnvelopeOut, self._of(r.EnvelopeOut, envelope=envelope))
            case r.DropReceiptDue(session, device):
                self._drop(r.ReceiptDue, self._of(r.ReceiptDue, session=session, device=device))
            case r.DropAwaited(conversation, device, message, first_n):
                same = self._of(r.AwaitedRow, conversation=conversation, device=device, message=message)
                self._drop(r.AwaitedRow, [row for row in same if row.first_n == first_n])
            case r.DropWaiting(stream, seq):
                self._drop(r.WaitingRow, self._of(r.WaitingRow, stream=stream, seq=seq))

    def _forget_the_device(self) -> None:
        for keys in (r.OwnXWing, r.OwnFreshKey, r.PeerFreshKey, r.KeptKey):
            self._rows[keys].clear()
        for kind in (r.GroupOutRow, r.ShareRow, r.EnvelopeOut, r.PositionRow, r.ReceiptRow, r.ReceiptDue):
            self._rows[kind].clear()
        for awaited in (r.AwaitedRow, r.RepairGiven):
            self._rows[awaited].clear()

    def _become(self, record: r.BecomeDevice) -> None:
        self._forget_the_device()
        for olm in self._of(r.OlmRow):
            self._put(_replace(olm, pickle=b""))
        for tip in self._of(r.TipRow):
            self._put(_replace(tip, first_n=0, held=0, named_n=0, told=0, anew_from=0))
        self._drop(r.WaitingRow, self._of(r.WaitingRow))
        for row in self._of(r.ConversationRow):
            last = self._one(r.MessageRow, conversation=row.id, device=record.before, message=row.out_message)
            if last is not None:
                self._put(r.TipRow(row.id, record.before, row.out_n, row.out_hash, last.order))
            self._put(_replace(row, out_n=0, out_hash=b"", out_message=b""))
        for queued in self._of(r.OutboxRow):
            message = self._one(r.MessageRow, order=queued.order)
            sure = queued.order >= record.sure_from
            if not sure and queued.state is not r.OutboxState.SENT and message is not None:
                self._put(_replace(message, state=MessageState.UNSURE))
            if sure and queued.state is r.OutboxState.WAITING:
                if message is not None:
                    self._put_message(_replace(message, device=record.device))
            else:
                self._drop(r.OutboxRow, [queued])
        for key in (r.Setting.RUN, r.Setting.PENDING_PREKEYS):
            self._drop(r.PutSetting, self._of(r.PutSetting, key=key))

    def _put_message(self, row: r.MessageRow) -> None:
        same = self._of(r.MessageRow, conversation=row.conversation, device=row.device, message=row.message)
        if row.session:
            same += self._of(r.MessageRow, device=row.device, session=row.session, index=row.index)
        if row.n:
            same += self._of(r.MessageRow, conversation=row.conversation, device=row.device, n=row.n)
        if any(other.order != row.order for other in same):
            raise Conflict(row)
        self._put(row)
        self._last_order = max(self._last_order, row.order)

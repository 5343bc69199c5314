"""Who is given a message again, and what counts as one that was given (encryption rule 24).

Repair must open nothing for whoever could not have opened the message: no ghost, no stolen or new device, no
former member; and nobody's word may put another text in its place (docs/decisions/0038).
"""

from __future__ import annotations

import hashlib
import hmac

from coterie.base.codes import Code
from coterie.base.conversations import membership_hash
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, ConversationId, MessageId, SessionId
from coterie.base.quiet import Quiet
from coterie.client.core.awaited import Awaiting
from coterie.client.core.late_back import LateBack
from coterie.client.core.ledgers_seen import LedgersSeen
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.trust import Trust
from coterie.client.core.views import marks_of, packed_left_out
from coterie.client.events import MessageState
from coterie.client.store.records import AwaitedRow, MessageRow, PeerDevice
from coterie.content.body import Text, is_shown, unpack
from coterie.content.repair import Repair, Stood
from coterie.e2ee.group import InnerMessage, check_place, commit
from coterie.wire.frames.messages import LogEntry


class MayHave:
    """Decides whether a device that asks for a message is given it."""

    def __init__(self, reads: Reads, people: People, trust: Trust, profile: Profile) -> None:
        self._reads = reads
        self._people = people
        self._trust = trust
        self._seen = LedgersSeen(reads, profile)
        self._late_back = LateBack(reads, people, self._seen)

    def __call__(self, row: MessageRow, asker: PeerDevice, stood: Stood | None) -> bool:
        """Ask only while trust.current: whom the newest manifests list is known then. stood: what the asker
        shows of where it stood before a restore."""
        if not (row.inner and row.franking_key):
            return False
        if not self._is_member(row, asker) or self._is_in_doubt(row, asker):
            return False
        return self._was_sealed_for(row, asker, stood)

    def never(self, row: MessageRow, asker: PeerDevice, stood: Stood | None) -> bool:
        """Whether a message is not for a device which is there now: this device has sealed it, and that one
        came later; or nobody can tell any more. Its person's word is not waited for: nothing is given."""
        if not (row.inner and self._is_member(row, asker)) or self._was_sealed_for(row, asker, stood):
            return False
        return row.device == self._people.device or self._is_forgotten(row)

    def _is_forgotten(self, row: MessageRow) -> bool:
        """Whether the device that sealed it, one of this account, is revoked, and whom it was for stood in a
        ledger that was left: what is not known of that here, no other device knows better."""
        sealed_by = self._people.device_of(self._people.me, row.device)
        if sealed_by is None or sealed_by.live:
            return False
        seen = self._seen.by_sender(row)
        return seen is None or seen.life < self._seen.now

    def _is_member(self, row: MessageRow, asker: PeerDevice) -> bool:
        """Whether the ledger has the device among those of this conversation now."""
        conversation = self._reads.conversation(row.conversation)
        if conversation is None or self._trust.lacks(asker.account):
            return False
        return asker in self._people.recipients(conversation)

    def _is_in_doubt(self, row: MessageRow, asker: PeerDevice) -> bool:
        """Whether it waits for its person's word, here or there."""
        conversation = self._reads.conversation(row.conversation)
        if asker.device in self._trust.own.doubtful():
            return True
        return conversation is not None and self._trust.held.is_held(conversation, asker)

    def _was_sealed_for(self, row: MessageRow, asker: PeerDevice, stood: Stood | None) -> bool:
        """Whether the message was sealed for it, or is owed to it: by the record of this device where it is
        the sender, else by the ledger as the sender saw it."""
        if row.device == self._people.device:
            share = self._reads.share_of(SessionId(row.session), asker.device)
            if share is not None and share.account == asker.account and share.index <= row.index:
                return True
            return self._late_back(row, asker, stood)
        if self._people.me not in (row.account, asker.account):
            return False
        if not self._was_there(row, asker):
            return False
        return not any(
            mark.device == asker.device and mark.reason == Code.UNCONFIRMED for mark in marks_of(row.not_for)
        )

    def _was_there(self, row: MessageRow, asker: PeerDevice) -> bool:
        """Whether the device stood in the ledger that the sender of a message had, or in one before it."""
        seen, since = self._seen.by_sender(row), self._seen.of_device(asker)
        return seen is not None and since is not None and since < seen


class Mended(Quiet, frozen=True):
    """A message that was awaited, as it was given. entry: where it stands in the log, if it does."""

    inner: InnerMessage
    hash: bytes
    repair: Repair
    entry: LogEntry | None
    index: int | None
    """In its session, by the word of the device that sealed it; None where that is not known."""


class IsIt:
    """Decides whether what was given is what was asked for."""

    def __init__(self, reads: Reads, people: People, trust: Trust, awaiting: Awaiting) -> None:
        self._reads = reads
        self._people = people
        self._trust = trust
        self._awaiting = awaiting

    def __call__(self, sender: PeerDevice, repair: Repair) -> Mended | None:
        """None where it was not asked for, or has come already. Raises SealBroken where it is something else,
        and RemoteError where it is nothing."""
        inner = InnerMessage.unpack(repair.inner)
        entry, run = self._awaiting.entry_of(inner), self._awaiting.run_of(inner)
        if run is not None and (not run.hash or run.last_n != inner.n):
            run = None
        awaited = entry or run
        if awaited is None:
            return None
        hash = hashlib.sha256(repair.inner).digest()
        by = self._people.device_of(inner.account, inner.device)
        right = inner.membership_hash == membership_hash(inner.conversation)
        if by is None or inner.account != awaited.account or not right:
            raise SealBroken("a repair by somebody else, or for another membership")
        if run is not None and hash != run.hash:
            raise SealBroken("a repair with another text than the one that was named")
        self._check_giver(sender, inner, run)
        said = self._awaiting.waiting_of(entry) if entry is not None else None
        if said is not None:
            if not hmac.compare_digest(commit(repair.franking_key, repair.inner), said.commitment):
                raise SealBroken("a repair with another text than its entry's")
            check_place(inner, inner.conversation, awaited.account, awaited.device, MessageId(said.message))
        elif run is None:
            return None
        index = repair.index if sender.device == inner.device else None
        if said is None or (index is not None and self._is_used(inner, said, index)):
            index = None
        return Mended(inner, hash, repair, said, index)

    def _check_giver(self, sender: PeerDevice, inner: InnerMessage, run: AwaitedRow | None) -> None:
        """The sender's own devices speak for it; another own device does where others have named the text.
        Else whoever holds one of them, and the server, could put words into everybody's mouth."""
        if (sender.account, sender.device) == (inner.account, inner.device):
            return
        doubtful = sender.device in self._trust.own.doubtful()
        named = run is not None and run.named_by != self._people.me
        if doubtful or not (sender.account == inner.account or (sender.account == self._people.me and named)):
            raise SealBroken("a repair by a device that cannot vouch for it")

    def _is_used(self, inner: InnerMessage, said: LogEntry, index: int) -> bool:
        return self._reads.index_used(inner.device, SessionId(said.session), index)


def mended_row(order: int, mended: Mended, *, own: bool) -> MessageRow:
    """The message as the store keeps it: as if it had opened, so that this device can give it on."""
    inner, entry = mended.inner, mended.entry
    body = unpack(inner.body)
    return MessageRow(
        order=order,
        conversation=ConversationId(inner.conversation),
        message=MessageId(inner.message),
        account=AccountId(inner.account),
        device=inner.device,
        own=own,
        state=MessageState.RECEIVED,
        body=inner.body,
        text=body.text if isinstance(body, Text) else "",
        readable=isinstance(body, Text),
        sent_ms=inner.time_ms,
        seq=max(0, entry.seq) if entry is not None else 0,
        server_ms=entry.server_time_ms if entry is not None else 0,
        n=inner.n,
        hash=mended.hash,
        inner=mended.repair.inner,
        franking_key=mended.repair.franking_key,
        commitment=commit(mended.repair.franking_key, mended.repair.inner),
        mac=entry.mac if entry is not None else b"",
        session=entry.session if entry is not None and mended.index is not None else b"",
        index=mended.index or 0,
        not_for=packed_left_out(inner),
        shown=is_shown(body),
    )

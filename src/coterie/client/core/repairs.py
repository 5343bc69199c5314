"""Repair of what could not be opened and of what never came: both sides of it (encryption rule 24)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import ConversationId, DeviceId
from coterie.client.core.awaited import Awaiting
from coterie.client.core.fanout import Fanout
from coterie.client.core.outbox import Outbox
from coterie.client.core.people import People, target_of
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.repair_answering import Answering
from coterie.client.core.repair_asking import Asking
from coterie.client.core.repair_rules import IsIt, MayHave
from coterie.client.core.sharing import Sharing
from coterie.client.core.sync import Positions
from coterie.client.core.trust import Trust
from coterie.client.events import Fetching, MessagesFetching
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AccountRow, DeviceSince, PeerDevice, Record
from coterie.content.repair import NotForYou, Repair
from coterie.e2ee.group import InnerMessage

PLACES_MOST = 1000
"""Of one conversation, told to screens; the newest."""


class Repairs:
    """Hands on to whose job it is; decides only whose word counts about what is not for this device."""

    def __init__(
        self,
        reads: Reads,
        profile: Profile,
        people: People,
        trust: Trust,
        sharing: Sharing,
        fanout: Fanout,
        positions: Positions,
        outbox: Outbox,
    ) -> None:
        self._reads = reads
        self._people = people
        self._trust = trust
        self._goes_on = profile.goes_on
        self._ledger = profile.ledger
        self.awaiting = Awaiting(reads, people, outbox)
        self.asking = Asking(reads, people, trust, sharing, fanout, positions, goes_on=profile.goes_on)
        may_have = MayHave(reads, people, trust, profile)
        self.answering = Answering(reads, people, trust, fanout, may_have)
        self.floods = self.answering.floods
        self.mended = IsIt(reads, people, trust, self.awaiting)
        self._live = False
        self._next_ms: int | None = None
        self._looked = False

    @property
    def wake_at_ms(self) -> int | None:
        """When something is to be asked for, or given."""
        if not self._live:
            return None
        if not self._looked:
            self._looked = True
            self._next_ms = self._reads.next_asking_ms()
        times = (self._next_ms, self.answering.wake_at_ms)
        return min((at for at in times if at is not None), default=None)

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        yield from self.answering.tick(now_ms)
        due_ms = self._reads.next_asking_ms()
        if due_ms is not None and now_ms >= due_ms:
            self._looked = False
            yield from self.asking.tick(now_ms)

    def connected(self) -> Outcome:
        """Screens hear anew what is awaited."""
        self._live, self._looked = True, False
        everywhere = dict.fromkeys(row.conversation for row in self._reads.awaited())
        return Outcome(show=tuple(self._places(everywhere)))

    def disconnected(self) -> None:
        self._live = False
        self.asking.disconnected()
        self.answering.disconnected()

    def forget(self) -> None:
        """After a failed commit."""
        self.awaiting.forget()
        self.answering.forget()
        self._looked = False

    def lied(self, repair: Repair, now_ms: int) -> Outcome:
        """What was given is not what was asked for."""
        try:
            inner = InnerMessage.unpack(repair.inner)
        except (SealBroken, RemoteError):
            return NOTHING
        self._looked = False
        rows = (self.awaiting.entry_of(inner), self.awaiting.run_of(inner))
        return Outcome(save=tuple(each for row in rows if row for each in self.awaiting.lied(row, now_ms)))

    def not_mine(self, said: NotForYou, sender: PeerDevice) -> Outcome:
        """The device that sealed entries has not sealed them for this one; or another of its account says so,
        where that one is revoked. Believed after a restore of the server alone, for nothing else brings such
        entries."""
        if not self._goes_on:
            return NOTHING
        entries = dict.fromkeys((ConversationId(each.conversation), each.message) for each in said.entries)
        rows = [
            self._reads.awaited_entry(where, device, message)
            for where, message in entries
            for device in self._speaks_for(sender)
        ]
        dropped = [row for row in rows if row is not None and row.account == sender.account]
        asked = sum(row.asked > 0 for row in dropped)
        save: list[Record] = [self.asking.counted(-asked)] if asked else []
        for row in dropped:
            save.extend(self.awaiting.dropped(row))
        return Outcome(save=tuple(save))

    def _speaks_for(self, sender: PeerDevice) -> tuple[DeviceId, ...]:
        """Itself, and the revoked devices of its account: unless it may be a thief's."""
        if sender.device in self._trust.own.doubtful():
            return (sender.device,)
        account = self._people.rows[sender.account]
        return (sender.device, *(each.device for each in account.devices if not each.live))

    def seen(self, save: Iterable[Record]) -> Outcome:
        """Accounts were proven: from now on it is known since when each device is there, at the latest."""
        noted: list[Record] = []
        for row in save:
            found = self._trust.view.newest_of_account(row.account) if isinstance(row, AccountRow) else None
            if not isinstance(row, AccountRow) or found is None:
                continue
            noted.extend(
                DeviceSince(row.account, each.device, self._ledger, found[0])
                for each in row.devices
                if each.live and not self._is_seen(each)
            )
        return Outcome(save=tuple(noted))

    def _is_seen(self, device: PeerDevice) -> bool:
        known = self._reads.device_since(device.account, device.device)
        return any(row.ledger == self._ledger for row in known)

    def after_turn(self) -> Outcome:
        """Screens hear what of a turn's conversations is awaited now."""
        changed, self.awaiting.changed = self.awaiting.changed, {}
        if not changed:
            return NOTHING
        self._looked = False
        return Outcome(show=tuple(self._places(changed)))

    def _places(self, conversations: Iterable[ConversationId]) -> Iterator[MessagesFetching]:
        for conversation in conversations:
            row = self._reads.conversation(conversation)
            if row is None:
                continue
            places = tuple(
                Fetching(each.order, each.count, self._people.name_of(each.account), each.since_ms)
                for each in self._reads.awaited(conversation)
            )
            yield MessagesFetching(conversation, target_of(row, self._people), places[-PLACES_MOST:])

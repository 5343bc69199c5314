"""Keys that devices are owed: left out of a message for a reason that passes (encryption rule 24).

A device that is well again gets the session's key as it was kept where the device was left out, so that what
waits there opens. Tried again with growing pauses, at once when its person comes online, for as long as the
key is kept, and never for a device that the newest proven manifest does not list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from coterie.base.codes import Code
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, ConversationId, DeviceId
from coterie.client.core.fanout import SLICE, Fanout
from coterie.client.core.line import RETRY_MS
from coterie.client.core.olm_sessions import to_seal_on
from coterie.client.core.peer_prekeys import is_dormant
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import OwedClaimed, Requests
from coterie.client.core.sharing import SessionKeyAt, Sharing
from coterie.client.core.trust import Trust
from coterie.client.outcome import Outcome
from coterie.client.store.records import ConversationRow, KeptKey, OlmRow, PeerDevice
from coterie.wire.frames import Claim, Claimed
from coterie.wire.frames.shared import DeviceRef

PAUSE_MOST_MS = 3600 * 1000


class _Pause(msgspec.Struct, frozen=True):
    tries: int
    until_ms: int


class _Debt(msgspec.Struct, frozen=True):
    conversation: ConversationRow
    key: KeptKey
    device: PeerDevice


class Owed:
    """Gives what is owed; how often it tried is known while the program runs."""

    def __init__(
        self,
        reads: Reads,
        sharing: Sharing,
        fanout: Fanout,
        trust: Trust,
        people: People,
        requests: Requests,
    ) -> None:
        self._reads = reads
        self._sharing = sharing
        self._fanout = fanout
        self._trust = trust
        self._people = people
        self._requests = requests
        self._pauses: dict[DeviceId, _Pause] = {}

    @property
    def wake_at_ms(self) -> int | None:
        """When the next device is tried again; None where nobody is owed anything."""
        return min((pause.until_ms for pause in self._pauses.values()), default=None)

    def came_online(self, accounts: Iterable[AccountId], now_ms: int) -> Iterator[Outcome]:
        """Whoever comes has emptied mailboxes and brings keys: no pause counts any more. One that was dormant
        gets what it is owed once its new keys are here."""
        came = set(accounts)
        for share in self._reads.owed():
            if share.account in came:
                self._pauses.pop(share.device, None)
                if self._is_dormant(share.device, now_ms):
                    yield self._trust.renew(share.account, now_ms)
        yield from self.give(now_ms)

    def give(self, now_ms: int) -> Iterator[Outcome]:
        """Try every device whose pause is over."""
        if not self._pauses and not self._reads.owed():
            return
        if not self._trust.current:
            return
        debts = self._debts(now_ms)
        owed = {debt.device.device for debt in debts}
        self._pauses = {device: pause for device, pause in self._pauses.items() if device in owed}
        due = [debt for debt in debts if self._over(debt.device.device, now_ms)]
        for device in {debt.device.device for debt in due}:
            self._pause(device, now_ms)
        claim = {debt.device.device: debt.device for debt in due if not self._has_keys(debt.device, now_ms)}
        refs = tuple(DeviceRef(device.account, device.device) for device in claim.values())[:SLICE]
        if refs:
            yield Outcome(send=(Claim(self._requests.new(OwedClaimed(refs), now_ms), refs),))
        yield from self._share([debt for debt in due if debt.device.device not in claim], now_ms)

    def claimed(self, asked: OwedClaimed, frame: Claimed, now_ms: int) -> Iterator[Outcome]:
        """Keys came for devices without a session: those whose keys hold get what they are owed."""
        keys = {DeviceId(each.device): each for each in frame.keys}
        wanted = {DeviceId(ref.device) for ref in asked.devices}
        well: set[DeviceId] = set()
        debts = [debt for debt in self._debts(now_ms) if debt.device.device in wanted]
        for device in {debt.device.device: debt.device for debt in debts}.values():
            offered = keys.get(device.device)
            try:
                if offered is None:
                    raise SealBroken("the server knows no such device", Code.NO_PREKEY)
                yield Outcome(save=self._sharing.begin(device, offered, now_ms))
            except SealBroken:
                continue
            if self._has_keys(device, now_ms):
                well.add(device.device)
        yield from self._share([debt for debt in debts if debt.device.device in well], now_ms)

    def _debts(self, now_ms: int) -> list[_Debt]:
        """Everything that is owed to devices which are entitled now and proven; nothing to a dormant one."""
        debts: list[_Debt] = []
        entitled: dict[ConversationId, dict[DeviceId, PeerDevice]] = {}
        for share in self._reads.owed():
            key = self._reads.kept_key_at(share.session, share.index)
            conversation = self._reads.conversation(key.conversation) if key else None
            if key is None or conversation is None or self._is_dormant(share.device, now_ms):
                continue
            if self._trust.lacks(share.account):
                continue
            if conversation.id not in entitled:
                devices = self._people.recipients(conversation)
                entitled[conversation.id] = {each.device: each for each in devices}
            device = entitled[conversation.id].get(share.device)
            if device is not None and self._trust.held.is_held(conversation, device):
                continue
            if device is not None and device.account == share.account:
                debts.append(_Debt(conversation, key, device))
        return debts

    def _share(self, debts: list[_Debt], now_ms: int) -> Iterator[Outcome]:
        """One envelope for each session and device, those of one session together."""
        by_key: dict[tuple[bytes, int], list[_Debt]] = {}
        for debt in debts:
            by_key.setdefault((debt.key.session, debt.key.index), []).append(debt)
        for same in by_key.values():
            key = SessionKeyAt.of(same[0].key)
            devices = tuple(debt.device for debt in same)
            yield from self._fanout.share(same[0].conversation, (key,), devices, now_ms)

    def _is_dormant(self, device: DeviceId, now_ms: int) -> bool:
        return is_dormant(self._reads.peer_keys(device), now_ms)

    def _has_keys(self, device: PeerDevice, now_ms: int) -> bool:
        keys = self._reads.peer_keys(device.device)
        return bool(keys and keys.x_wing_key and self._olm(device, now_ms))

    def _olm(self, device: PeerDevice, now_ms: int) -> OlmRow | None:
        return to_seal_on(self._reads.olm_sessions(device.device), now_ms)

    def _over(self, device: DeviceId, now_ms: int) -> bool:
        pause = self._pauses.get(device)
        return pause is None or now_ms >= pause.until_ms

    def _pause(self, device: DeviceId, now_ms: int) -> None:
        before = self._pauses.get(device)
        tries = before.tries + 1 if before else 1
        wait_ms = min(RETRY_MS << min(tries, 20), PAUSE_MOST_MS)
        self._pauses[device] = _Pause(tries, now_ms + wait_ms)

"""Asking for what could not be opened and for what never came (encryption rule 24; docs/decisions/0038).

Asked in order, a minute apart: the device that sealed it, the other own devices, the sender's other devices;
then again with growing pauses. What is awaited stands in the store, so a restart goes on where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from coterie.base import limits
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, DeviceId, log_of, mailbox_of
from coterie.client.core.awaited import ROUND
from coterie.client.core.fanout import Fanout
from coterie.client.core.old_ledger import OldLedger
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.core.requests import RepairClaimed
from coterie.client.core.sharing import Sharing
from coterie.client.core.sync import Positions
from coterie.client.core.trust import Trust
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import AwaitedRow, PeerDevice, PutSetting, Record, Setting
from coterie.content.repair import WANTED_MOST, RepairRequest, Stood, Wanted
from coterie.e2ee.pairwise import PlainKind
from coterie.wire.frames import Claimed

PAUSE_MS: Final = 60_000
PAUSE_MOST_MS: Final = 6 * limits.HOUR_MS
KEY_WAIT_MS: Final = 60_000
"""So long a key that may still be in the mailbox is waited for, whatever the server says of its end."""
LOOK_AGAIN_MS: Final = 1000
AT_ONCE: Final = 200


class Asking:
    """Which devices were asked and on which sessions is known while the program runs."""

    def __init__(
        self,
        reads: Reads,
        people: People,
        trust: Trust,
        sharing: Sharing,
        fanout: Fanout,
        positions: Positions,
        *,
        goes_on: bool,
    ) -> None:
        """goes_on: whether the ledger began after a restore of the server."""
        self._reads = reads
        self._people = people
        self._trust = trust
        self._sharing = sharing
        self._fanout = fanout
        self._positions = positions
        self._proves = goes_on
        self._stood: Stood | None = None
        self._begun_ms: dict[DeviceId, int] = {}
        """When a session was begun with a device only because it had not answered."""
        self._claiming: dict[DeviceId, list[RepairRequest]] = {}
        self._deaf: set[DeviceId] = set()
        """Keys of these are claimed for another session, beside one that stands."""
        self._asked_ms: dict[DeviceId, deque[int]] = {}
        """When each device was asked, as far as that limits it."""

    def disconnected(self) -> None:
        self._claiming.clear()
        self._deaf.clear()

    def tick(self, now_ms: int) -> Iterator[Outcome]:
        """Ask for all that is due, one envelope to each device for fifty of them."""
        save: list[Record] = []
        first_asked = 0
        asks: dict[DeviceId, tuple[PeerDevice, list[AwaitedRow]]] = {}
        for row in self._reads.awaited_due(now_ms, AT_ONCE):
            if self._may_still_come(row, now_ms):
                save.append(msgspec.structs.replace(row, next_ms=now_ms + LOOK_AGAIN_MS))
                continue
            devices, asked = self._next(row, now_ms)
            first_asked += not row.asked and bool(devices)
            for device in devices:
                asks.setdefault(device.device, (device, []))[1].append(row)
            pause_ms = min(PAUSE_MS << min(row.asked // ROUND, 20), PAUSE_MOST_MS)
            save.append(msgspec.structs.replace(row, asked=asked, next_ms=now_ms + pause_ms))
        if first_asked:
            save.append(self.counted(first_asked))
        yield Outcome(save=tuple(save))
        claims: list[PeerDevice] = []
        for device, rows in asks.values():
            for start in range(0, len(rows), WANTED_MOST):
                some = rows[start : start + WANTED_MOST]
                request = RepairRequest(tuple(_wanted(row) for row in some), self._proof(some))
                self._note_asked(device.device, now_ms)
                told = NOTHING
                if not self._is_deaf(device, some, now_ms):
                    told = self._fanout.tell((device,), PlainKind.REPAIR_REQUEST, request.pack(), now_ms)
                if not told.send:
                    self._claiming.setdefault(device.device, []).append(request)
                    claims.append(device)
                yield told
        yield self._fanout.claim_to_mend(tuple(dict.fromkeys(claims)), now_ms)

    def _proof(self, rows: list[AwaitedRow]) -> Stood | None:
        """That this account was there before the restore, for those to whom it was not back yet."""
        if self._proves:
            self._proves = False
            self._stood = OldLedger(self._reads).proof(self._people.me)
        return self._stood if any(row.message for row in rows) else None

    def counted(self, more: int) -> PutSetting:
        """How many messages ever had to be asked for. more: below 0 for those that were never for this
        device."""
        before = int.from_bytes(self._reads.setting(Setting.UNDECRYPTABLE_COUNT) or b"", "big")
        return PutSetting(Setting.UNDECRYPTABLE_COUNT, max(0, before + more).to_bytes(8, "big"))

    def _may_still_come(self, row: AwaitedRow, now_ms: int) -> bool:
        """A key that the mailbox has not brought yet; or the entries here, which may be what is missing; or
        the account to ask, which others bring back to a restored server."""
        if not 0 <= now_ms - row.since_ms < KEY_WAIT_MS:
            return False
        if self._trust.lacks(row.account):
            return True
        if row.message:
            return self._positions.seq(mailbox_of(self._people.device)) < row.mailbox_end
        stream = log_of(row.conversation)
        return row.asked == 0 and self._reads.waiting_count(stream, row.device) >= row.count

    def _note_asked(self, device: DeviceId, now_ms: int) -> None:
        self._asked_ms.setdefault(device, deque(maxlen=limits.REPAIR_ASKED_PER_HOUR)).append(now_ms)

    def _is_spared(self, device: DeviceId, now_ms: int) -> bool:
        """Whether it was asked so often within the hour that it is left alone until that is over."""
        times = self._asked_ms.get(device)
        if times is None or len(times) < limits.REPAIR_ASKED_PER_HOUR:
            return False
        return 0 <= now_ms - times[0] < limits.HOUR_MS

    def _next(self, row: AwaitedRow, now_ms: int) -> tuple[tuple[PeerDevice, ...], int]:
        """Whom to ask now, and how often was asked then."""
        for asked in range(row.asked, row.asked + ROUND):
            found = self._at(asked % ROUND, row)
            devices = tuple(each for each in found if not self._is_spared(each.device, now_ms))
            if devices:
                return devices, asked + 1
        return (), row.asked + ROUND

    def _at(self, stage: int, row: AwaitedRow) -> tuple[PeerDevice, ...]:
        if stage == 0:
            found = self._people.device_of(row.account, row.device)
            return self._good((found,) if found is not None else ())
        if stage == 1:
            own_speaks = row.account == self._people.me
            vouched = bool(row.hash) and row.named_by != self._people.me
            return self._others(self._people.me, row) if own_speaks or vouched else ()
        return self._others(row.account, row) if row.account != self._people.me else ()

    def _others(self, account: AccountId, row: AwaitedRow) -> tuple[PeerDevice, ...]:
        known = self._people.rows.get(account)
        return self._good(
            tuple(each for each in (known.devices if known else ()) if each.device != row.device)
        )

    def _good(self, devices: tuple[PeerDevice, ...]) -> tuple[PeerDevice, ...]:
        return tuple(
            each
            for each in devices
            if each.live and each.device != self._people.device and not self._trust.lacks(each.account)
        )

    def _is_deaf(self, device: PeerDevice, rows: list[AwaitedRow], now_ms: int) -> bool:
        """Whether a whole round was in vain, so that another session is begun, once a day: it may be that the
        device cannot open what is sealed on this one."""
        if min(row.asked for row in rows) < ROUND:
            return False
        if now_ms - self._begun_ms.get(device.device, 0) < limits.DAY_MS:
            return False
        self._begun_ms[device.device] = now_ms
        self._deaf.add(device.device)
        return True

    def claimed(self, asked: RepairClaimed, frame: Claimed, now_ms: int) -> Iterator[Outcome]:
        """Keys came for devices without a session that can be sealed on, or deaf: begin one, and ask."""
        keys = {DeviceId(each.device): each for each in frame.keys}
        for ref in asked.devices:
            requests = self._claiming.pop(DeviceId(ref.device), [])
            take = self._sharing.start if ref.device in self._deaf else self._sharing.begin
            self._deaf.discard(DeviceId(ref.device))
            device = self._people.device_of(AccountId(ref.account), DeviceId(ref.device))
            offered = keys.get(DeviceId(ref.device))
            if device is None or not device.live or offered is None:
                continue
            try:
                yield Outcome(save=take(device, offered, now_ms))
            except SealBroken:
                continue
            for request in requests:
                yield self._fanout.tell((device,), PlainKind.REPAIR_REQUEST, request.pack(), now_ms)


def _wanted(row: AwaitedRow) -> Wanted:
    if row.message:
        return Wanted(row.conversation, row.device, row.message, 0, b"")
    return Wanted(row.conversation, row.device, b"", row.last_n, row.hash)

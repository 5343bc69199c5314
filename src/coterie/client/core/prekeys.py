"""This device's own prekeys: made, signed, topped up and renewed (encryption rule 3)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from enum import Enum, auto

import msgspec

from coterie.base import limits
from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.keyring import Keyring
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.requests import PrekeysGiven, Requests
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import DropSetting, OwnXWing, PruneXWing, PutSetting, Record, Setting
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import Prekey, PrekeyKind, SignedPrekey, sign_prekey
from coterie.wire.frames import PublishPrekeys

log = logging.getLogger("coterie.client.prekeys")

DORMANT_SOON_MS = limits.DORMANT_AFTER_MS - limits.DAY_MS
OVERDUE_MS = 2 * limits.PREKEY_ROTATE_MS
"""An X-Wing key of this age is renewed on connecting, before everything that waits has come: whoever has much
to fetch, on a bad line, would not get to it before it counts as dormant."""
"""A day before others would say so: their clocks are not ours."""
PENDING_MOST = 100
"""Unconfirmed prekeys that are kept to be given again; as many as one frame takes."""


class _Fallback(Enum):
    """What becomes of the fallback key when keys are renewed."""

    STAYS = auto()
    AGAIN = auto()
    """The newest one is given once more."""
    ANOTHER = auto()


def fallback_records(packed: bytes) -> tuple[PutSetting, PutSetting]:
    """What is kept of a fallback key that is given now: its date and its public half."""
    prekey = SignedPrekey.unpack(packed).prekey
    return _at(Setting.FALLBACK_MADE_MS, prekey.created_ms), PutSetting(Setting.FALLBACK_KEY, prekey.key)


class PrekeyMaker:
    """Numbers prekeys from a counter and signs them with the device's key."""

    def __init__(self, device: DeviceKeys, account: AccountId, device_id: DeviceId, next_id: int) -> None:
        self._device = device
        self._account = account
        self._device_id = device_id
        self.next_id = next_id

    def one_time(self, count: int, now_ms: int) -> tuple[bytes, ...]:
        """Packed signed one-time keys."""
        keys = self._device.new_one_time_keys(count)
        return tuple(self._signed(PrekeyKind.ONE_TIME, key, now_ms) for key in keys)

    def fallback(self, now_ms: int) -> bytes:
        return self._signed(PrekeyKind.FALLBACK, self._device.new_fallback(), now_ms)

    def fallback_again(self, key: bytes, now_ms: int) -> bytes:
        """The fallback key in use, with the date of now."""
        return self._signed(PrekeyKind.FALLBACK, key, now_ms)

    def x_wing(self, now_ms: int) -> tuple[bytes, OwnXWing]:
        """The packed signed public half and the private half to keep."""
        key = XWingKey.generate()
        id = self.next_id
        return self._signed(PrekeyKind.X_WING, key.public, now_ms), OwnXWing(id, key.private, now_ms, 0)

    def counter(self) -> PutSetting:
        return PutSetting(Setting.NEXT_PREKEY_ID, self.next_id.to_bytes(8, "big"))

    def _signed(self, kind: PrekeyKind, key: bytes, now_ms: int) -> bytes:
        prekey = Prekey(kind, self.next_id, now_ms, self._account, self._device_id, key)
        self.next_id += 1
        return sign_prekey(prekey, self._device).pack()


class Prekeys:
    """Keeps the server supplied, and renews what stands there (docs/decisions/0013).

    What was made is kept as it was given until the server has it, and given again on the next connection.
    """

    def __init__(self, reads: Reads, keyring: Keyring, profile: Profile, requests: Requests) -> None:
        self._reads = reads
        self._keyring = keyring
        self._profile = profile
        self._requests = requests
        self._drained = False
        self.wake_at_ms: int | None = None
        """When standing keys are due, while connected and with nothing waiting."""

    def dormant(self, now_ms: int) -> bool:
        """Whether the newest X-Wing key that the server has confirmed is so old that it may count this device
        as dormant: to be asked on a new connection, before it is told anything."""
        unconfirmed = {SignedPrekey.unpack(packed).prekey.id for packed in self._pending()}
        known = [key.created_ms for key in self._reads.own_x_wings() if key.id not in unconfirmed]
        return self._is_due(known[0] if known else 0, DORMANT_SOON_MS, now_ms)

    def connected(self, left: int, now_ms: int) -> Iterator[Outcome]:
        """Before anything is delivered: a device that fell dormant is one again from here on, and one that
        could not renew its key for long will not fall so. left: one-time keys that the server still has. One
        that was restored has those of its copy: it gets an X-Wing key and one-time keys of now, and the
        newest fallback key once more. Another one would push out the key before it, which may be the one that
        stands in the copy (docs/decisions/0013)."""
        self.disconnected()
        yield self._give_again(now_ms)
        if self._reads.setting(Setting.PREKEYS_DUE) is not None:
            yield Outcome(save=(DropSetting(Setting.PREKEYS_DUE),))
            yield self._renew(now_ms, x_wing=True, fallback=_Fallback.AGAIN)
        elif self._is_due(self._x_wing_ms(), OVERDUE_MS, now_ms):
            yield self._renew(now_ms, x_wing=True, fallback=_Fallback.STAYS)
        yield self.top_up(left, now_ms)

    def disconnected(self) -> None:
        self._drained = False
        self.wake_at_ms = None

    def drained(self, now_ms: int) -> Outcome:
        """Everything that had waited is opened: what replaced keys could still open has been."""
        self._drained = True
        return self.due(now_ms)

    def tick(self, now_ms: int) -> Outcome:
        return NOTHING if self.wake_at_ms is None or now_ms < self.wake_at_ms else self.due(now_ms)

    def due(self, now_ms: int) -> Outcome:
        """Renew what is due, drop private halves that nobody may still seal to; look again in a day."""
        if not self._drained:
            return NOTHING
        x_wing = self._is_due(self._x_wing_ms(), limits.PREKEY_ROTATE_MS, now_ms)
        fallback = self._is_due(self._fallback_ms(), limits.FALLBACK_ROTATE_MS, now_ms)
        self.wake_at_ms = now_ms + limits.DAY_MS
        self._keyring.drop_x_wing()
        dropped = PruneXWing(now_ms - limits.PREKEY_KEEP_MS)
        if not (x_wing or fallback):
            return Outcome(save=(dropped,))
        another = _Fallback.ANOTHER if fallback else _Fallback.STAYS
        renewed = self._renew(now_ms, x_wing=x_wing, fallback=another)
        return msgspec.structs.replace(renewed, save=(dropped, *renewed.save))

    def top_up(self, left: int, now_ms: int) -> Outcome:
        """Publish fresh one-time keys where the server has less than half of them left."""
        if left >= limits.ONE_TIME_KEYS // 2 or not self._is_due(
            self._time(Setting.TOPPED_UP_MS), limits.TOP_UP_EVERY_MS, now_ms
        ):
            return NOTHING
        maker = self._maker()
        keys = maker.one_time(limits.ONE_TIME_KEYS - min(left, limits.ONE_TIME_KEYS), now_ms)
        return self._give(keys, (_at(Setting.TOPPED_UP_MS, now_ms), maker.counter()), now_ms)

    def accepted(self, given: PrekeysGiven) -> Outcome:
        """The server has these."""
        return Outcome(save=(self._pending_without(given.keys),))

    def refused(self, given: PrekeysGiven) -> Outcome:
        """The server will not take these: others will be made when they are due."""
        log.warning("prekeys were refused")
        return Outcome(save=(self._pending_without(given.keys),))

    def _renew(self, now_ms: int, *, x_wing: bool, fallback: _Fallback) -> Outcome:
        maker = self._maker()
        keys: list[bytes] = []
        save: list[Record] = []
        if x_wing:
            before = self._reads.current_x_wing()
            public, private = maker.x_wing(now_ms)
            keys.append(public)
            if before is not None:
                save.append(msgspec.structs.replace(before, replaced_ms=now_ms))
            save.append(private)
        if fallback is not _Fallback.STAYS:
            known = self._reads.setting(Setting.FALLBACK_KEY) if fallback is _Fallback.AGAIN else None
            keys.append(maker.fallback_again(known, now_ms) if known else maker.fallback(now_ms))
            save.extend(fallback_records(keys[-1]))
        return self._give(tuple(keys), (*save, maker.counter()), now_ms)

    def _give(self, keys: tuple[bytes, ...], save: tuple[Record, ...], now_ms: int) -> Outcome:
        pending = (*self._pending(), *keys)[-PENDING_MOST:]
        request = self._requests.new(PrekeysGiven(keys), now_ms)
        return Outcome(
            save=(*save, self._keyring.device_record(), _put_pending(pending)),
            send=(PublishPrekeys(request, keys),),
        )

    def _give_again(self, now_ms: int) -> Outcome:
        """What the server has not confirmed, but for what it would no longer take. A fallback key is signed
        anew: it replaces the one before it only now, and that one lives for as long as ever from now on."""
        pending = [(packed, SignedPrekey.unpack(packed).prekey) for packed in self._pending()]
        if not pending:
            return NOTHING
        maker = self._maker()
        save: list[Record] = []
        keys: list[bytes] = []
        for packed, prekey in pending:
            if prekey.kind is PrekeyKind.FALLBACK:
                keys.append(maker.fallback_again(prekey.key, now_ms))
                save += (*fallback_records(keys[-1]), maker.counter())
            elif now_ms - prekey.created_ms < limits.DORMANT_AFTER_MS:
                keys.append(packed)
        save.append(_put_pending(tuple(keys)))
        if not keys:
            return Outcome(save=tuple(save))
        request = self._requests.new(PrekeysGiven(tuple(keys)), now_ms)
        return Outcome(save=tuple(save), send=(PublishPrekeys(request, tuple(keys)),))

    def _maker(self) -> PrekeyMaker:
        next_id = int.from_bytes(self._reads.setting(Setting.NEXT_PREKEY_ID) or b"\x01", "big")
        return PrekeyMaker(self._keyring.device, self._profile.account, self._profile.device, next_id)

    def _pending(self) -> tuple[bytes, ...]:
        packed = self._reads.setting(Setting.PENDING_PREKEYS)
        return _pending_keys.decode(packed) if packed else ()

    def _pending_without(self, given: tuple[bytes, ...]) -> Record:
        return _put_pending(tuple(key for key in self._pending() if key not in given))

    def _x_wing_ms(self) -> int:
        current = self._reads.current_x_wing()
        return current.created_ms if current is not None else 0

    def _fallback_ms(self) -> int:
        return self._time(Setting.FALLBACK_MADE_MS)

    def _time(self, key: Setting) -> int:
        return int.from_bytes(self._reads.setting(key) or b"", "big")

    @staticmethod
    def _is_due(made_ms: int, after_ms: int, now_ms: int) -> bool:
        """Whether so much time is over; what comes from the future was made under a wrong clock."""
        return not made_ms - limits.CLOCK_SKEW_MS <= now_ms < made_ms + after_ms


_pending_keys = msgspec.msgpack.Decoder(tuple[bytes, ...])


def _put_pending(keys: tuple[bytes, ...]) -> Record:
    if not keys:
        return DropSetting(Setting.PENDING_PREKEYS)
    return PutSetting(Setting.PENDING_PREKEYS, msgspec.msgpack.encode(keys))


def _at(key: Setting, now_ms: int) -> PutSetting:
    return PutSetting(key, now_ms.to_bytes(8, "big"))

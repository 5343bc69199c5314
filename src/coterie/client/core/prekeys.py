"""This device's own prekeys: made, signed, and topped up (encryption rule 3)."""

from __future__ import annotations

from coterie.base import limits
from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.keyring import Keyring
from coterie.client.core.ports import Reads
from coterie.client.core.profile import Profile
from coterie.client.core.requests import PrekeysGiven, Requests
from coterie.client.outcome import NOTHING, Outcome
from coterie.client.store.records import OwnXWing, PutSetting, Setting
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import Prekey, PrekeyKind, sign_prekey
from coterie.wire.frames import PublishPrekeys


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
    """Keeps the server supplied."""

    def __init__(self, reads: Reads, keyring: Keyring, profile: Profile, requests: Requests) -> None:
        self._reads = reads
        self._keyring = keyring
        self._profile = profile
        self._requests = requests

    def top_up(self, left: int, now_ms: int) -> Outcome:
        """Publish fresh one-time keys where the server has less than half of them left."""
        if left >= limits.ONE_TIME_KEYS // 2:
            return NOTHING
        next_id = int.from_bytes(self._reads.setting(Setting.NEXT_PREKEY_ID) or b"\x01", "big")
        maker = PrekeyMaker(self._keyring.device, self._profile.account, self._profile.device, next_id)
        keys = maker.one_time(limits.ONE_TIME_KEYS - left, now_ms)
        request = self._requests.new(PrekeysGiven(len(keys)), now_ms)
        return Outcome(
            save=(self._keyring.device_record(), maker.counter()), send=(PublishPrekeys(request, keys),)
        )

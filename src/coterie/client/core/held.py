"""Devices that came to a verified person's account by passphrase or recovery key: nothing that is for that
person alone is sealed for them until the person here has confirmed them (encryption rules 8 and 24).

One word is enough for a device and all that it approved: they carry on its mark, and have one root.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from coterie.base.codes import Code
from coterie.base.ids import AccountId, DeviceId
from coterie.client.core.people import People
from coterie.client.core.ports import Reads
from coterie.client.events import ContactDeviceQuestion, ConversationKind, Device, Event
from coterie.client.store.records import AccountRow, ConversationRow, PeerDevice, PutSetting, Record, Setting
from coterie.ledger.manifest import RECOVERY

_ids = msgspec.msgpack.Decoder(tuple[bytes, ...])


def root_of(devices: Iterable[PeerDevice], device: PeerDevice) -> DeviceId:
    """The device by which the mark of a marked one came into its account."""
    by_id = {bytes(each.device): each for each in devices}
    while device.approved_by != RECOVERY:
        above = by_id.get(device.approved_by)
        if above is None or not above.marked:
            break
        device = above
    return device.device


class Held:
    """Knows which devices wait for the person's word."""

    def __init__(self, reads: Reads, people: People) -> None:
        self._reads = reads
        self._people = people

    def is_held(self, conversation: ConversationRow, device: PeerDevice) -> bool:
        """Whether nothing of this conversation is sealed for a device yet."""
        return conversation.kind is not ConversationKind.EVERYONE and self._waits(device)

    def among(self, conversation: ConversationRow, devices: tuple[PeerDevice, ...]) -> frozenset[DeviceId]:
        """Those of them that are held there."""
        return frozenset(each.device for each in devices if self.is_held(conversation, each))

    def code(self, conversation: ConversationRow, devices: tuple[PeerDevice, ...]) -> Code:
        """Why nobody of the other person can be reached: whether only because of this."""
        return Code.UNCONFIRMED if self.among(conversation, devices) else Code.NO_PREKEY

    def of(self, account: AccountId) -> tuple[PeerDevice, ...]:
        """Live devices of an account that wait for the person's word."""
        row = self._people.rows.get(account)
        return tuple(each for each in (row.devices if row else ()) if each.live and self._waits(each))

    def questions(self, account: AccountId, known: AccountRow | None = None) -> tuple[Event, ...]:
        """What to ask about an account's devices; known: as it was before, whose devices were asked about."""
        before = {each.device for each in (known.devices if known else ())}
        person = self._people.person(account)
        return tuple(
            ContactDeviceQuestion(person, as_device(each))
            for each in self.of(account)
            if each.device not in before
        )

    def confirmed(self, account: AccountId, device: DeviceId) -> tuple[Record, ...]:
        """The person says that this device, and whatever it approved, is that account's person's own."""
        found = self._people.device_of(account, device)
        row = self._people.rows.get(account)
        if found is None or row is None or not found.marked:
            return ()
        known = self._confirmed()
        root = root_of(row.devices, found)
        if root in known:
            return ()
        return (PutSetting(Setting.CONFIRMED_DEVICES, msgspec.msgpack.encode((*known, root))),)

    def all_confirmed(self) -> tuple[tuple[AccountId, DeviceId], ...]:
        """Every device that was confirmed, with its account, as far as that lists it."""
        found = ((self._people.owner_of(DeviceId(each)), DeviceId(each)) for each in self._confirmed())
        return tuple((account, device) for account, device in found if account is not None)

    def _waits(self, device: PeerDevice) -> bool:
        row = self._people.rows.get(device.account)
        if row is None or not row.once_verified or not device.marked:
            return False
        return root_of(row.devices, device) not in self._confirmed()

    def _confirmed(self) -> tuple[bytes, ...]:
        packed = self._reads.setting(Setting.CONFIRMED_DEVICES)
        return _ids.decode(packed) if packed else ()


def as_device(device: PeerDevice) -> Device:
    """What is shown of somebody's device."""
    return Device(
        id=device.device,
        name=device.name,
        this=False,
        created_ms=device.created_ms,
        revoked=not device.live,
        approved_by_recovery=device.approved_by == RECOVERY,
    )

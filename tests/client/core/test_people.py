"""Whom a conversation is sealed for."""

from __future__ import annotations

import msgspec

from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.client.core.people import CONVERSATIONS_MAX, People
from coterie.client.events import ConversationKind
from coterie.client.store.records import AccountRow, ConversationRow, PeerDevice
from coterie.client.store.sqlite import ClientStore

ME = AccountId(bytes(32))


def account_of(number: int) -> AccountRow:
    """With one device."""
    account = AccountId(number.to_bytes(32, "big"))
    device = DeviceId(number.to_bytes(16, "big"))
    listed = PeerDevice(device, account, "phone", b"c" * 32, b"e" * 32, 1, 0, b"first", False)
    return AccountRow(account, UserName(f"n{number}"), 1, b"m", (listed,))


def with_(row: AccountRow) -> ConversationRow:
    return ConversationRow(direct_id(ME, row.account), ConversationKind.DIRECT, row.account)


def test_who_has_many_conversations_seals_each_for_its_own_people(store: ClientStore) -> None:
    """Of a few it is kept whom that is; a device that is revoked is none of them from then on."""
    rows = [account_of(number) for number in range(1, CONVERSATIONS_MAX + 10)]
    store.begin()
    store.apply(tuple(rows))
    store.commit()
    people = People(store, ME, DeviceId(b"d" * 16))
    for _ in range(2):
        for row in rows:
            assert people.recipients(with_(row)) == row.devices
    revoked = msgspec.structs.replace(rows[-1].devices[0], revoked_ms=2)
    people.saved(msgspec.structs.replace(rows[-1], devices=(revoked,)))
    assert people.recipients(with_(rows[-1])) == ()
    assert people.recipients(with_(rows[-2])) == rows[-2].devices

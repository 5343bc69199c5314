"""What is told of messages that are missing."""

from __future__ import annotations

from coterie.base.ids import AccountId, ConversationId, DeviceId
from coterie.client.core.gaps import Gaps
from coterie.client.core.people import People
from coterie.client.store.records import TipRow
from coterie.client.store.sqlite import ClientStore

CONVERSATION = ConversationId(b"c" * 16)
NOBODYS = DeviceId(b"d" * 16)


def test_a_gap_of_a_device_that_is_nobodys_is_told_to_nobody(store: ClientStore) -> None:
    """It is noted as told, so that it is not looked at again and again."""
    gaps = Gaps(store, People(store, AccountId(bytes(32)), DeviceId(bytes(16))))
    tip = TipRow(CONVERSATION, NOBODYS, 3, b"h" * 32, 1, first_n=1, held=2)
    store.begin()
    store.apply((tip,))
    told = gaps.tell(1_000_000)
    later = gaps.tell(1_000_000 + 61_000) if not told.save else told
    store.commit()
    assert later.show == ()
    (noted,) = later.save
    assert isinstance(noted, TipRow)
    assert noted.told == 1

"""What is told of messages that are missing."""

from __future__ import annotations

from coterie.base.ids import AccountId, ConversationId, DeviceId, MessageId, log_of
from coterie.client.core.gaps import Gaps
from coterie.client.core.people import People
from coterie.client.store.records import PositionRow, PutSetting, Setting, TipRow
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.group import InnerMessage

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


def test_places_of_another_life_of_the_server_begin_no_count(store: ClientStore) -> None:
    """Its logs begin with 1 again."""
    gaps = Gaps(store, People(store, AccountId(bytes(32)), DeviceId(bytes(16))))
    tip = TipRow(CONVERSATION, NOBODYS, 1, b"h" * 32, 1, first_n=1, held=1, anew_from=9)
    inner = InnerMessage(
        conversation=CONVERSATION,
        account=AccountId(bytes(32)),
        device=NOBODYS,
        membership_hash=bytes(32),
        message=MessageId(b"m" * 16),
        n=2,
        previous=bytes(32),
        parents=(),
        left_out=(),
        time_ms=0,
        head=b"",
        body=b"",
    )
    store.begin()
    store.apply(
        (tip, PositionRow(log_of(CONVERSATION), b"one", 12, 9), PutSetting(Setting.INCARNATION, b"two"))
    )
    (moved,) = gaps.take(inner, b"i" * 32, 2, 1)
    store.commit()
    assert isinstance(moved, TipRow)
    assert (moved.n, moved.held, moved.missing) == (2, 2, 0)

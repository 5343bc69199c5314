"""Positions: what is skipped, what is acknowledged, when the backlog is drained."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base import limits
from coterie.base.errors import RemoteError
from coterie.base.ids import DeviceId, LedgerId, StreamId, mailbox_of
from coterie.base.signing import LedgerKeys
from coterie.client.core import sync
from coterie.client.core.sync import Positions, is_overtaken
from coterie.client.store.records import PositionRow, PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.heads import Head, sign_head
from coterie.wire.frames import Accepted, Ready
from coterie.wire.frames.connection import StreamEnd

STREAM = StreamId(b"l" + bytes(16))
LIFE = bytes(16)
LEDGER_KEYS = LedgerKeys.generate()


def ready(acknowledged: int, end: int) -> Ready:
    return Ready(1, (StreamEnd(STREAM, acknowledged, end),), 0, b"", 50)


def dormant(at: int, end: int) -> Ready:
    """Behind its first two entries nothing of the log is for this device."""
    mailbox = StreamEnd(mailbox_of(DeviceId(bytes(16))), 0, end)
    return Ready(1, (mailbox, StreamEnd(STREAM, at, end, 2, end)), 0, b"", 50)


def entry(seq: int) -> Accepted:
    """Of an entry its number is all that counts here."""
    return Accepted(1, seq)


def save(store: ClientStore, *rows: PositionRow) -> None:
    store.begin()
    store.apply(rows)
    store.commit()


def skip(positions: Positions, stream: StreamId, life: bytes, seq: int) -> bool:
    return positions.fresh(stream, life, (entry(seq),)) == []


def move(store: ClientStore, positions: Positions, stream: StreamId, seq: int) -> None:
    save(store, *positions.moved(stream, (entry(seq),), 0))


def test_delivery_goes_on_after_what_is_committed_here(store: ClientStore) -> None:
    save(store, PositionRow(STREAM, LIFE, 7))
    positions = Positions(store)
    sync, anew = positions.connected(ready(3, 9), LIFE, dormant=False)
    assert [position.seq for position in sync.positions] == [7]
    assert anew == ()
    assert skip(positions, STREAM, LIFE, 7)
    assert not skip(positions, STREAM, LIFE, 8)


def test_another_life_of_the_server_starts_anew(store: ClientStore) -> None:
    save(store, PositionRow(STREAM, LIFE, 7))
    other = secrets.token_bytes(16)
    positions = Positions(store)
    sync, _ = positions.connected(ready(2, 9), other, dormant=False)
    assert [position.seq for position in sync.positions] == [2]
    assert not skip(positions, STREAM, other, 3)
    assert skip(positions, STREAM, LIFE, 8)


def test_drained_once_when_the_last_waiting_entry_is_committed(store: ClientStore) -> None:
    positions = Positions(store)
    positions.connected(ready(0, 2), LIFE, dormant=False)
    assert not positions.drained_now()
    positions.moved(STREAM, (entry(1),), 0)
    assert not positions.drained_now()
    positions.moved(STREAM, (entry(2),), 0)
    assert positions.drained_now()
    assert not positions.drained_now()


def test_acknowledges_after_enough_entries_or_enough_time(store: ClientStore) -> None:
    positions = Positions(store)
    positions.connected(ready(0, 0), LIFE, dormant=False)
    positions.moved(STREAM, (entry(1),), 1_000)
    assert positions.acknowledge(1_000, at_once=False) == ()
    assert positions.wake_at_ms == 1_000 + limits.ACK_SECONDS * 1000
    (late,) = positions.acknowledge(2_000, at_once=False)
    assert late.positions[0].seq == 1
    for seq in range(2, 2 + limits.ACK_ENTRIES):
        positions.moved(STREAM, (entry(seq),), 2_000)
    (many,) = positions.acknowledge(2_000, at_once=False)
    assert many.positions[0].seq == 1 + limits.ACK_ENTRIES
    assert positions.acknowledge(9_000, at_once=True) == ()


def test_a_gap_is_believed_only_where_something_may_have_expired(store: ClientStore) -> None:
    save(store, PositionRow(STREAM, LIFE, 3))
    positions = Positions(store)
    positions.connected(ready(3, 9), LIFE, dormant=False)
    assert not skip(positions, STREAM, LIFE, 10), "entries 4 to 9 were older than we can know"
    move(store, positions, STREAM, 10)
    assert not skip(positions, STREAM, LIFE, 11)
    with pytest.raises(RemoteError):
        skip(positions, STREAM, LIFE, 12)
    with pytest.raises(RemoteError):
        skip(positions, StreamId(b"l" + bytes(15) + b"x"), LIFE, 2)


def test_entries_that_come_together_are_taken_in_one_step(store: ClientStore) -> None:
    save(store, PositionRow(STREAM, LIFE, 3))
    positions = Positions(store)
    positions.connected(ready(3, 3), LIFE, dormant=False)
    together = [entry(seq) for seq in (2, 3, 4, 5, 5, 6)]
    fresh = positions.fresh(STREAM, LIFE, together)
    assert [each.seq for each in fresh] == [4, 5, 6]
    assert positions.moved(STREAM, fresh, 0) == (PositionRow(STREAM, LIFE, 6),)
    assert positions.moved(STREAM, [], 0) == ()
    (ack,) = positions.acknowledge(0, at_once=True)
    assert [position.seq for position in ack.positions] == [6]
    with pytest.raises(RemoteError):
        positions.fresh(STREAM, LIFE, (entry(4), entry(5), entry(7)))


def test_those_that_come_together_are_counted_one_by_one(store: ClientStore) -> None:
    positions = Positions(store)
    positions.connected(ready(0, 0), LIFE, dormant=False)
    entries = [entry(seq) for seq in range(1, limits.ACK_ENTRIES + 1)]
    positions.moved(STREAM, entries[:-1], 0)
    assert positions.acknowledge(0, at_once=False) == ()
    positions.moved(STREAM, entries[-1:], 0)
    assert positions.acknowledge(0, at_once=False) != ()


def test_a_position_beyond_the_end_hides_nothing(store: ClientStore) -> None:
    save(store, PositionRow(STREAM, LIFE, 1 << 60))
    positions = Positions(store)
    sync, _ = positions.connected(ready(2, 4), LIFE, dormant=False)
    assert [position.seq for position in sync.positions] == [2]
    assert skip(positions, STREAM, LIFE, 2)
    assert not skip(positions, STREAM, LIFE, 3)
    move(store, positions, STREAM, 3)
    assert skip(positions, STREAM, LIFE, 3)
    assert not skip(positions, STREAM, LIFE, 4)


def test_where_not_every_stream_was_named_a_new_one_may_begin_anywhere(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "NAMED_MOST", 1)
    positions = Positions(store)
    positions.connected(ready(3, 9), LIFE, dormant=False)
    assert not skip(positions, StreamId(b"l" + bytes(15) + b"x"), LIFE, 700)


def test_counts_begin_anew_behind_what_was_said_while_the_device_was_dormant(store: ClientStore) -> None:
    """Where both say that it was dormant: the device by its own keys, the server by the end of the log."""
    save(store, PositionRow(STREAM, LIFE, 1))
    positions = Positions(store)
    assert positions.connected(dormant(1, 9), LIFE, dormant=False)[1] == ()
    assert positions.connected(ready(1, 9), LIFE, dormant=True)[1] == ()
    _, (anew,) = positions.connected(dormant(1, 9), LIFE, dormant=True)
    assert anew == PositionRow(STREAM, LIFE, 1, 9)
    save(store, anew)
    (moved,) = positions.moved(STREAM, (entry(2),), 0)
    assert (moved.seq, moved.anew_from) == (2, 9)


def test_what_is_said_before_the_new_key_arrives_may_be_skipped_once(store: ClientStore) -> None:
    positions = Positions(store)
    positions.connected(dormant(1, 9), LIFE, dormant=False)
    with pytest.raises(RemoteError):
        skip(positions, STREAM, LIFE, 13)
    positions.connected(dormant(1, 9), LIFE, dormant=True)
    move(store, positions, STREAM, 2)
    assert not skip(positions, STREAM, LIFE, 13)
    move(store, positions, STREAM, 13)
    with pytest.raises(RemoteError):
        skip(positions, STREAM, LIFE, 15)
    positions.connected(dormant(1, 9), LIFE, dormant=True)
    save(store, PositionRow(STREAM, LIFE, 9))
    assert len(positions.fresh(STREAM, LIFE, (entry(13), entry(14)))) == 2
    with pytest.raises(RemoteError):
        positions.fresh(STREAM, LIFE, (entry(13), entry(15)))
    with pytest.raises(RemoteError):
        skip(positions, mailbox_of(DeviceId(bytes(16))), LIFE, 11)


def test_a_log_that_began_before_the_new_key_arrived_is_one_of_them(store: ClientStore) -> None:
    another = StreamId(b"l" + bytes(15) + b"x")
    positions = Positions(store)
    positions.connected(dormant(1, 9), LIFE, dormant=True)
    assert not skip(positions, another, LIFE, 3)
    move(store, positions, another, 3)
    with pytest.raises(RemoteError):
        skip(positions, another, LIFE, 5)


def test_an_answer_for_an_entry_that_is_here_moves_nothing(store: ClientStore) -> None:
    """Asked again after the connection was lost, and the entry came first."""
    save(store, PositionRow(STREAM, LIFE, 3))
    positions = Positions(store)
    positions.connected(ready(3, 3), LIFE, dormant=False)
    assert positions.answered(STREAM, entry(3), 0) == ()
    assert positions.acknowledge(0, at_once=True) == ()
    assert positions.answered(STREAM, entry(4), 0) == (PositionRow(STREAM, LIFE, 4),)
    (ack,) = positions.acknowledge(0, at_once=True)
    assert [position.seq for position in ack.positions] == [4]


def headed(time_ms: int) -> bytes:
    return sign_head(Head(LedgerId(bytes(16)), 1, bytes(32), time_ms), LEDGER_KEYS).pack()


@pytest.mark.parametrize(
    ("held", "acknowledged", "life", "days", "overtaken"),
    [
        (7, 8, LIFE, 0, True),
        (7, 8, LIFE, 24, True),
        (7, 8, LIFE, 25, False),
        (0, 1, LIFE, 0, True),
        (7, 7, LIFE, 0, False),
        (7, 3, LIFE, 0, False),
        (7, 8, b"other life"[:16].ljust(16), 0, False),
        (None, 8, LIFE, 0, False),
    ],
)
def test_whose_acknowledgements_are_not_its_own_is_a_copy(
    store: ClientStore, held: int | None, acknowledged: int, life: bytes, days: int, *, overtaken: bool
) -> None:
    """Nothing else moves them on but entries that expired, which takes thirty days."""
    said = msgspec.structs.replace(ready(acknowledged, 9), head=headed(days * limits.DAY_MS))
    assert not is_overtaken(store, said, life), "nothing is known of when it was there"
    store.begin()
    store.apply((PutSetting(Setting.HEAD, headed(0)),))
    store.commit()
    if held is not None:
        save(store, PositionRow(STREAM, LIFE, held))
    assert is_overtaken(store, said, life) is overtaken


def test_what_was_passed_without_having_come_makes_no_copy(store: ClientStore) -> None:
    """The server passes what expired, and what was not for a dormant device, and keeps the place."""
    save(store, PositionRow(STREAM, LIFE, 7))
    _, passed = Positions(store).connected(ready(9, 12), LIFE, dormant=False)
    assert passed == (PositionRow(STREAM, LIFE, 9),)
    store.begin()
    store.apply((PutSetting(Setting.HEAD, headed(0)), PositionRow(STREAM, LIFE, 3, 9)))
    store.commit()
    said = msgspec.structs.replace(ready(9, 12), head=headed(0))
    assert not is_overtaken(store, said, LIFE), "counts begin anew behind the ninth: it was dormant"

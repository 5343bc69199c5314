"""How entries of a log are found: by marks and by going back, whatever lies between."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base import limits
from coterie.base.ids import log_of
from coterie.server.store import pruning
from coterie.server.store.logs import ENTRIES
from coterie.server.store.records import MoveCursor
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import NOW_MS, Resident, log_seqs, save, say, settle_in, talk


@pytest.mark.slow
@pytest.mark.asyncio
async def test_a_part_of_a_log_is_found_at_every_place(tmp_path: Path) -> None:
    """Logs that are written by turns, of a few marks and a bit, read from everywhere."""
    store = SqliteStore(tmp_path / "server.db")
    alice, *others = residents = [Resident(name) for name in ("alice", "bob", "carol", "dave")]
    await settle_in(store, *residents)
    for other in others:
        await talk(store, alice, other)
    said: dict[bytes, list[bytes]] = {}
    for number in range(106):
        other = others[number * number % 7 % 2]
        record = alice.device.message(alice.direct_with(other), other.account)
        await say(store, alice.device, record)
        said.setdefault(record.conversation, []).append(record.message)
    for other in others:
        conversation = alice.direct_with(other)
        whole = said.get(conversation, [])
        for after in range(len(whole) + 2):
            for most in (1, 3, 16, 64):
                part = await store.log(log_of(conversation), after, most, 1 << 20)
                assert [entry.message for entry in part] == whole[after : after + most]
                assert [entry.seq for entry in part] == [*range(after + 1, min(after + most, len(whole)) + 1)]
    await store.close()


@pytest.mark.asyncio
async def test_what_everybody_has_is_passed_over_and_what_is_behind_it_is_not(tmp_path: Path) -> None:
    """However little is asked for: an empty answer would say that nothing is left."""
    store = SqliteStore(tmp_path / "server.db")
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    conversation = alice.direct_with(bob)
    for _ in range(60):
        await say(store, alice.device, alice.device.message(conversation, bob.account))
    for machine in (alice.device, bob.device):
        await save(store, MoveCursor(machine.id, log_of(conversation), 45))
    assert await store.prune(NOW_MS) == 45
    assert await log_seqs(store, conversation) == [*range(46, 61)]
    (entry,) = await store.log(log_of(conversation), 0, 1, 1 << 20)
    assert entry.seq == 46
    assert store._file.number("SELECT count(*) FROM log_entries WHERE ciphertext IS NULL") == 45
    await store.close()


@pytest.mark.asyncio
async def test_a_step_drops_so_much_and_no_more_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one goes on where it ended: nobody waits until many logs are emptied."""
    monkeypatch.setattr(pruning, "ROWS_PER_STEP", 7)
    store = SqliteStore(tmp_path / "server.db")
    alice, *others = residents = [Resident(name) for name in ("alice", "bob", "carol", "dave")]
    await settle_in(store, *residents)
    for other in others:
        await talk(store, alice, other)
        conversation = alice.direct_with(other)
        for _ in range(5):
            await say(store, alice.device, alice.device.message(conversation, other.account))
        for machine in (alice.device, other.device):
            await save(store, MoveCursor(machine.id, log_of(conversation), 5))
    assert [await store.prune(NOW_MS) for _ in range(4)] == [7, 7, 1, 0]
    await store.close()


@pytest.mark.asyncio
async def test_a_part_is_found_without_going_through_the_log(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "server.db")
    steps = store._file.all(
        f"EXPLAIN QUERY PLAN SELECT seq FROM log_entries WHERE no IN {ENTRIES} ORDER BY no",
        {"conversation": 1, "after": 0, "upto": 64},
    )
    said = " ".join(step[3] for step in steps)
    assert "INDEX log_marks (conversation_no=? AND seq>?)" in said
    assert "SCAN log_entries" not in said
    assert "SCAN l" not in said
    assert "TEMP B-TREE" not in said
    await store.close()


@pytest.mark.asyncio
async def test_numbers_stay_dense_where_somebody_else_has_written_meanwhile(tmp_path: Path) -> None:
    """Two servers on one file are not allowed (folder.py); if there were, no number would be given twice."""
    first = SqliteStore(tmp_path / "server.db")
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(first, alice, bob)
    await talk(first, alice, bob)
    await talk(first, bob, alice)
    conversation = alice.direct_with(bob)
    second = SqliteStore(tmp_path / "server.db")
    seqs = []
    for _ in range(10):
        seqs.append(await say(first, alice.device, alice.device.message(conversation, bob.account)))
        seqs.append(await say(second, bob.device, bob.device.message(conversation, alice.account)))
    assert seqs == await log_seqs(first, conversation) == [*range(1, 21)]
    await first.close()
    await second.close()


@pytest.mark.asyncio
async def test_no_number_is_given_twice_though_all_entries_are_old(tmp_path: Path) -> None:
    """Else the last entry of a quiet log would be somebody else's, or the one before itself."""
    store = SqliteStore(tmp_path / "server.db")
    alice, bob, carol = Resident("alice"), Resident("bob"), Resident("carol")
    await settle_in(store, alice, bob, carol)
    for other in (bob, carol):
        await talk(store, alice, other)
    quiet, lively = alice.direct_with(bob), alice.direct_with(carol)
    for _ in range(5):
        await say(store, alice.device, alice.device.message(lively, carol.account))
    await say(store, alice.device, alice.device.message(quiet, bob.account))
    later_ms = NOW_MS + limits.KEEP_MESSAGE_ID_MS + 1
    while await store.prune(later_ms):
        pass
    for _ in range(9):
        await say(store, alice.device, alice.device.message(lively, carol.account, now_ms=later_ms))
    assert await log_seqs(store, quiet) == []
    await say(store, alice.device, alice.device.message(quiet, bob.account, now_ms=later_ms))
    assert await log_seqs(store, quiet) == [2]
    assert await log_seqs(store, lively) == [*range(6, 15)]
    await store.close()

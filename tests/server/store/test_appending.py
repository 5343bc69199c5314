"""Messages of a batch are written together: whatever comes between them sees those before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.server.store.caches import LAST_NO_OF_COPY
from coterie.server.store.records import PutFact
from coterie.server.store.results import Appended, Denied, LeafAdded
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import Machine, Resident, log_seqs, say, settle_in, talk


async def of_two(folder: Path) -> tuple[SqliteStore, Resident, Resident]:
    """Two people who have each other's keys; nothing is said yet."""
    store = SqliteStore(folder / "server.db")
    alice, bob = Resident("alice"), Resident("bob")
    await settle_in(store, alice, bob)
    await talk(store, alice, bob)
    await talk(store, bob, alice)
    return store, alice, bob


@pytest.mark.asyncio
async def test_messages_of_one_batch_follow_each_other(tmp_path: Path) -> None:
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    one = alice.device.message(conversation, bob.account)
    two = alice.device.message(conversation, bob.account, previous=one.message)
    other = bob.device.message(conversation, alice.account)
    results = await store.commit([one, other, two])
    assert [result.seq for result in results if isinstance(result, Appended)] == [1, 2, 3]
    entries = await store.log(log_of(conversation), 0, 10, 1 << 20)
    assert [entry.message for entry in entries] == [one.message, other.message, two.message]
    alice.device.last[conversation] = two.message
    assert await say(store, alice.device, alice.device.message(conversation, bob.account)) == 4
    await store.close()


@pytest.mark.asyncio
async def test_a_retry_in_the_batch_of_its_message_finds_it(tmp_path: Path) -> None:
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    one = alice.device.message(conversation, bob.account)
    two = alice.device.message(conversation, bob.account, previous=one.message)
    stray = alice.device.message(conversation, bob.account, previous=b"?" * 16)
    results = await store.commit([one, two, one, stray])
    again = results[2]
    assert isinstance(again, Appended)
    assert (again.seq, again.entry) == (1, None)
    assert results[3] == Denied(Code.OUT_OF_ORDER)
    assert await log_seqs(store, conversation) == [1, 2]
    await store.close()


@pytest.mark.asyncio
async def test_a_device_that_joins_behind_a_message_of_the_batch_does_not_get_it(tmp_path: Path) -> None:
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    new = Machine(bob.account)
    message = alice.device.message(conversation, bob.account)
    results = await store.commit([message, bob.change(new)])
    assert isinstance(results[1], LeafAdded)
    ends = {end.stream: end for end in await store.stream_ends(new.id, 10)}
    assert ends[log_of(conversation)].acknowledged == 1
    await store.close()


@pytest.mark.asyncio
async def test_what_waited_is_not_written_twice_where_the_batch_is_done_again(tmp_path: Path) -> None:
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    message = alice.device.message(conversation, bob.account)
    stranger = Resident("x")
    denied = alice.device.message(alice.direct_with(stranger), stranger.account)
    results = await store.commit([message, denied])
    assert [type(result) for result in results] == [Appended, Denied]
    assert await log_seqs(store, conversation) == [1]
    assert store._file.number("SELECT count(*) FROM log_entries") == 1
    await store.close()


@pytest.mark.asyncio
async def test_to_a_copy_a_message_comes_again_without_those_that_every_device_had(tmp_path: Path) -> None:
    """It is the first in this life, and the one that it names is not the newest in the copy. One behind it
    has to name it."""
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    old = [alice.device.message(conversation, bob.account)]
    for _ in range(2):
        old.append(alice.device.message(conversation, bob.account, previous=old[-1].message))
    await store.commit(old)
    again = alice.device.message(conversation, bob.account, previous=old[0].message)
    strange = alice.device.message(conversation, bob.account, previous=b"?" * 16)
    assert await store.commit([again, strange]) == [Denied(Code.OUT_OF_ORDER)] * 2
    await store.commit([PutFact(LAST_NO_OF_COPY, (3).to_bytes(8, "big"))])
    await store.close()
    store = SqliteStore(tmp_path / "server.db")
    behind = alice.device.message(conversation, bob.account, previous=old[1].message)
    first, second, third = await store.commit([strange, again, behind])
    assert (first, third) == (Denied(Code.OUT_OF_ORDER), Denied(Code.OUT_OF_ORDER))
    assert isinstance(second, Appended)
    assert await log_seqs(store, conversation) == [1, 2, 3, 4]
    await store.close()


@pytest.mark.asyncio
async def test_a_log_that_moved_meanwhile_is_looked_at_anew(tmp_path: Path) -> None:
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    await say(store, alice.device, alice.device.message(conversation, bob.account))
    store._file.run("UPDATE conversations SET log_end = 7 WHERE log_end = 1")
    assert await say(store, alice.device, alice.device.message(conversation, bob.account)) == 8
    await store.close()


@pytest.mark.asyncio
async def test_only_a_message_for_which_all_is_at_hand_is_appended_at_once(tmp_path: Path) -> None:
    store, alice, bob = await of_two(tmp_path)
    conversation = alice.direct_with(bob)
    first = alice.device.message(conversation, bob.account)
    writing, appending = store._writing._messages, store._writing._appending
    assert writing.append_at_once(first) is None, "who may be spoken to was not looked at yet"
    await say(store, alice.device, first)
    second = alice.device.message(conversation, bob.account)
    appending.forget()
    assert writing.append_at_once(second) is None, "numbers have to be drawn first"
    await appending.draw_numbers()
    result = writing.append_at_once(second)
    assert isinstance(result, Appended)
    assert result.seq == 2
    await store.close()

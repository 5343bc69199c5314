"""kill -9 of a process that writes: what it said to be committed is there, whole, and nothing by halves."""

from __future__ import annotations

import pytest

from coterie.base.ids import mailbox_of
from coterie.client.store.database import run
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.processes import next_line, started
from tests.client.store.samples import CONVERSATIONS, DEVICES, message
from tests.client.store.writing_process import BATCH


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 7, 60])
def test_what_was_committed_survives(place: ProfilePlace, lines: int) -> None:
    with started("writing_process", place.folder) as writer:
        said = [int(next_line(writer)) for _ in range(lines)]
        writer.kill()
        assert writer.stdout is not None
        said += [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert said == [*range(1, len(said) + 1)]
    store = ClientStore.open(place, DATABASE_KEY)
    position = store.position(mailbox_of(DEVICES[0]))
    assert position is not None
    assert position.seq >= said[-1]
    assert store.last_order() == BATCH * position.seq
    history = store.history(CONVERSATIONS[0], BATCH * position.seq + 1, None)
    assert [row.order for row in history] == [*range(1, BATCH * position.seq + 1)]
    assert len(store.search(f"number{said[-1]}", 100)) >= BATCH
    run(store._database, "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")
    assert run(store._database, "PRAGMA integrity_check") == [("ok",)]
    commit(store, message(store.last_order() + 1))
    store.close()

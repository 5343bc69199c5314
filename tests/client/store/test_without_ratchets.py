"""A copy of a store keeps what was said and none of the keys that the original goes on with."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from coterie.client.events import MessageState
from coterie.client.store.database import known_steps, make_private, open_database, run
from coterie.client.store.records import Delivered, OlmRow, OwnXWing, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.client.store.without_ratchets import _RATCHETS, OF_ONE_DEVICE
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.samples import ACCOUNTS, CONVERSATIONS, DEVICES, SESSIONS, conversation, message

SECRET = b"a secret of this device, 32 byte"


def secrets() -> tuple[Record, ...]:
    return (
        OwnXWing(1, SECRET, 1, 0),
        OlmRow(SESSIONS[0], ACCOUNTS[0], DEVICES[0], SECRET, 1, 0),
        *(PutSetting(key, SECRET) for key in OF_ONE_DEVICE),
        PutSetting(Setting.PICKLE_ROOT, SECRET),
    )


def test_messages_are_there_and_keys_are_not(store: ClientStore, tmp_path: Path) -> None:
    commit(store, conversation(draft="half a sentence"), message(1, "a word"), *secrets())
    for table in ("group_out", "group_in", "kept_key", "own_fresh_key"):
        fill(store, table)
    target = tmp_path / "copy"
    make_private(target)
    store.copy_to(target)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["copy"]
    copy = ClientStore(open_database(target, DATABASE_KEY, known_steps()))
    assert copy.message(1) == message(1, "a word")
    assert [row.order for row in copy.search("word", 9)] == [1]
    kept = copy.conversation(CONVERSATIONS[0])
    assert kept is not None
    assert kept.draft == "half a sentence"
    assert run(copy._database, "SELECT pickle FROM olm") == [(b"",)], "its id stays known"
    assert copy.setting(Setting.RESTORED) == b"1"
    assert copy.setting(Setting.PICKLE_ROOT) != SECRET
    everything = [row for table in tables(copy) for row in run(copy._database, f"SELECT * FROM {table}")]
    assert not [row for row in everything if SECRET in row]
    copy.close()
    assert store.setting(Setting.DEVICE_PICKLE) == SECRET, "the original keeps all"
    assert store.setting(Setting.RESTORED) is None
    commit(store, message(2))


def test_what_was_delivered_stays_so(store: ClientStore, tmp_path: Path) -> None:
    sent = message(1, own=True, state=MessageState.SENT, session=SESSIONS[0])
    commit(store, conversation(), sent, Delivered(SESSIONS[0], 0, 0))
    target = tmp_path / "copy"
    make_private(target)
    store.copy_to(target)
    with closing(ClientStore(open_database(target, DATABASE_KEY, known_steps()))) as copy:
        row = copy.message(1)
    assert row is not None
    assert row.state is MessageState.DELIVERED


def tables(store: ClientStore) -> list[str]:
    return [
        str(row[0])
        for row in run(
            store._database,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'",
        )
    ]


def fill(store: ClientStore, table: str) -> None:
    """A row in which every blob is the secret."""
    columns = run(store._database, f"SELECT type FROM pragma_table_info('{table}')")
    values = tuple(SECRET if kind == "BLOB" else 1 for (kind,) in columns)
    run(store._database, f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


KEPT = {
    "setting",
    "leaf",
    "old_leaf",
    "past",
    "account",
    "peer_device",
    "peer_keys",
    "olm",
    "seen_envelope",
    "conversation",
    "tip",
    "message",
    "delivered",
    "orders",
    "outbox",
    "let_go",
    "device_since",
    "schema_step",
}
"""Of olm the ids alone."""


def test_every_table_was_thought_of(store: ClientStore) -> None:
    """A new table has to be named here, or among what is taken out."""
    own = {table for table in tables(store) if not table.startswith("message_words")}
    assert own == KEPT | set(_RATCHETS)
    assert not KEPT & set(_RATCHETS)

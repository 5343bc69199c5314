"""History, unread counts and search as people meet them, and the indexes that keep them quick."""

from __future__ import annotations

import re

import apsw
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coterie.base.errors import LocalError
from coterie.base.ids import SessionId
from coterie.client.events import MessageState
from coterie.client.store import sqlite
from coterie.client.store.database import run
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import (
    MessageAccepted,
    OutboxRow,
    OutboxState,
    PruneOutbox,
    PutDraft,
    ReadElsewhere,
    ReadTold,
    ReadUpTo,
)
from coterie.client.store.sqlite import ClientStore
from coterie.client.store.words import SEARCH_WORDS, words_query
from tests.client.store.places import DATABASE_KEY, commit
from tests.client.store.samples import CONVERSATIONS, DEVICES, conversation, message

HERE = CONVERSATIONS[0]


def found(store: ClientStore, words: str) -> list[int]:
    return [row.order for row in store.search(words, 50)]


def test_history_by_pages(store: ClientStore) -> None:
    commit(store, *(message(order) for order in range(1, 8)))
    newest = store.history(HERE, 3, None)
    before = store.history(HERE, 3, newest[0].order)
    rest = store.history(HERE, 3, before[0].order)
    pages = [[row.order for row in page] for page in (rest, before, newest)]
    assert pages == [[1], [2, 3, 4], [5, 6, 7]]
    assert store.history(HERE, 3, 1) == store.history(CONVERSATIONS[1], 3, None) == []
    assert store.history(HERE, 0, None) == store.history(HERE, -5, None) == []


def test_unread_are_the_messages_of_others_above_the_mark(store: ClientStore) -> None:
    others = [message(order) for order in (1, 3, 4)]
    commit(store, message(2, own=True), *others)
    assert store.unread(HERE) == (3, 1)
    commit(store, conversation(), ReadUpTo(HERE, 3))
    assert store.unread(HERE) == (1, 4)
    commit(store, ReadUpTo(HERE, 1))
    assert store.unread(HERE) == (1, 4)
    commit(store, ReadUpTo(HERE, 4))
    assert store.unread(HERE) == (0, 0)


def test_what_was_read_elsewhere_is_read_wherever_it_stands_here(store: ClientStore) -> None:
    """By its place in the log, also where it came before the message; a mark never goes back."""
    commit(store, conversation(), ReadElsewhere(HERE, 7))
    commit(store, message(1, seq=7), message(2, seq=6), message(3, seq=8), message(4, seq=9))
    assert (store.unread(HERE), store.first_unread_seq(HERE)) == ((2, 3), 8)
    commit(store, ReadUpTo(HERE, 3), ReadElsewhere(HERE, 2), ReadTold(HERE, 1))
    assert (store.unread(HERE), store.first_unread_seq(HERE)) == ((1, 4), 9)
    row = store.conversation(HERE)
    assert row is not None
    assert (row.read_seq, row.told_seq) == (7, 7)
    commit(store, ReadTold(HERE, 8), ReadElsewhere(HERE, 9))
    row = store.conversation(HERE)
    assert row is not None
    assert (row.read_seq, row.told_seq) == (9, 9)
    assert (store.unread(HERE), store.first_unread_seq(HERE)) == ((0, 0), 0)


def test_an_accepted_message_keeps_the_mac_it_has(store: ClientStore) -> None:
    commit(store, message(1, own=True, state=MessageState.QUEUED))
    commit(store, MessageAccepted(1, 9, 100, b"mac"), MessageAccepted(1, 9, 100, b""))
    row = store.message(1)
    assert row is not None
    assert (row.state, row.seq, row.server_ms, row.mac) == (MessageState.SENT, 9, 100, b"mac")


def test_a_draft_stays_until_it_is_replaced(store: ClientStore) -> None:
    commit(store, conversation(), PutDraft(HERE, "half a thou"), message(1), ReadUpTo(HERE, 1))
    kept = store.conversation(HERE)
    assert kept is not None
    assert (kept.draft, kept.read_order) == ("half a thou", 1)


def test_the_outbox_lists_what_is_not_accepted_yet(store: ClientStore) -> None:
    commit(
        store,
        OutboxRow(1, CONVERSATIONS[1], message(1).message, OutboxState.SENT, 10, b"", b"sealed"),
        OutboxRow(2, CONVERSATIONS[1], message(2).message, OutboxState.WAITING, 20),
        OutboxRow(3, HERE, message(3).message, OutboxState.SEALED, 30, b"", b"sealed"),
    )
    assert store.outbox_conversations() == [CONVERSATIONS[1], HERE]
    commit(store, PruneOutbox(10))
    assert store.outbox_row(1) is not None
    commit(store, PruneOutbox(1000))
    assert [store.outbox_row(order) is None for order in (1, 2, 3)] == [True, False, False]


def indexed(store: ClientStore) -> list[int]:
    """What the index itself finds."""
    rows = run(
        store._database, "SELECT rowid FROM message_words WHERE message_words MATCH 'word' ORDER BY rowid"
    )
    return [row[0] for row in rows if isinstance(row[0], int)]


TEXTS = {
    1: "Grüße aus Köln, bis bald",
    2: "the well-known #tag costs 20%",
    3: 'say "hello" AND goodbye',
    4: "ΑΘΗΝΑ и Москва",
    5: "hello hello",
    6: "新年快乐 朋友",
}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("grusse", []),
        ("gruße koln", [1]),
        ("KÖLN", [1]),
        ("kö", [1]),
        ("aus köl", [1]),
        ("köl aus", []),
        ("well-known", [2]),
        ("#tag", [2]),
        ("20%", [2]),
        ("tag -costs", [2]),
        ("hello", [5, 3]),
        ("hel", [5, 3]),
        ("hello AND", [3]),
        ('"hello', [5, 3]),
        ("hello NOT goodbye", []),
        ("text:hello", []),
        ("θηνα", []),
        ("αθηνα", [4]),
        ("москва", [4]),
        ("新年", [6]),
        ("hello \x00 goodbye", [3]),
        ("\ud800goodbye", [3]),
        ("", []),
        (" \t\n", []),
        ("*", []),
        ("!!! ---", []),
        ("😀", []),
    ],
)
def test_search(store: ClientStore, words: str, expected: list[int]) -> None:
    commit(store, *(message(order, text) for order, text in TEXTS.items()))
    assert found(store, words) == expected


def test_search_in_one_conversation_and_by_pages(store: ClientStore) -> None:
    there = CONVERSATIONS[1]
    for order in range(1, 9):
        said = message(order, "word" if order != 4 else "other")
        commit(store, msgspec.structs.replace(said, conversation=there if order % 2 else HERE))
    assert [row.order for row in store.search("word", 50, HERE)] == [8, 6, 2]
    assert [row.order for row in store.search("word", 2, HERE)] == [8, 6]
    assert [row.order for row in store.search("word", 2, HERE, 6)] == [2]
    assert [row.order for row in store.search("word", 2, None, 6)] == [5, 3]
    assert store.search("word", 50, None, 1) == store.search("word", 0, HERE) == []
    assert store.search("", 5, HERE) == store.search("\0 ", 5, HERE, 3) == []


def test_later_pages_forward(store: ClientStore) -> None:
    commit(store, *(message(order) for order in range(1, 8)))
    assert [row.order for row in store.later(HERE, 3, 2)] == [3, 4, 5]
    assert [row.order for row in store.later(HERE, 3, 5)] == [6, 7]
    assert store.later(HERE, 3, 7) == store.later(CONVERSATIONS[1], 3, 0) == store.later(HERE, -1, 0) == []


SYNTAX = st.text(st.sampled_from('"*^:(){}+-, \0\ud800aAÉ新😀') | st.characters(), max_size=40)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=SYNTAX
    | st.lists(st.sampled_from(["AND", "NOT", "NEAR(", '"', "x" * 300]), max_size=90).map(" ".join)
)
def test_no_input_is_a_syntax_error(store: ClientStore, words: str) -> None:
    store.search(words, 10)
    store.search(words, 10, HERE, 1_000)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_text_is_kept_as_it_is(store: ClientStore, text: str) -> None:
    store.begin()
    store.apply((message(1, text),))
    kept = store.message(1)
    assert kept is not None
    assert kept.text == text
    store.search(text, 5)
    store.rollback()


def test_a_long_search_goes_by_its_first_words() -> None:
    assert words_query(" ".join(["a"] * 500)).count('"a"') == SEARCH_WORDS


def test_rewriting_a_message_rewrites_its_words(store: ClientStore) -> None:
    commit(store, message(1, "before"), message(2, "other"))
    commit(store, message(1, "after"))
    assert (found(store, "before"), found(store, "after"), found(store, "other")) == ([], [1], [2])
    commit(store, message(1, "", readable=False))
    assert found(store, "after") == []
    run(store._database, "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")


def test_texts_enter_the_index_many_at_a_time(store: ClientStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "TEXTS_AT_ONCE", 3)
    for order in range(1, 4):
        commit(store, message(order, "word"))
    assert indexed(store) == []
    commit(store, message(4, "word"))
    assert indexed(store) == [1, 2, 3, 4]
    commit(store, message(5, "word"))
    assert indexed(store) == [1, 2, 3, 4]
    assert found(store, "word") == [5, 4, 3, 2, 1]
    assert indexed(store) == [1, 2, 3, 4, 5]


def test_what_was_not_in_the_index_when_the_program_ended_is_found(
    store: ClientStore, place: ProfilePlace
) -> None:
    commit(store, message(1, "word"), message(2, "word"))
    store.close()
    again = ClientStore.open(place, DATABASE_KEY)
    assert found(again, "word") == [2, 1]
    again.close()


def test_a_text_of_a_transaction_that_failed_is_in_no_index(store: ClientStore) -> None:
    commit(store, message(1, "word"))
    store.begin()
    store.apply((message(2, "word"),))
    assert found(store, "word") == [2, 1]
    store.rollback()
    assert found(store, "word") == [1]
    commit(store, message(2, "another"))
    assert (found(store, "word"), found(store, "another")) == ([1], [2])
    run(store._database, "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")


def test_whatever_changes_below_what_is_indexed_is_found_as_it_is(store: ClientStore) -> None:
    commit(store, message(3, "three"))
    assert found(store, "three") == [3]
    commit(store, message(1, "late"), message(3, "changed"), message(4, "four"))
    commit(store, message(4, "fourth"))
    run(store._database, 'DELETE FROM message WHERE "order" = 1')
    assert [found(store, words) for words in ("three", "late", "changed", "four", "fourth")] == [
        [],
        [],
        [3],
        [4],
        [4],
    ]
    run(store._database, "INSERT INTO message_words (message_words, rank) VALUES ('integrity-check', 1)")


def test_a_message_is_unique_by_conversation_device_and_id(store: ClientStore) -> None:
    one = message(1)
    commit(store, one, msgspec.structs.replace(message(2, message=one.message), device=DEVICES[2]))
    commit(store, msgspec.structs.replace(message(3, message=one.message), conversation=CONVERSATIONS[1]))
    with pytest.raises(LocalError):
        commit(store, message(4, message=one.message))
    store.rollback()
    with pytest.raises(apsw.ConstraintError):
        run(store._database, 'UPDATE message SET "device" = ? WHERE "order" = 2', (one.device,))
    assert [store.message_order(HERE, device, one.message) for device in DEVICES] == [None, 1, 2]
    commit(store, one)


def test_a_message_is_unique_by_session_index_and_device(store: ClientStore) -> None:
    """Their index holds the first eight bytes of a session alone: two that begin alike are two."""
    session, alike, third = (SessionId(b"s" * 30 + end) for end in (b"ss", b"sx", b"xx"))
    one = msgspec.structs.replace(message(1), session=session, index=4)
    commit(store, one, msgspec.structs.replace(message(2), session=session, index=4, device=DEVICES[2]))
    commit(store, msgspec.structs.replace(message(3), session=alike, index=4))
    commit(store, msgspec.structs.replace(message(4), session=session, index=5), message(5), message(6))
    assert [store.index_used(one.device, each, 4) for each in (session, alike, third)] == [
        True,
        True,
        False,
    ]
    assert store.index_used(DEVICES[2], session, 5) is False
    with pytest.raises(LocalError):
        commit(store, msgspec.structs.replace(message(7), session=session, index=4))
    store.rollback()
    for change in ('"session" = ?1, "index" = 4', '"index" = 4, "session" = ?1, "device" = "device"'):
        for order in (5, 6):
            with pytest.raises(apsw.ConstraintError):
                run(store._database, f'UPDATE message SET {change} WHERE "order" = {order}', (session,))
    with pytest.raises(apsw.ConstraintError):
        run(store._database, 'UPDATE message SET "index" = 4 WHERE "order" = 4')
    commit(store, one)


@pytest.mark.parametrize(
    "question",
    [
        lambda store: store.history(HERE, 50, None),
        lambda store: store.history(HERE, 50, 1000),
        lambda store: store.later(HERE, 50, 1000),
        lambda store: store.last_message(HERE),
        lambda store: store.unread(HERE),
        lambda store: store.message_order(HERE, DEVICES[0], message(1).message),
        lambda store: store.index_used(DEVICES[0], bytes(32), 3),
        lambda store: store.written(bytes(32), bytes(16), 1, 3),
        lambda store: store.opened_up_to(bytes(32), DEVICES[0], 1),
        lambda store: store.outbox(HERE, OutboxState.WAITING, 10),
        lambda store: store.tips(HERE, 8),
        lambda store: store.olm_sessions(DEVICES[0]),
        lambda store: store.waiting_for_account(bytes(32)),
        lambda store: store.group_in(HERE, bytes(32), DEVICES[0], bytes(32)),
    ],
)
def test_no_question_walks_through_a_whole_table(store: ClientStore, question: object) -> None:
    assert callable(question)
    asked: list[str] = []

    def note(cursor: object, sql: str, values: object) -> bool:
        asked.append(sql)
        return True

    store._database.exec_trace = note
    question(store)
    store._database.exec_trace = None
    assert asked
    for sql in asked:
        plan = [str(row[3]) for row in run(store._database, "EXPLAIN QUERY PLAN " + sql, _values(sql))]
        assert plan
        assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step], plan


def test_what_waits_for_one_session_is_not_sought_in_a_whole_stream(store: ClientStore) -> None:
    sql = 'SELECT * FROM waiting WHERE "session" = ? AND "device" = ? AND "stream" = ? ORDER BY "seq"'
    ((*_, step),) = run(store._database, "EXPLAIN QUERY PLAN " + sql, (b"", b"", b""))
    assert "waiting_by_session (session=? AND device=? AND stream=?)" in str(step)


def _values(sql: str) -> tuple[bytes, ...]:
    numbered = [int(number) for number in re.findall(r"\?(\d+)", sql)]
    return (b"",) * (max(numbered) if numbered else sql.count("?"))

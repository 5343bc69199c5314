"""Nothing that anybody wrote, and no key, can be read in any file of a profile."""

from __future__ import annotations

import secrets

import pytest

from coterie.base.ids import AccountId, SessionId, UserName
from coterie.base.quiet import Quiet
from coterie.client.store.database import Step, known_steps, open_database, run
from coterie.client.store.keys import KeyFile
from coterie.client.store.profiles import ProfilePlace
from coterie.client.store.records import (
    AccountRow,
    ConversationRow,
    DropSetting,
    KeptKey,
    OlmRow,
    PutDraft,
    PutSetting,
    Record,
    Setting,
)
from coterie.client.store.sqlite import ClientStore
from tests.client.store.places import DATABASE_KEY, PASSWORD_KEY, RECOVERY_KEY, commit, sample_key_file
from tests.client.store.samples import CONVERSATIONS, DEVICES, conversation, message


class Secrets:
    """Random words that all hold one mark."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(8)

    def word(self) -> str:
        return self.mark + secrets.token_hex(8)

    def bytes(self) -> bytes:
        return self.word().encode()

    def records(self, start: int, count: int) -> list[Record]:
        texts = [" ".join(self.word() for _ in range(5)) for _ in range(count)]
        return [
            *(message(start + place, text, body=text.encode() * 50) for place, text in enumerate(texts)),
            conversation(draft=self.word()),
            PutDraft(CONVERSATIONS[0], self.word()),
            PutSetting(Setting.PENDING_RECOVERY_KEY, self.bytes()),
            DropSetting(Setting.PENDING_RECOVERY_KEY),
            PutSetting(Setting.PICKLE_ROOT, self.bytes()),
            OlmRow(self.bytes(), AccountId(self.bytes()), DEVICES[0], self.bytes(), 1),
            KeptKey(SessionId(self.bytes()), start, self.bytes(), self.bytes(), 0, b"", 1, CONVERSATIONS[0]),
            AccountRow(AccountId(self.bytes()), UserName(self.word()), 1, self.bytes(), ()),
        ]

    def readable_in(self, place: ProfilePlace) -> list[str]:
        """Files of the profile in which a word, a key or the header of an open database stands."""
        keys = [DATABASE_KEY, PASSWORD_KEY, RECOVERY_KEY, DATABASE_KEY.hex().encode()]
        known = [self.mark.encode(), *keys, b"SQLite format"]
        contents = {path.name: path.read_bytes() for path in place.folder.iterdir()}
        assert len(contents) >= 2
        return [name for name, content in contents.items() if any(word in content for word in known)]


def test_no_file_shows_a_word_at_any_time(store: ClientStore, place: ProfilePlace) -> None:
    words = Secrets()
    commit(store, *words.records(1, 50))
    assert words.readable_in(place) == []
    store.begin()
    store.apply(words.records(100, 3000))
    assert (place.folder / "store.db-wal").stat().st_size > 1 << 20
    assert words.readable_in(place) == []
    assert len(store.search(words.mark, 5000)) == 3050
    store.rollback()
    commit(store, *words.records(100, 200))
    assert words.readable_in(place) == []
    store.close()
    assert words.readable_in(place) == []


def test_neither_does_a_snapshot(store: ClientStore, place: ProfilePlace) -> None:
    words = Secrets()
    commit(store, *words.records(1, 50))
    store.close()
    number = len(known_steps()) + 1
    second = Step(number, "CREATE INDEX by_text ON message (text, body)")
    open_database(place.database, DATABASE_KEY, (*known_steps(), second)).close()
    assert (place.folder / f"store.db.before-{number:03}").exists()
    assert words.readable_in(place) == []


def test_what_is_dropped_is_overwritten(store: ClientStore) -> None:
    kept, dropped = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
    commit(store, PutSetting(Setting.VAULT, kept), PutSetting(Setting.PICKLE_ROOT, dropped))
    commit(store, DropSetting(Setting.PICKLE_ROOT))
    run(store._database, "PRAGMA wal_checkpoint(TRUNCATE)")
    pages = store._database.serialize("main")
    assert kept in pages
    assert dropped not in pages


@pytest.mark.parametrize(
    "record",
    [message(1, "said"), PutDraft(CONVERSATIONS[0], "said"), PutSetting(Setting.VAULT, b"said")],
)
def test_a_repr_tells_nothing(record: Record) -> None:
    assert isinstance(record, Quiet)
    assert "said" not in repr(record)


def test_an_error_tells_nothing(store: ClientStore) -> None:
    with pytest.raises(Exception, match="store was used wrongly") as raised:
        commit(store, message(1, "said"), message(2, "said", message=message(1).message))
    assert "said" not in str(raised.value)
    assert "said" not in str(raised.value.__cause__)


def test_the_key_file_holds_no_key() -> None:
    file: KeyFile = sample_key_file()
    assert DATABASE_KEY not in b"".join(each.ciphertext for each in file.wraps)
    assert ConversationRow.__mro__[1] is Quiet

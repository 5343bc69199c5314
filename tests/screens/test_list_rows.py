from __future__ import annotations

from datetime import UTC

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.clock import FakeClock
from coterie.screens.list_rows import ListRows
from coterie.screens.moments import Calendar
from coterie.screens.richtext import Span
from coterie.screens.rows import ListRow, Presence
from coterie.screens.signals import Batch, Insert, Place, Remove
from tests.examples import examples
from tests.screens.mirror import Mirror
from tests.screens.street import NOON_MS, Street


def fresh(street: Street) -> ListRows:
    rows = ListRows(street.account, street.everyone, Calendar(UTC), FakeClock(NOON_MS + 3_600_000))
    rows.refresh(street.everyone, None)
    for person in street.people():
        rows.person(person, None)
    for conversation in street.conversations():
        rows.conversation(conversation, None)
    return rows


def titles(rows: ListRows) -> list[str]:
    return [row.title for row in rows.rows]


def row_of(rows: ListRows, title: str) -> ListRow:
    return next(row for row in rows.rows if row.title == title)


def text(spans: tuple[Span, ...]) -> str:
    return "".join(span.text for span in spans)


def test_everybody_has_a_row_before_the_first_message() -> None:
    street = Street(neighbours=("carol", "bob", "dave"))
    street.presence("dave", True)
    rows = fresh(street)
    assert titles(rows) == ["Everyone", "dave", "bob", "carol", "Notes to yourself"]
    assert text(row_of(rows, "Everyone").preview) == "open to everyone on this server"
    assert row_of(rows, "dave").presence is Presence.ONLINE
    assert row_of(rows, "bob").presence is Presence.OFFLINE
    assert row_of(rows, "Everyone").presence is row_of(rows, "Notes to yourself").presence is Presence.NONE


def test_the_newest_message_stands_first_and_says_who_wrote_it() -> None:
    street = Street()
    street.arrive("bob", street.direct("bob"), "hi\nthere 👍🏽")
    street.arrive("carol", street.everyone, "all of you")
    street.write(street.direct("carol"), "mine")
    rows = fresh(street)
    assert titles(rows) == ["carol", "Everyone", "bob", "Notes to yourself"]
    assert text(row_of(rows, "carol").preview) == "You: mine"
    assert text(row_of(rows, "Everyone").preview) == "carol: all of you"
    assert text(row_of(rows, "bob").preview) == "hi there 👍🏽"
    assert row_of(rows, "bob").unread == 1
    assert row_of(rows, "bob").time == "12:01"


def test_what_is_looked_at_is_not_unread() -> None:
    street = Street()
    street.arrive("bob", street.direct("bob"), "hi")
    rows = fresh(street)
    rows.select(street.direct("bob"), Batch())
    assert row_of(rows, "bob").unread == 1
    rows.watched = True
    rows.refresh(street.direct("bob"), Batch())
    assert row_of(rows, "bob").unread == 0


def test_a_draft_shows_while_its_conversation_is_left() -> None:
    street = Street()
    rows, batch = fresh(street), Batch()
    rows.draft(street.direct("bob"), "half a thou", batch)
    assert text(row_of(rows, "bob").preview) == "Draft: half a thou"
    assert row_of(rows, "bob").faint_preview
    rows.select(street.direct("bob"), batch)
    assert text(row_of(rows, "bob").preview) == "offline"


def test_nothing_is_told_where_nothing_changed() -> None:
    street = Street()
    rows, batch = fresh(street), Batch()
    rows.person(street.person("bob"), batch)
    assert batch.signals().shown == ()
    rows.person(msgspec.structs.replace(street.person("bob"), online=True), batch)
    kinds = [type(each) for each in batch.signals().shown]
    assert kinds == [Remove, Insert]


def test_search_shows_only_what_matches_and_keeps_to_it() -> None:
    street = Street(neighbours=("bob", "bobby", "carol"))
    rows, mirror = fresh(street), Mirror(Place.LIST)
    batch = Batch()
    rows.search(" BOB", batch)
    assert titles(rows) == ["bob", "bobby"]
    street.arrive("bobby", street.direct("bobby"), "hi")
    rows.conversation(street.conversation(street.direct("bobby")), batch)
    mirror.follow(batch.signals().shown)
    assert [row.title for row in mirror.rows if isinstance(row, ListRow)] == ["bobby", "bob"]
    rows.search("", batch)
    assert len(titles(rows)) == 5


NAMES = ["bob", "carol", "dave", "erin", "frank"]


@settings(max_examples=examples(60))
@given(
    st.lists(
        st.tuples(st.sampled_from(["arrive", "presence", "read", "select", "draft"]), st.integers(0, 9)),
        max_size=30,
    )
)
def test_following_the_signals_gives_the_rows(operations: list[tuple[str, int]]) -> None:
    street = Street(neighbours=NAMES)
    rows, batch, mirror = fresh(street), Batch(), Mirror(Place.LIST)
    rows.search("", batch)
    for operation, number in operations:
        name = NAMES[number % 5]
        conversation = street.everyone if number == 9 else street.direct(name)
        match operation:
            case "arrive":
                street.arrive(name, conversation, "hi")
                rows.conversation(street.conversation(conversation), batch)
            case "presence":
                street.presence(name, number > 4)
                rows.person(street.person(name), batch)
            case "read":
                street.read[conversation] = 100
                rows.conversation(street.conversation(conversation), batch)
            case "select":
                rows.select(conversation, batch)
            case _:
                rows.draft(conversation, "x" * number, batch)
    mirror.follow(batch.signals().shown)
    assert mirror.rows == list(rows.rows)
    again = fresh(street)
    assert titles(again) == titles(rows)

"""What does not open, or never came, is asked for and comes, in its place; and is given to nobody else."""

from __future__ import annotations

from itertools import pairwise

import pytest

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import ConversationId
from coterie.client.commands import Tick
from coterie.client.core.repair_asking import PAUSE_MOST_MS
from coterie.client.events import MessageArrived, MessagesFetching, MessagesMissing
from tests.attacks.conftest import couple, identities
from tests.attacks.couple import Couple, Talker

__all__ = ["couple", "identities"]


def pass_time(couple: Couple, ms: int = 1000) -> None:
    """A moment for both, and whatever they have to say to each other."""
    couple.later(ms)
    for one in (couple.alice, couple.bob):
        one.command(Tick())
    for _ in range(3):
        for one in (couple.alice, couple.bob):
            couple.deliver(one)


def mend(couple: Couple, talker: Talker, ms: int = 60_000) -> None:
    """Until nothing is awaited, or so much time has passed."""
    for _ in range(ms // 1000):
        if not talker.store.undecryptable_now():
            return
        pass_time(couple)


def test_a_message_whose_key_is_lost_comes_again(couple: Couple) -> None:
    couple.tells(couple.bob, "hello")
    couple.later()
    couple.says(couple.alice, "one")
    couple.alice.post.envelopes.clear()
    couple.deliver(couple.bob)
    assert couple.bob.store.undecryptable_now() == 1
    mend(couple, couple.bob)
    assert couple.heard(couple.bob) == ["one"]
    assert couple.bob.waiting() == []


def talk(couple: Couple) -> ConversationId:
    return direct_id(couple.alice.account, couple.bob.account)


def drop(couple: Couple, *texts: str) -> None:
    """Alice says these, and the server gives bob the keys alone."""
    for text in texts:
        couple.says(couple.alice, text)
    couple.alice.post.messages.clear()


def fetching(talker: Talker) -> list[int]:
    """How many messages were on their way again, each time that this was told."""
    told = [event for event in talker.shown if isinstance(event, MessagesFetching)]
    return [sum(place.count for place in event.places) for event in told]


def missing(talker: Talker) -> list[int]:
    return [event.count for event in talker.shown if isinstance(event, MessagesMissing)]


def test_what_the_server_drops_comes_again_in_its_place(couple: Couple) -> None:
    """One after the other, the newest first: each names the one before it."""
    couple.says(couple.alice, "one")
    couple.deliver(couple.bob)
    drop(couple, "two", "three", "four")
    couple.says(couple.alice, "five")
    couple.deliver(couple.bob)
    assert (fetching(couple.bob)[-1], missing(couple.bob)[-1]) == (3, 3)
    mend(couple, couple.bob)
    assert couple.heard(couple.bob) == ["one", "two", "three", "four", "five"]
    assert (fetching(couple.bob)[-1], missing(couple.bob)[-1]) == (0, 0)
    arrived = [each.message.text for each in couple.bob.shown if isinstance(each, MessageArrived)]
    assert arrived == ["one", "five", "four", "three", "two"]
    assert couple.bob.store.unread(talk(couple)) == (5, 1)
    assert [row.text for row in couple.bob.store.search("three", 5)] == ["three"]


def test_what_is_doubled_is_shown_once_and_nothing_is_asked(couple: Couple) -> None:
    couple.says(couple.alice, "one")
    (said,) = couple.alice.post.messages
    couple.alice.post.messages = [said, said]
    couple.deliver(couple.bob)
    assert couple.heard(couple.bob) == ["one"]
    assert couple.bob.store.undecryptable_now() == 0
    assert couple.bob.store.awaited() == []


def test_a_key_that_comes_late_opens_what_waits_without_repair(couple: Couple) -> None:
    """The mailbox is not drained up to the end that the entry names: nothing is asked for a minute."""
    couple.says(couple.alice, "one")
    late, couple.alice.post.envelopes = couple.alice.post.envelopes, []
    couple.bob.mailbox_end = 9
    couple.deliver(couple.bob)
    for _ in range(10):
        pass_time(couple)
    assert couple.bob.post.envelopes == []
    (row,) = couple.bob.store.awaited()
    assert row.asked == 0
    couple.bob.mail(*late)
    assert couple.heard(couple.bob) == ["one"]
    assert couple.bob.store.awaited() == []


def test_a_place_of_the_mailbox_that_never_comes_holds_up_nothing_for_long(couple: Couple) -> None:
    """Attack: the server names an end of the mailbox that is beyond all measure."""
    couple.says(couple.alice, "one")
    couple.alice.post.envelopes.clear()
    couple.bob.mailbox_end = 1 << 60
    couple.deliver(couple.bob)
    mend(couple, couple.bob, 70_000)
    assert couple.heard(couple.bob) == ["one"]


def test_places_are_kept_across_a_restart(couple: Couple) -> None:
    """What is awaited keeps its place also where it is the newest thing that is known."""
    couple.tells(couple.alice, "one")
    couple.later()
    couple.says(couple.alice, "two")
    couple.alice.post.envelopes.clear()
    couple.deliver(couple.bob)
    couple.bob.restart()
    assert fetching(couple.bob)[-1] == 1
    couple.says(couple.bob, "what did you say?")
    mend(couple, couple.bob)
    rows = couple.bob.store.history(talk(couple), 10, None)
    assert [row.text for row in rows] == ["one", "two", "what did you say?"]


def test_who_is_away_is_asked_again_with_growing_pauses(couple: Couple) -> None:
    couple.says(couple.alice, "one")
    couple.alice.post.envelopes.clear()
    couple.deliver(couple.bob)
    asked_ms = []
    for _ in range(3600):
        before = [row.asked for row in couple.bob.store.awaited()]
        couple.bob.now_ms += 30_000
        couple.bob.command(Tick())
        if [row.asked for row in couple.bob.store.awaited()] != before:
            asked_ms.append(couple.bob.now_ms)
    pauses = [after - before for before, after in pairwise(asked_ms)]
    assert pauses[0] == 60_000
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_MOST_MS


@pytest.mark.slow
def test_hundreds_come_within_hours_and_no_more_than_a_hundred_in_one(couple: Couple) -> None:
    """What the limit of the asked holds up goes on by itself, from the newest to the oldest."""
    count = 120
    couple.says(couple.alice, "0")
    couple.deliver(couple.bob)
    drop(couple, *map(str, range(1, count)))
    couple.says(couple.alice, str(count))
    couple.deliver(couple.bob)
    begun_ms, left, came_ms = couple.bob.now_ms, count - 1, []
    while left and couple.bob.now_ms - begun_ms < limits.DAY_MS:
        before = left
        pass_time(couple, 1000)
        left = couple.bob.store.undecryptable_now()
        came_ms += [couple.bob.now_ms - begun_ms] * (before - left)
        if left == before:
            couple.later(5 * 60_000)
    assert sum(ms < limits.HOUR_MS for ms in came_ms) == limits.REPAIRS_PER_HOUR
    assert came_ms[-1] < 4 * limits.HOUR_MS
    assert couple.heard(couple.bob) == [str(number) for number in range(count + 1)]


def test_what_does_not_open_in_a_conversation_that_is_new_begins_it(couple: Couple) -> None:
    """Of its key nothing has come, so this side did not know of the conversation."""
    couple.says(couple.alice, "hello, stranger")
    couple.alice.post.envelopes.clear()
    couple.deliver(couple.bob)
    assert couple.bob.store.conversation(talk(couple)) is None
    mend(couple, couple.bob)
    row = couple.bob.store.conversation(talk(couple))
    assert row is not None
    assert row.peer == couple.alice.account
    assert couple.bob.store.unread(talk(couple))[0] == 1

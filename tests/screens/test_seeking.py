"""Whatever a person does and whatever arrives meanwhile: what is shown is one piece of the conversation, and
its end is there for whoever goes to it."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.client.events import Event
from coterie.screens.intents import Fact, FindMessages
from coterie.screens.signals import Scope, Signals
from tests.examples import examples
from tests.screens.screen import Screen
from tests.screens.street import Street, finish

MESSAGES = 700


class Late(Screen):
    """A screen whose answers and events come in order, but only when they are let in."""

    def __init__(self, street: Street) -> None:
        super().__init__(street)
        self.waiting: deque[Fact | Event] = deque()

    def apply(self, signals: Signals) -> None:
        self.shown += signals.shown
        for intent in signals.intents:
            self.waiting.append(finish(self.presenter.perform(intent)))

    def let_in(self, count: int) -> None:
        for _ in range(min(count, len(self.waiting))):
            self.apply(self.presenter.take(self.waiting.popleft()))

    def settle(self) -> None:
        while self.waiting:
            self.let_in(1)


def stretch(screen: Late, street: Street) -> None:
    """What is shown follows each other in the store, too."""
    shown = [row.order for row in screen.rows]
    stored = [message.order for message in street.messages[street.everyone]]
    if shown:
        at = stored.index(shown[0])
        assert shown == stored[at : at + len(shown)]


OTHER = ["top", "bottom", "newest", "leave and return", "write", "settle"]
ACTIONS = st.one_of(
    st.tuples(st.just("arrive"), st.integers(1, 3)),
    st.tuples(st.just("seek"), st.integers(0, MESSAGES - 1)),
    st.tuples(st.just("let in"), st.integers(1, 4)),
    st.tuples(st.sampled_from(OTHER), st.just(0)),
)


def do(screen: Late, street: Street, action: str, number: int) -> None:
    presenter = screen.presenter
    match action:
        case "arrive":
            for _ in range(number):
                screen.waiting.extend(street.arrive("bob", street.everyone, "new"))
        case "seek":
            seek(screen, street, number)
        case "let in":
            screen.let_in(number)
        case "settle":
            screen.settle()
        case "top":
            screen.apply(presenter.reach_top())
        case "bottom":
            screen.apply(presenter.reach_bottom())
        case "newest":
            screen.apply(presenter.newest())
        case "write":
            screen.apply(presenter.submit("mine"))
            screen.waiting.extend(street.events)
            street.events.clear()
        case "leave and return":
            screen.apply(presenter.select(street.direct("bob")))
            screen.apply(presenter.select(street.everyone))
        case _:
            raise AssertionError(action)


def seek(screen: Late, street: Street, number: int) -> None:
    """Search for a message and go to it; the answer to the search comes at once."""
    presenter = screen.presenter
    screen.apply(presenter.look(Scope.EVERYWHERE))
    screen.apply(presenter.search(f"word{number}end"))
    for intent in presenter.find().intents:
        assert isinstance(intent, FindMessages)
        screen.apply(presenter.take(finish(presenter.perform(intent))))
    screen.apply(presenter.show_found())


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(actions=st.lists(ACTIONS, max_size=25))
def test_what_is_shown_has_no_gaps_and_an_end(actions: list[tuple[str, int]]) -> None:
    street = Street()
    street.arrive("bob", street.direct("bob"), "hello")
    for number in range(MESSAGES):
        street.arrive("bob", street.everyone, f"word{number}end")
    street.read[street.everyone] = street.messages[street.everyone][-1].order
    screen = Late(street)
    screen.begin()
    screen.settle()
    for action, number in actions:
        do(screen, street, action, number)
        stretch(screen, street)
    screen.settle()
    stretch(screen, street)
    screen.apply(screen.presenter.newest())
    screen.settle()
    stretch(screen, street)
    assert screen.rows[-1].order == street.messages[street.everyone][-1].order

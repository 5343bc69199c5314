"""What does not open, or never came, is asked for and comes, in its place; and is given to nobody else."""

from __future__ import annotations

from coterie.client.commands import Tick
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
        if not talker.store.unreadable_now():
            return
        pass_time(couple)


def test_a_message_whose_key_is_lost_comes_again(couple: Couple) -> None:
    couple.tells(couple.bob, "hello")
    couple.later()
    couple.says(couple.alice, "one")
    couple.alice.post.envelopes.clear()
    couple.deliver(couple.bob)
    assert couple.bob.store.unreadable_now() == 1
    mend(couple, couple.bob)
    assert couple.heard(couple.bob) == ["one"]
    assert couple.bob.waiting() == []

"""Two honest programs that give each other fresh X-Wing keys always open what the other seals (rule 12)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.ids import MessageId
from coterie.client.commands import Say
from coterie.client.core.fresh_keys import FIRST_ID
from coterie.content.body import Text
from coterie.ledger.manifest import PrekeyKind
from coterie.wire.frames import Refusal
from coterie.wire.frames.accounts import ClaimedKeys
from tests.attacks.couple import LATER_MS, Couple, Talker, garbled
from tests.attacks.peers import X_WING_ID

pytestmark = pytest.mark.slow


def test_twenty_round_trips(couple: Couple) -> None:
    """The first goes to the signed prekey, each later one to the key that the envelope before it brought."""
    used = [couple.tells(one, f"{n}") for n in range(20) for one in (couple.alice, couple.bob)]
    assert used[0] == X_WING_ID
    assert min(used[1:]) >= FIRST_ID
    assert used[1::2] == list(range(FIRST_ID, FIRST_ID + 20))
    assert used[2::2] == list(range(FIRST_ID, FIRST_ID + 19))
    couple.nothing_broke()
    for one in (couple.alice, couple.bob):
        assert one.store.fresh_keys_unpassed(couple.other(one).device)[0] <= 2


def test_a_key_dies_thirty_days_after_a_newer_one_was_used(couple: Couple) -> None:
    alice, bob = couple.alice, couple.bob
    for n in range(3):
        couple.tells(alice, f"{n}")
        couple.tells(bob, f"{n}")
    first = alice.store.own_fresh_key(FIRST_ID)
    assert first is not None
    assert 0 < first.passed_ms < alice.now_ms
    couple.later(limits.PREKEY_KEEP_MS - 2 * LATER_MS)
    alice.restart()
    assert alice.store.own_fresh_key(FIRST_ID) == first
    couple.later(4 * LATER_MS)
    alice.restart()
    assert alice.store.own_fresh_key(FIRST_ID) is None
    newest = alice.store.newest_fresh_id()
    assert alice.store.own_fresh_key(newest) is not None
    couple.tells(bob, "still here")
    couple.nothing_broke()


def test_crossing_envelopes(couple: Couple) -> None:
    """Both speak before either hears the other, also at the very first, which makes two sessions."""
    for n in range(5):
        couple.later()
        couple.says(couple.alice, f"alice {n}")
        couple.says(couple.bob, f"bob {n}")
        couple.deliver(couple.alice)
        couple.deliver(couple.bob)
    assert couple.heard(couple.alice) == [f"bob {n}" for n in range(5)]
    assert couple.heard(couple.bob) == [f"alice {n}" for n in range(5)]
    assert couple.alice.post.sealed_to[-1] >= FIRST_ID
    couple.nothing_broke()


def test_an_envelope_that_comes_late_brings_no_older_key_back(couple: Couple) -> None:
    """The key of the late one may be gone long before a silent device has said something newer."""
    alice, bob = couple.alice, couple.bob
    couple.tells(alice, "one")
    couple.tells(bob, "two")
    couple.later()
    couple.says(alice, "late")
    late, alice.post.envelopes = alice.post.envelopes, []
    couple.deliver(bob)
    couple.later()
    couple.says(alice, "newer")
    couple.deliver(bob)
    newest = alice.store.newest_fresh_id()
    bob.mail(*late)
    assert couple.heard(bob) == ["one", "late", "newer"]
    assert couple.tells(bob, "three") == newest
    couple.nothing_broke()


@pytest.mark.parametrize("lost", ["cut", "unheard"])
def test_killed_between_commit_and_answer(couple: Couple, lost: str) -> None:
    """The envelope is given again with the same bytes, by a program that has only its disk."""
    for n in range(6):
        one = (couple.alice, couple.bob)[n % 2]
        couple.later()
        setattr(one.post, lost, n > 0)
        couple.says(one, f"{n}")
        if lost == "unheard":
            couple.deliver(couple.other(one))
        one.restart()
        couple.deliver(couple.other(one))
        assert couple.heard(couple.other(one))[-1] == f"{n}"
        couple.other(one).restart()
    assert min(couple.alice.post.sealed_to[1:] + couple.bob.post.sealed_to) >= FIRST_ID
    couple.nothing_broke()


@pytest.mark.parametrize("killed", [True, False])
def test_a_commit_that_fails(couple: Couple, killed: bool) -> None:
    """What was sealed and never committed never left: its fresh key is made anew, under the same id."""
    couple.tells(couple.alice, "one")
    couple.tells(couple.bob, "two")
    before = couple.alice.store.newest_fresh_id()
    couple.later()
    conversation = direct_id(couple.alice.account, couple.bob.account)
    never = Say(conversation, couple.bob.account, MessageId(bytes(16)), Text("never"))
    assert couple.alice.fails_to_commit(never) >= 2
    assert couple.alice.store.newest_fresh_id() == before
    if killed:
        couple.alice.restart()
    couple.tells(couple.alice, "three")
    couple.tells(couple.bob, "four")
    couple.nothing_broke()


@pytest.mark.parametrize("days", [31, 40])
@pytest.mark.parametrize("behind_ms", [0, limits.HOUR_MS, -limits.HOUR_MS])
def test_after_a_long_silence(couple: Couple, days: int, behind_ms: int) -> None:
    """Up to 35 days the fresh key stands, then the signed prekey does; both open, whatever the clocks say."""
    alice, bob = couple.alice, couple.bob
    bob.now_ms -= behind_ms
    for n in range(2):
        couple.tells(alice, f"{n}")
        couple.tells(bob, f"{n}")
    couple.later(days * limits.DAY_MS)
    alice.restart()
    bob.restart()
    used = couple.tells(alice, "after all that")
    assert (used >= FIRST_ID) == (days == 31)
    assert couple.tells(bob, "so long") >= FIRST_ID
    couple.nothing_broke()


def test_one_that_speaks_alone_makes_no_keys_without_end(couple: Couple) -> None:
    """Nobody answers: from the fiftieth on there is one a week, and the answer opens all the same."""
    alice, bob = couple.alice, couple.bob
    for n in range(limits.FRESH_KEYS_UNPASSED + 5):
        couple.tells(alice, f"{n}")
    assert alice.store.fresh_keys_unpassed(bob.device)[0] == limits.FRESH_KEYS_UNPASSED
    couple.later(limits.PREKEY_ROTATE_MS)
    couple.tells(alice, "a week later")
    assert alice.store.fresh_keys_unpassed(bob.device)[0] == limits.FRESH_KEYS_UNPASSED + 1
    assert couple.tells(bob, "an answer") == alice.store.newest_fresh_id()
    assert alice.store.fresh_keys_unpassed(bob.device)[0] == 1
    couple.nothing_broke()


def refused(couple: Couple) -> None:
    couple.alice.post.refusing = Refusal(0, Code.MAILBOX_FULL.value)
    couple.says(couple.alice, "refused")
    couple.alice.post.refusing = None


def does_not_open(couple: Couple) -> None:
    couple.says(couple.bob, "lost")
    couple.alice.mail(garbled(couple.bob.post.envelopes.pop()))
    assert len(couple.alice.waiting()) == 1


@pytest.mark.parametrize("failure", [refused, does_not_open])
def test_after_a_failure_comes_the_signed_prekey(couple: Couple, failure: Callable[[Couple], None]) -> None:
    """Once, until the other side has given a newer one."""
    alice, bob = couple.alice, couple.bob
    couple.tells(alice, "one")
    couple.tells(bob, "two")
    assert couple.tells(alice, "three") >= FIRST_ID
    couple.later()
    failure(couple)
    couple.later(limits.DAY_MS)
    alice.restart()
    assert couple.tells(alice, "four") == X_WING_ID
    couple.tells(bob, "five")
    assert couple.tells(alice, "six") >= FIRST_ID


class OutOfOneTimeKeys(Talker):
    """Somebody has claimed all of its one-time keys: others begin with the fallback key."""

    def claimed(self) -> ClaimedKeys:
        fallback = self.prekey(PrekeyKind.FALLBACK, self.fallback_key())
        return ClaimedKeys(self.device, b"", fallback, self.x_wing_key)


def weeks_later(couple: Couple) -> None:
    couple.later(limits.OLM_UNANSWERED_MS + 1)
    for one in (couple.bob, couple.alice):
        one.restart()


def test_a_session_that_the_other_side_never_heard_of_is_not_sealed_on_for_ever(couple: Couple) -> None:
    """It began under a fallback key, and what it carried was lost. That key is replaced, and dropped thirty
    days later: what is sealed on the session after that would never open."""
    alice, bob = couple.alice, couple.bob
    bob.__class__ = OutOfOneTimeKeys
    couple.says(alice, "lost")
    alice.post.envelopes.clear()
    alice.post.messages.clear()
    weeks_later(couple)
    for _ in range(2):
        bob.fallback_key()
    couple.tells(alice, "on a session of now")
    weeks_later(couple)
    couple.tells(alice, "on another, since nothing came back")
    couple.tells(bob, "an answer")
    assert len(alice.store.olm_sessions(bob.device)) == 3
    weeks_later(couple)
    couple.tells(alice, "on the one that was answered")
    couple.nothing_broke()
    assert len(alice.store.olm_sessions(bob.device)) == 3

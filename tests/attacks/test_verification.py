"""Comparing emoji between two programs: what both see, and whoever stands between them (rule 22)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, MessageId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import CompareEmoji, EmojiMatch, EndVerification, MarkVerified, Say, Tick
from coterie.client.events import ComparisonStep as Step
from coterie.client.events import (
    ContactDeviceQuestion,
    ConversationChanged,
    Emoji,
    EmojiToCompare,
    EndReason,
    MessageArrived,
    MessageQueued,
    MessageSent,
    VerificationAsked,
    VerificationEnded,
    Verified,
)
from coterie.client.store.records import Standing
from coterie.content.body import Body
from coterie.content.body.verification import (
    VerifyCancel,
    VerifyConfirm,
    VerifyKey,
    VerifyReveal,
    VerifyStart,
)
from coterie.ledger.manifest import RECOVERY
from coterie.wire.frames import LedgerGrew
from tests.attacks.conftest import met
from tests.attacks.couple import Couple, Talker
from tests.attacks.peers import EVERYONE, Peer
from tests.attacks.street import with_key

VERIFYING = (VerificationAsked, EmojiToCompare, Verified, VerificationEnded)


def told(one: Talker) -> list[Verified | VerificationAsked | EmojiToCompare | VerificationEnded]:
    """What it showed of verifying, and forget it."""
    shown = [event for event in one.shown if isinstance(event, VERIFYING)]
    one.shown.clear()
    return shown


def emoji(one: Talker) -> tuple[Emoji, ...]:
    (event,) = [event for event in one.shown if isinstance(event, EmojiToCompare)]
    return event.emoji


def ended(one: Talker) -> list[EndReason]:
    return [event.reason for event in told(one) if isinstance(event, VerificationEnded)]


def standing(one: Talker, other: Talker) -> Standing:
    row = one.store.account(other.account)
    assert row is not None
    return row.standing


def step(one: Talker, other: Talker) -> Step | None:
    known = one.core.verification.with_(other.account)
    return known.step if known is not None else None


def ask(couple: Couple, one: Talker) -> None:
    """One asks, the other hears it."""
    one.command(CompareEmoji(couple.other(one).account))
    couple.deliver(couple.other(one))


def compare(couple: Couple, one: Talker) -> None:
    """Up to the emoji on both screens; `one` has asked."""
    other = couple.other(one)
    ask(couple, one)
    other.command(CompareEmoji(one.account))
    couple.deliver(one)
    couple.deliver(other)


def say_yes(couple: Couple, one: Talker) -> None:
    one.command(EmojiMatch(couple.other(one).account))
    couple.deliver(couple.other(one))


def inject(one: Talker, couple: Couple, body: Body) -> None:
    """A body of the other's device that its program did not mean to send."""
    other = couple.other(one)
    conversation = direct_id(one.account, other.account)
    other.command(Say(conversation, one.account, MessageId(secrets.token_bytes(16)), body))
    couple.deliver(one)


@pytest.mark.parametrize("first", ["alice", "bob"])
@pytest.mark.parametrize("says_first", ["alice", "bob"])
def test_both_say_yes_and_both_are_verified(couple: Couple, first: str, says_first: str) -> None:
    asks: Talker = getattr(couple, first)
    says: Talker = getattr(couple, says_first)
    compare(couple, asks)
    assert emoji(couple.alice) == emoji(couple.bob)
    assert len(emoji(couple.alice)) == 7
    say_yes(couple, says)
    assert standing(couple.alice, couple.bob) is standing(couple.bob, couple.alice) is Standing.PINNED
    say_yes(couple, couple.other(says))
    couple.deliver(says)
    for one in (couple.alice, couple.bob):
        assert isinstance(told(one)[-1], Verified)
        assert standing(one, couple.other(one)) is Standing.VERIFIED
        assert one.core.people.person(couple.other(one).account).verified
        assert step(one, couple.other(one)) is None
    couple.nothing_broke()


def test_nothing_of_it_stands_in_the_conversation(couple: Couple) -> None:
    """Bodies of a comparison are sealed, counted and kept, and no screen ever shows one."""
    compare(couple, couple.alice)
    say_yes(couple, couple.alice)
    say_yes(couple, couple.bob)
    couple.deliver(couple.alice)
    shows = (MessageArrived, MessageQueued, MessageSent)
    for one in (couple.alice, couple.bob):
        conversation = direct_id(couple.alice.account, couple.bob.account)
        assert [event for event in one.shown if isinstance(event, shows)] == []
        assert one.store.history(conversation, 100, None) == []
        assert one.store.later(conversation, 100, 0) == []
        assert one.store.last_message(conversation) is None
        assert one.store.unread(conversation) == (0, 0)
        assert one.core.views.messages(range(1, one.store.last_order() + 1)) == ()
        changes = [event for event in one.shown if isinstance(event, ConversationChanged)]
        assert {change.conversation.last for change in changes} == {None}
    couple.says(couple.alice, "hello")
    couple.deliver(couple.bob)
    assert couple.heard(couple.bob) == ["hello"]
    assert couple.bob.core.repairs.awaiting.gaps.tell(0).show == ()


@pytest.mark.slow
def test_somebody_in_between_shows_them_different_emoji(
    tmp_path: Path, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: to alice the server says that mallory's account is bob, to bob that another of hers is alice.
    Two real exchanges, which she carries on at once; what alice and bob see differs."""
    with (
        met(tmp_path, identities, ("alice", "alice"), ("mallory", "bob")) as here,
        met(tmp_path, identities, ("carol", "alice"), ("bob", "bob")) as there,
    ):
        compare(here, here.alice)
        compare(there, there.alice)
        assert emoji(here.alice) == emoji(here.bob)
        assert emoji(there.alice) == emoji(there.bob)
        assert emoji(here.alice) != emoji(there.bob)


def test_a_changed_commitment_is_refused(couple: Couple) -> None:
    """Attack: mallory reveals a key that she chose after she had seen the other's."""
    ask(couple, couple.alice)
    couple.bob.command(CompareEmoji(couple.alice.account))
    (exchange,) = couple.bob.core.verification._exchanges.values()
    inject(couple.bob, couple, VerifyReveal(exchange.id, bytes(range(1, 33))))
    assert ended(couple.bob) == [EndReason.BROKEN]
    couple.deliver(couple.alice)
    assert EndReason.BROKEN in ended(couple.alice)


@pytest.mark.parametrize("one", ["alice", "bob"])
def test_different_emoji_end_it_for_both_and_verify_nobody(couple: Couple, one: str) -> None:
    says: Talker = getattr(couple, one)
    compare(couple, couple.alice)
    say_yes(couple, couple.other(says))
    says.command(EndVerification(couple.other(says).account, EndReason.MISMATCH))
    couple.deliver(couple.other(says))
    for each in (couple.alice, couple.bob):
        assert ended(each) == [EndReason.MISMATCH]
        assert standing(each, couple.other(each)) is Standing.PINNED


def test_who_is_asked_may_decline(couple: Couple) -> None:
    ask(couple, couple.alice)
    assert [type(event) for event in told(couple.bob)] == [VerificationAsked]
    couple.bob.command(EndVerification(couple.alice.account, EndReason.DECLINED))
    couple.deliver(couple.alice)
    assert ended(couple.alice) == ended(couple.bob) == [EndReason.DECLINED]
    couple.bob.command(EndVerification(couple.alice.account, EndReason.DECLINED))
    assert told(couple.bob) == []


def test_where_both_ask_at_once_nobody_is_asked(couple: Couple) -> None:
    """The start of the lower account counts; both see emoji without another word."""
    for one in (couple.alice, couple.bob):
        one.command(CompareEmoji(couple.other(one).account))
    for _ in range(2):
        couple.deliver(couple.alice)
        couple.deliver(couple.bob)
    assert emoji(couple.alice) == emoji(couple.bob)
    for one in (couple.alice, couple.bob):
        assert [type(event) for event in told(one)] == [EmojiToCompare]
    couple.nothing_broke()


def test_a_second_start_takes_the_place_of_the_first(couple: Couple) -> None:
    compare(couple, couple.alice)
    for one in (couple.alice, couple.bob):
        one.shown.clear()
    compare(couple, couple.alice)
    assert emoji(couple.alice) == emoji(couple.bob)
    assert ended(couple.alice) == ended(couple.bob) == [EndReason.DECLINED]


def test_a_new_start_of_theirs_ends_the_one_here(couple: Couple) -> None:
    """The other's program was started anew and knows of nothing."""
    ask(couple, couple.alice)
    couple.alice.restart()
    told(couple.bob)
    ask(couple, couple.alice)
    assert [type(event) for event in told(couple.bob)] == [VerificationEnded, VerificationAsked]


@pytest.mark.parametrize(
    ("steps", "patience_ms"),
    [(1, limits.VERIFY_PERSON_MS), (2, limits.VERIFY_DEVICE_MS), (3, limits.VERIFY_PERSON_MS)],
    ids=["nobody answers", "no key is revealed", "nobody looks"],
)
def test_every_step_waits_for_a_while_and_no_longer(couple: Couple, steps: int, patience_ms: int) -> None:
    ask(couple, couple.alice)
    if steps > 1:
        couple.bob.command(CompareEmoji(couple.alice.account))
    if steps > 2:
        couple.deliver(couple.alice)
        couple.deliver(couple.bob)
    told(couple.bob)
    wake_at_ms = couple.bob.core.wake_at_ms()
    assert couple.bob.core.verification.wake_at_ms == couple.bob.now_ms + patience_ms
    assert wake_at_ms is not None
    assert wake_at_ms <= couple.bob.now_ms + patience_ms
    couple.bob.now_ms += patience_ms - 1
    couple.bob.command(Tick())
    assert told(couple.bob) == []
    couple.bob.now_ms += 1
    couple.bob.command(Tick())
    assert ended(couple.bob) == [EndReason.TIMED_OUT]
    couple.deliver(couple.alice)
    assert ended(couple.alice) == [EndReason.TIMED_OUT]


def test_a_start_that_lay_on_the_server_for_long_asks_nobody(couple: Couple) -> None:
    couple.alice.command(CompareEmoji(couple.bob.account))
    couple.bob.now_ms += limits.VERIFY_PERSON_MS
    couple.deliver(couple.bob)
    assert told(couple.bob) == []


@pytest.mark.parametrize("kind", [VerifyKey, VerifyReveal, VerifyConfirm])
def test_what_does_not_follow_breaks_it_off(
    couple: Couple, kind: type[VerifyKey | VerifyReveal | VerifyConfirm]
) -> None:
    """A second key, a key that nobody asked for, a confirmation of something else."""
    compare(couple, couple.alice)
    (exchange,) = couple.alice.core.verification._exchanges.values()
    told(couple.alice)
    inject(couple.alice, couple, kind(exchange.id, bytes(32)))
    assert ended(couple.alice) == [EndReason.BROKEN]


def test_a_confirmation_before_anything_was_seen_breaks_it_off(couple: Couple) -> None:
    ask(couple, couple.alice)
    (exchange,) = couple.alice.core.verification._exchanges.values()
    told(couple.alice)
    inject(couple.alice, couple, VerifyConfirm(exchange.id, bytes(32)))
    assert ended(couple.alice) == [EndReason.BROKEN]


def test_a_reason_of_a_newer_version_is_a_no(couple: Couple) -> None:
    ask(couple, couple.alice)
    (exchange,) = couple.alice.core.verification._exchanges.values()
    told(couple.alice)
    inject(couple.alice, couple, VerifyCancel(exchange.id, 77))
    assert ended(couple.alice) == [EndReason.DECLINED]


def test_what_belongs_to_no_exchange_is_nothing(couple: Couple) -> None:
    """Of another exchange, of none, or said to everyone."""
    inject(couple.alice, couple, VerifyReveal(bytes(16), bytes(32)))
    ask(couple, couple.alice)
    told(couple.alice)
    inject(couple.alice, couple, VerifyCancel(bytes(16), 1))
    assert told(couple.alice) == []
    assert step(couple.alice, couple.bob) is Step.ASKED


def test_a_start_to_everyone_asks_nobody(couple: Couple) -> None:
    """Attack: one that everybody would be asked by."""
    start = VerifyStart(bytes(16), bytes(32))
    couple.alice.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), start))
    post = couple.alice.post
    (said,) = post.messages
    post.messages.clear()
    couple.bob.mail(*post.envelopes)
    post.envelopes.clear()
    couple.bob.log(replace(said, conversation=EVERYONE))
    assert told(couple.bob) == []
    couple.nothing_broke()


def test_yes_to_nothing_is_nothing(couple: Couple) -> None:
    couple.alice.command(EmojiMatch(couple.bob.account))
    ask(couple, couple.alice)
    couple.alice.command(EmojiMatch(couple.bob.account))
    assert step(couple.alice, couple.bob) is Step.ASKED


def test_a_failed_turn_ends_what_it_may_have_used_up(couple: Couple) -> None:
    """Keys agree once: after a turn whose commit failed the exchange is ended, here and there."""
    compare(couple, couple.alice)
    for one in (couple.alice, couple.bob):
        told(one)
    couple.alice.fails_to_commit(EmojiMatch(couple.bob.account))
    couple.alice.command(Tick())
    couple.deliver(couple.bob)
    assert ended(couple.alice) == ended(couple.bob) == [EndReason.BROKEN]


def test_numbers_that_match_verify_too_and_last(couple: Couple) -> None:
    couple.alice.command(MarkVerified(couple.bob.account))
    assert [type(event) for event in told(couple.alice)] == [Verified]
    couple.alice.restart()
    assert couple.alice.core.people.person(couple.bob.account).verified
    couple.alice.frame(LedgerGrew(couple.alice.server.ledger.head()))
    assert standing(couple.alice, couple.bob) is Standing.VERIFIED


def test_nobody_is_nobody_to_verify(couple: Couple) -> None:
    couple.alice.command(MarkVerified(couple.alice.account))
    couple.alice.shown.clear()
    couple.alice.command(MarkVerified(AccountId(bytes(32))))
    assert told(couple.alice) == []


def test_who_compares_on_a_device_that_came_by_recovery_confirms_it(
    tmp_path: Path, identities: dict[str, IdentityKeys]
) -> None:
    """The emoji were on that very device: nobody is asked about it, but about every other one."""
    with met(tmp_path, identities, ("alice", "alice"), ("bob", "bob"), start=False) as couple:
        bob = couple.bob
        first, other = Peer(bob.identity, "bob"), Peer(bob.identity, "bob")
        marked = [
            msgspec.structs.replace(each.entry(), approved_by=RECOVERY, marked=True) for each in (bob, other)
        ]
        bob.server.ledger.add(bob.signed)
        bob.signed = bob.sign(first.entry(), *marked, after=bob.signed)
        Couple.meet(couple.alice, bob)
        compare(couple, couple.alice)
        say_yes(couple, couple.alice)
        say_yes(couple, couple.bob)
        asked = [event for event in couple.alice.shown if isinstance(event, ContactDeviceQuestion)]
        assert [event.device.id for event in asked] == [other.device]
        couple.says(couple.alice, "hello")
        couple.deliver(bob)
        assert couple.heard(bob) == ["hello"]


def test_what_another_own_device_answers_is_asked_here_no_more(
    tmp_path: Path, identities: dict[str, IdentityKeys]
) -> None:
    """All devices are asked; the one that answers has the exchange, and the others say so once."""
    with met(tmp_path, identities, ("alice", "alice"), ("bob", "bob"), start=False) as couple:
        bob = couple.bob
        laptop = Peer(bob.identity, "bob")
        bob.server.ledger.add(bob.signed)
        approved = msgspec.structs.replace(laptop.entry(), approved_by=bob.device)
        bob.signed = bob.sign(bob.entry(), approved, after=bob.signed)
        Couple.meet(couple.alice, bob)
        couple.alice.command(CompareEmoji(bob.account))
        couple.deliver(bob)
        (exchange,) = bob.core.verification._exchanges.values()
        told(bob)
        conversation = direct_id(couple.alice.account, bob.account)
        out = with_key(laptop, bob, conversation)
        for n, id in enumerate((bytes(16), exchange.id, exchange.id), start=1):
            bob.log(laptop.message(out, conversation, "", n=n, body=VerifyKey(id, bytes(32))))
        assert ended(bob) == [EndReason.ELSEWHERE]
        assert step(bob, couple.alice) is None

"""A name that another identity has now: nothing goes to it alone until the person has looked (rule 22)."""

from __future__ import annotations

import secrets

import pytest
from msgspec.structs import replace

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import PersonChanged, SecurityStop
from coterie.base.ids import AccountId, MessageId
from coterie.base.signing import IdentityKeys
from coterie.client.commands import (
    AcceptIdentity,
    CompareEmoji,
    Disconnected,
    MarkVerified,
    MoveQueued,
    Say,
    TakeBackVerified,
    Tick,
)
from coterie.client.core.standing import before
from coterie.client.events import IdentityChanged, MessageState, SendingStuck
from coterie.client.store.records import OutboxState, Standing
from coterie.content.body import Text
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.wire.frames import LedgerGrew
from tests.attacks.peers import EVERYONE, NOW_MS, Peer
from tests.attacks.street import Server, Victim, with_key


def reset(alice: Peer, identity: IdentityKeys, server: Server) -> Peer:
    """Somebody else's keys, or alice's new ones: a reset of her name, and the first manifest after it."""
    new = Peer(identity, "alice")
    begun = new.sign(new.entry(), after=alice.signed)
    index, _ = server.ledger.view.newest_of_name(name_hash(alice.name)) or (0, None)
    hashed = name_hash(alice.name)
    leaf = Leaf(LeafKind.RESET, hashed, new.account, begun.manifest.seq, begun.hash, index)
    server.ledger.put(leaf)
    new.signed = new.sign(new.entry(), after=begun)
    server.ledger.add(new.signed)
    server.peers[new.account] = new
    return new


@pytest.fixture
def former(alice: Peer, bob: Victim) -> Peer:
    """Alice as bob knows her; they have talked."""
    out = with_key(alice, bob, direct_id(alice.account, bob.account))
    bob.log(alice.message(out, direct_id(alice.account, bob.account), "from long ago"))
    return alice


def hears_of(bob: Victim, former: Peer, identities: dict[str, IdentityKeys]) -> Peer:
    """Of another identity, and that day is over for which the name is still the former one's."""
    new = announced(bob, former, identities)
    in_effect(bob)
    return new


def announced(bob: Victim, former: Peer, identities: dict[str, IdentityKeys]) -> Peer:
    new = reset(former, identities["carol"], bob.server)
    bob.frame(LedgerGrew(bob.server.ledger.head()))
    return new


def in_effect(bob: Victim) -> None:
    bob.now_ms += limits.RESET_AFTER_MS
    bob.command(Tick())


def standing(bob: Victim, peer: Peer) -> Standing:
    row = bob.store.account(peer.account)
    assert row is not None
    return row.standing


def test_nothing_goes_to_another_identity_until_it_is_accepted(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: the server gives alice's name to somebody else. The ledger shows a reset; bob is told, what he
    writes to that name is refused, and goes once he has looked."""
    new = hears_of(bob, former, identities)
    assert bob.core.people.named(new.name) == new.account
    (told,) = [event for event in bob.shown if isinstance(event, IdentityChanged)]
    assert (told.person.name, told.changed_ms, told.was_verified) == ("alice", NOW_MS, False)
    assert told.person.changed
    assert standing(bob, new) is Standing.CHANGED
    with pytest.raises(PersonChanged) as stop:
        bob.say(new, "for alice")
    assert (stop.value.name, stop.value.changed_ms, stop.value.verified) == ("alice", NOW_MS, False)
    assert bob.server.items_for(new) == []
    bob.command(AcceptIdentity(new.account))
    assert not bob.core.people.person(new.account).changed
    bob.say(new, "for alice")
    assert len(bob.server.sends()) == 1
    assert len(bob.server.items_for(new)) == 1


def test_a_change_is_told_once_it_is_one(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    """A reset that is announced changes nothing yet, and may never."""
    new = announced(bob, former, identities)
    assert not [event for event in bob.shown if isinstance(event, IdentityChanged)]
    bob.say(former, "for alice, whoever that will be")
    assert len(bob.server.sends()) == 1
    in_effect(bob)
    (told,) = [event for event in bob.shown if isinstance(event, IdentityChanged)]
    assert told.person.account == new.account


def test_where_the_one_before_was_verified_only_a_verification_will_do(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    bob.command(MarkVerified(former.account))
    new = hears_of(bob, former, identities)
    assert standing(bob, new) is Standing.CHANGED_VERIFIED
    assert not bob.core.people.person(new.account).verified
    bob.command(AcceptIdentity(new.account))
    with pytest.raises(PersonChanged) as stop:
        bob.say(new, "for alice")
    assert stop.value.verified
    bob.command(CompareEmoji(new.account))
    assert len(bob.server.sends()) == 1
    bob.command(MarkVerified(new.account))
    bob.say(new, "for alice")
    assert len(bob.server.sends()) == 2


def test_what_was_queued_for_one_that_was_verified_waits_once_that_is_taken_back(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    """It was allowed when it was said, and nothing goes to them now; emoji may, else nobody could be verified
    again."""
    bob.command(MarkVerified(former.account))
    new = hears_of(bob, former, identities)
    bob.command(MarkVerified(new.account))
    bob.command(Disconnected(None, False))
    bob.say(new, "queued")
    bob.command(TakeBackVerified(new.account))
    bob.connect()
    assert bob.server.sends() == []
    bob.command(CompareEmoji(new.account))
    assert len(bob.server.sends()) == 1
    bob.command(MarkVerified(new.account))
    assert len(bob.server.sends()) == 2


def test_a_third_identity_waits_for_what_the_first_had(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: two resets in a row, so that the second looks like one after somebody never verified."""
    bob.command(MarkVerified(former.account))
    new = hears_of(bob, former, identities)
    newest = reset(new, IdentityKeys.generate(), bob.server)
    bob.frame(LedgerGrew(bob.server.ledger.head()))
    assert standing(bob, newest) is Standing.CHANGED_VERIFIED
    former_ids = {row.account for row in before(bob.core.people, newest.account)}
    assert former_ids == {former.account, new.account}


def test_what_was_said_stays_readable_under_the_identity_that_said_it(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    new = hears_of(bob, former, identities)
    assert bob.texts(direct_id(former.account, bob.account)) == [("alice", "from long ago")]
    assert bob.texts(direct_id(new.account, bob.account)) == []
    assert [person.account for person in bob.core.people.everybody()].count(former.account) == 0
    with pytest.raises(SecurityStop) as stop:
        bob.say(former, "to nobody any more")
    assert stop.value.code is Code.IDENTITY_CHANGED


def test_everyone_and_others_are_written_to_as_ever(
    former: Peer, bob: Victim, mallory: Peer, identities: dict[str, IdentityKeys]
) -> None:
    hears_of(bob, former, identities)
    bob.say(mallory, "for mallory")
    bob.command(Say(EVERYONE, b"", MessageId(secrets.token_bytes(16)), Text("for all")))
    assert len(bob.server.sends()) == 2


def queues(bob: Victim, former: Peer) -> None:
    """One that was sealed and not accepted, and one that was never sealed."""
    bob.say(former, "sealed")
    row = bob.store.outbox_row(bob.store.last_order())
    message = bob.store.message(bob.store.last_order())
    assert row is not None
    assert message is not None
    bob.apply(replace(row, state=OutboxState.SEALED), replace(message, state=MessageState.QUEUED))
    bob.command(Disconnected(None, final=False))
    bob.say(former, "never sealed")


@pytest.mark.parametrize("send", [True, False])
def test_what_waits_for_the_one_before_is_sent_or_dropped_by_the_person_alone(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys], send: bool
) -> None:
    """Accepting the new identity sends nothing of it; a word does, in order, under new ids; or it is given
    up, and what may have arrived is unsure."""
    new = announced(bob, former, identities)
    queues(bob, former)
    sent = len(bob.server.sends())
    in_effect(bob)
    bob.command(AcceptIdentity(new.account))
    talk = direct_id(new.account, bob.account)
    assert bob.texts(talk) == []
    bob.shown.clear()
    for _ in range(2):
        bob.connect()
        bob.command(Tick())
    assert len(bob.server.sends()) == sent
    stuck = [event for event in bob.shown if isinstance(event, SendingStuck)]
    assert [event.code for event in stuck] == [Code.IDENTITY_CHANGED] * 2
    bob.command(Disconnected(None, final=False))
    orders = [row.order for row in bob.core.standings.queued(new.account)]
    assert [message.text for message in bob.core.views.messages(orders)] == ["sealed", "never sealed"]
    bob.command(MoveQueued(new.account, send=send))
    assert bob.core.standings.queued(new.account) == ()
    assert [text for _, text in bob.texts(talk)] == (["sealed", "never sealed"] if send else [])
    assert len(bob.server.sends()) == sent
    (unsure,) = [row for row in bob.store.history(direct_id(former.account, bob.account), 9, None) if row.own]
    assert (unsure.text, unsure.state) == ("sealed", MessageState.UNSURE)
    bob.connect()
    assert len(bob.server.sends()) == sent + (2 if send else 0)


def test_while_the_new_one_s_manifest_is_withheld_nothing_goes_to_the_one_before(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: the server shows that the name was given on, and not to whom, so that bob goes on as before."""
    new = reset(former, identities["carol"], bob.server)
    del bob.server.peers[new.account]
    bob.frame(LedgerGrew(bob.server.ledger.head()))
    bob.say(former, "for whom?")
    assert bob.server.sends() == []


def test_a_new_one_that_was_ended_unseen_does_not_give_the_name_back(
    former: Peer, bob: Victim, identities: dict[str, IdentityKeys]
) -> None:
    """Attack: the same, and the server then writes that the new one was deleted. Found by orders of lies."""
    new = reset(former, identities["carol"], bob.server)
    del bob.server.peers[new.account]
    index, leaf = bob.server.ledger.view.newest_of_name(name_hash(new.name)) or (0, None)
    assert leaf is not None
    ended = replace(leaf, kind=LeafKind.TOMBSTONE, seq=leaf.seq + 1, hash=b"e" * 32, previous=index)
    bob.server.ledger.put(ended)
    bob.frame(LedgerGrew(bob.server.ledger.head()))
    bob.command(Disconnected(None, final=False))
    bob.core = bob.new_core()
    bob.connect()
    bob.say(former, "for whom?")
    assert bob.server.sends() == []


def test_nobody_has_no_past_and_nothing_to_accept(former: Peer, bob: Victim) -> None:
    nobody = AccountId(bytes(32))
    assert before(bob.core.people, nobody) == ()
    for account in (nobody, former.account):
        bob.command(AcceptIdentity(account))
        bob.command(MoveQueued(account, send=True))
    assert standing(bob, former) is Standing.PINNED

"""What a device is told of messages that are not for it: entries that a restored server was sent again, and
gave to whoever came since (encryption rule 24; docs/decisions/0042)."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.ids import SessionId
from coterie.client.commands import Disconnected, Tick
from coterie.client.core import repair_answering
from coterie.client.store.records import BeginLife, MessageRow, OutboxState
from coterie.content.repair import Entry, NotForYou
from coterie.e2ee.pairwise import PlainKind
from coterie.e2ee.vodo import GroupOut
from coterie.wire.frames import Claim, LedgerGrew
from coterie.wire.frames.shared import DeviceRef
from tests.attacks.asking import Asker, revoke, wanted
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, NOW_MS, Peer, Said
from tests.attacks.street import Victim, with_key
from tests.attacks.test_owed import Fickle, another_device, fickle, say, share_in
from tests.attacks.test_repair import last, own_phone
from tests.attacks.test_repair_given import honest
from tests.client.core.test_repair_corners import named, numbers

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def told(asker: Asker) -> list[bytes]:
    """The messages of which it was told that they are not for it, since this was asked last."""
    said = map(NotForYou.unpack, asker.contents(PlainKind.NOT_FOR_YOU))
    return [entry.message for each in said for entry in each.entries]


def joined(alice: Peer, bob: Victim, fickle: Fickle) -> Peer:
    late = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    return late


def tick(bob: Victim, ms: int = 1000) -> None:
    bob.now_ms += ms
    bob.command(Tick())


def test_a_device_that_came_later_is_told_what_is_not_for_it(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """All of it at once; not of what was sealed for it."""
    say(bob, "one")
    one = last(bob)
    say(bob, "two")
    two = last(bob)
    late = joined(alice, bob, fickle)
    say(bob, "three")
    asker = Asker(late, bob, fickle)
    asker.asks(wanted(one), wanted(two), wanted(last(bob)))
    assert told(asker) == [one.message, two.message]


def test_so_much_and_no_more_is_looked_for_at_once(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair_answering, "LOOKED_AT_ONCE", 2)
    for number in range(3):
        say(bob, f"number {number}")
    before = bob.store.history(EVERYONE, 3, None)
    late = joined(alice, bob, fickle)
    say(bob, "so that the device has keys")
    asker = Asker(late, bob, fickle)
    asker.asks(*map(wanted, before))
    assert len(told(asker)) == 2
    tick(bob)
    assert len(told(asker)) == 1


def test_who_is_not_there_is_told_nothing(alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle) -> None:
    """Attack: a stranger, a ghost or a revoked device learns which messages there are."""
    bob.say(alice, "for alice")
    row = bob.store.history(bob.store.conversations()[-1].id, 1, None)[0]
    say(bob, "for all of us")
    ghost = Asker(Peer(alice.identity, "alice"), bob, fickle)
    late = joined(alice, bob, fickle)
    gone = Asker(late, bob, fickle)
    stranger = Asker(mallory, bob, fickle)
    revoke(alice, late, bob, fickle)
    for asker in (ghost, gone, stranger):
        asker.asks(wanted(row), wanted(last(bob)))
    assert (told(ghost), told(gone), told(stranger)) == ([], [], [])


def test_a_device_in_doubt_is_told_and_given_nothing(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """An own device about which nobody has answered."""
    say(bob, "before")
    before = last(bob)
    asker = Asker(own_phone(bob, fickle, mine=False), bob, fickle)
    asker.asks(wanted(before), wanted(last(bob)))
    assert told(asker) == [before.message]


def test_whose_manifest_is_withheld_is_told_once_it_is_here(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """A restored server lacks people until somebody brings them."""
    say(bob, "before")
    before = last(bob)
    late = joined(alice, bob, fickle)
    asker = Asker(late, bob, fickle)
    bob.core.people.unproven.add(alice.account)
    asker.asks(wanted(before))
    tick(bob)
    assert told(asker) == []
    bob.core.people.unproven.discard(alice.account)
    tick(bob)
    tick(bob)
    assert told(asker) == [before.message]


def test_whoever_stays_away_is_not_waited_for(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    say(bob, "before")
    asker = Asker(joined(alice, bob, fickle), bob, fickle)
    bob.core.people.unproven.add(alice.account)
    asker.asks(wanted(bob.store.history(EVERYONE, 1, None)[0]))
    tick(bob, 60_000)
    assert bob.core.repairs.answering.wake_at_ms is None
    bob.core.people.unproven.discard(alice.account)
    tick(bob)
    assert told(asker) == []


@pytest.mark.parametrize("text", ["given", "told"])
def test_keys_of_whoever_was_only_heard_are_asked_for_once(
    alice: Peer, bob: Victim, fickle: Fickle, text: str
) -> None:
    """It began the session itself, so that nothing is known here to seal to."""
    say(bob, "one")
    row = last(bob)
    asker = Asker(alice if text == "given" else joined(alice, bob, fickle), bob, fickle)
    keys = bob.store.peer_keys(asker.peer.device)
    if keys is not None:
        bob.apply(msgspec.structs.replace(keys, x_wing_key=b""))
    fickle.keyless.add(asker.peer.device)
    asked = [DeviceRef(asker.peer.account, asker.peer.device)]

    def claims() -> int:
        return sum(list(each.devices) == asked for each in fickle.got if isinstance(each, Claim))

    before = claims()
    asker.asks(wanted(row))
    tick(bob)
    assert claims() == before + 1
    assert asker.contents(PlainKind.REPAIR) == asker.contents(PlainKind.NOT_FOR_YOU) == []
    fickle.keyless.clear()
    bob.command(Disconnected(None, final=False))
    bob.connect()
    tick(bob)
    tick(bob)
    kind = PlainKind.REPAIR if text == "given" else PlainKind.NOT_FOR_YOU
    assert len(asker.contents(kind)) == 1


def unopened(alice: Peer, bob: Victim, *, asked: bool = True) -> Said:
    """A message of alice's whose key bob was never given."""
    said = alice.message(GroupOut.create(), EVERYONE, "not for bob", n=1)
    bob.log(said)
    if asked:
        tick(bob, 61_000)
    return said


def says(asker: Asker, *said: Said) -> None:
    asker.disowns(NotForYou(tuple(Entry(each.conversation, each.message) for each in said)))


@pytest.mark.parametrize("asked", [True, False])
def test_what_is_not_for_this_device_is_fetched_no_more(
    alice: Peer, bob: Victim, fickle: Fickle, *, asked: bool
) -> None:
    """By the word of the device that sealed it; it was never unreadable."""
    said = unopened(alice, bob, asked=asked)
    bob.core.repairs._goes_on = True
    assert bob.store.undecryptable_now() == 1
    says(Asker(alice, bob, fickle), said, said)
    assert bob.store.awaited() == []
    assert bob.waiting() == []
    assert bob.core.repairs.asking.counted(0).value == bytes(8)


def test_nobody_else_says_what_is_not_for_this_device(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a member has what another one said vanish."""
    said = unopened(alice, bob)
    bob.core.repairs._goes_on = True
    says(Asker(mallory, bob, fickle), said)
    assert len(bob.store.awaited()) == len(bob.waiting()) == 1


def test_in_a_ledger_that_was_never_left_everything_is_for_this_device(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: somebody leaves this device out of what is for all, and says so to nobody else."""
    said = unopened(alice, bob)
    says(Asker(alice, bob, fickle), said)
    assert len(bob.store.awaited()) == len(bob.waiting()) == 1


def test_for_a_revoked_device_another_one_of_its_account_speaks(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """It cannot say so itself any more. While it is there it speaks for itself."""
    phone = joined(alice, bob, fickle)
    said = unopened(phone, bob)
    bob.core.repairs._goes_on = True
    says(Asker(alice, bob, fickle), said)
    assert len(bob.store.awaited()) == 1
    revoke(alice, phone, bob, fickle)
    says(Asker(alice, bob, fickle), said)
    assert not bob.store.awaited()
    assert not bob.waiting()


def test_no_own_device_in_doubt_speaks_for_a_revoked_one(bob: Victim, fickle: Fickle) -> None:
    """Attack: a thief's device has what an own one said vanish."""
    phone = own_phone(bob, fickle)
    thief = Peer(bob.identity, bob.name)
    stolen = msgspec.structs.replace(thief.entry(), approved_by=bob.device)
    gone = msgspec.structs.replace(phone.entry(), approved_by=bob.device).revoked(NOW_MS + 1)
    said = unopened(phone, bob)
    bob.core.repairs._goes_on = True
    bob.signed = bob.sign(bob.entry(), gone, stolen, after=bob.signed)
    fickle.others[thief.device] = thief
    fickle.ledger.add(bob.signed)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    assert thief.device in bob.core.trust.own.doubtful()
    says(Asker(thief, bob, fickle), said)
    assert len(bob.store.awaited()) == 1


def test_an_entry_that_is_given_another_place_is_awaited_there(alice: Peer, bob: Victim) -> None:
    """A restored server gives it once more: it keeps its place among the messages, and waits once."""
    out = GroupOut.create()
    share = alice.share_of(out, EVERYONE)
    said = alice.message(out, EVERYONE, "late", n=1)
    bob.log(said)
    (first,) = bob.store.awaited()
    with_key(alice, bob, EVERYONE, spoken := GroupOut.create())
    bob.log(alice.message(spoken, EVERYONE, "behind", n=2))
    bob.log(said)
    (moved,) = bob.store.awaited()
    assert (moved.order, moved.seq) == (first.order, 3)
    assert [row.seq for row in bob.waiting()] == [3]
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    bob.mail(alice.envelope(olm, bob, share.pack()))
    assert [text for _, text in bob.texts(EVERYONE)] == ["late", "behind"]
    assert bob.store.awaited() == []
    assert bob.waiting() == []


def began(bob: Victim) -> None:
    """The server's data begin another life, as far as the store is about it."""
    bob.apply(BeginLife(0, ()))
    bob.core = bob.new_core()
    bob.connect()


def test_what_waited_before_a_restore_is_mended_behind_it(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    said = unopened(alice, bob)
    began(bob)
    (row,) = bob.store.awaited()
    assert [each.seq for each in bob.waiting()] == [row.seq]
    assert row.seq < 0
    Asker(alice, bob, fickle).gives(honest(said))
    assert [text for _, text in bob.texts(EVERYONE)] == ["not for bob"]
    assert bob.store.history(EVERYONE, 1, None)[0].seq == 0
    assert bob.store.awaited() == []
    assert bob.waiting() == []


def test_what_waited_before_a_restore_and_opens_behind_it_waits_no_more(alice: Peer, bob: Victim) -> None:
    out = GroupOut.create()
    share = alice.share_of(out, EVERYONE)
    said = alice.message(out, EVERYONE, "again", n=1)
    bob.log(said)
    began(bob)
    olm = alice.keys.start(bob.keys.curve25519, bob.one_time_key())
    bob.log(said)
    bob.mail(alice.envelope(olm, bob, share.pack()))
    assert [text for _, text in bob.texts(EVERYONE)] == ["again"]
    assert bob.store.awaited() == []
    assert bob.waiting() == []


def test_what_is_said_again_is_opened_by_nobody_who_joined_behind_it(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Attack: a restored server names a device as one that has no key of the session, though it was given
    one from a later message on: the key from the start would open what was said before it was there."""
    say(bob, "before")
    before = last(bob)
    late = joined(alice, bob, fickle)
    say(bob, "after")
    assert last(bob).session == before.session
    shares = len(fickle.items(late))
    sent_again(bob, before)
    fickle.unknown = [DeviceRef(late.account, late.device)]
    bob.connect()
    assert not fickle.unknown
    assert [share_in(bob, late, item).index for item in fickle.items(late)] == [1] * shares
    share = bob.store.share_of(SessionId(before.session), late.device)
    assert share is not None
    assert share.index == 1


def sent_again(bob: Victim, row: MessageRow) -> None:
    queued = bob.store.outbox_row(row.order)
    assert queued is not None
    bob.apply(msgspec.structs.replace(queued, state=OutboxState.SEALED, previous=b""))


def test_what_others_named_has_no_place_before_what_its_device_says_next(
    alice: Peer, mallory: Peer, bob: Victim
) -> None:
    """Behind a restore others' messages that name hers come first. Then hers come, each once."""
    from_alice, from_mallory = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    said = numbers(alice, from_alice, 6)
    bob.log(said[0])
    for n, named_n in enumerate((3, 5, 6), start=1):
        had = named(said[named_n - 1], named_n)
        parent = msgspec.structs.replace(had[0], device=alice.device)
        bob.log(mallory.message(from_mallory, EVERYONE, f"she said {named_n}", n=n, parents=(parent,)))
    assert len(bob.store.awaited()) == 3
    bob.log(*said[1:])
    hers = [text for name, text in bob.texts(EVERYONE) if name == "alice"]
    assert hers == [f"number {n}" for n in range(1, 7)]
    assert bob.store.awaited() == []

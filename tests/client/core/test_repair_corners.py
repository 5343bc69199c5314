"""Corners of repair: what is awaited twice, what comes as nothing, whom nobody can ask."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.client.commands import Tick
from coterie.client.core.fresh_keys import FIRST_ID
from coterie.client.core.receipts import JITTER_MS, PAUSE_MS
from coterie.client.core.repair_asking import LOOK_AGAIN_MS
from coterie.client.store.records import PeerFreshKey, Setting
from coterie.content.receipts import Receipt, Receipts
from coterie.content.repair import Repair
from coterie.e2ee.group import InnerMessage, Parent
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.pairwise import PlainKind
from coterie.e2ee.vodo import GroupOut
from coterie.wire.frames import Claim, Claimed, ClientFrame, LedgerGrew, ServerFrame
from coterie.wire.frames.accounts import ClaimedKeys
from tests.attacks.asking import Asker, revoke
from tests.attacks.conftest import alice, bob, identities, mallory, server
from tests.attacks.peers import EVERYONE, Peer, Said
from tests.attacks.street import Victim, with_key
from tests.attacks.test_counts import connect_as_dormant
from tests.attacks.test_fresh_keys import begun, posted
from tests.attacks.test_owed import Fickle, another_device, fickle, say
from tests.attacks.test_repair import last
from tests.attacks.test_repair_given import honest

__all__ = ["alice", "bob", "fickle", "identities", "mallory", "server"]


def hash_of(said: Said) -> bytes:
    return hashlib.sha256(said.sealed.inner).digest()


def named(said: Said, n: int) -> tuple[Parent, ...]:
    return (Parent(hash_of(said), said.sender.device, n),)


def numbers(alice: Peer, out: GroupOut, count: int) -> list[Said]:
    """One to count, each naming the one before."""
    said: list[Said] = []
    for n in range(1, count + 1):
        parents = named(said[-1], n - 1) if said else ()
        said.append(alice.message(out, EVERYONE, f"number {n}", n=n, parents=parents))
    return said


def ask(bob: Victim, ms: int = 61_000) -> None:
    bob.now_ms += ms
    bob.command(Tick())


def texts(bob: Victim) -> list[str]:
    return [text for _, text in bob.texts(EVERYONE)]


def test_what_waits_for_a_second_reason_keeps_its_place(alice: Peer, bob: Victim) -> None:
    """A key comes that opens the session from a later index only."""
    session = GroupOut.create()
    first = alice.message(session, EVERYONE, "too early", n=1)
    bob.log(first)
    (before,) = bob.store.awaited()
    with_key(alice, bob, EVERYONE, session)
    assert bob.store.awaited() == [before]
    assert [row.reason for row in bob.waiting()] == ["no-key"]
    assert bob.store.setting(Setting.BROKEN_COUNT) is None


def test_a_run_that_others_name_twice_is_one_and_ends_with_its_devices_word(
    alice: Peer, mallory: Peer, bob: Victim
) -> None:
    """Numbers beyond the newest that a device itself has said are others' words, which count until then."""
    from_alice, from_mallory = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    bob.log(alice.message(from_alice, EVERYONE, "one", n=1))
    had = (Parent(b"h" * 32, alice.device, 5),)
    bob.log(mallory.message(from_mallory, EVERYONE, "alice said five", n=1, parents=had))
    (run,) = bob.store.awaited()
    assert (run.first_n, run.last_n, run.named_by) == (2, 5, mallory.account)
    bob.core = bob.new_core()
    bob.connect()
    bob.log(mallory.message(from_mallory, EVERYONE, "she did", n=2, parents=had))
    assert bob.store.awaited() == [run]
    bob.log(alice.message(from_alice, EVERYONE, "three", n=3))
    (left,) = bob.store.awaited()
    assert (left.first_n, left.last_n, left.hash) == (2, 2, bytes(32))


def test_what_comes_in_the_middle_of_a_run_parts_it(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """The server delivers the third of what it had dropped: what is left below is known by it at once."""
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 6)
    bob.log(said[0], said[5])
    (run,) = bob.store.awaited()
    assert (run.first_n, run.last_n, run.hash) == (2, 5, hash_of(said[4]))
    asker = Asker(alice, bob, fickle)
    asker.gives(honest(said[2]))
    assert texts(bob) == ["number 1", "number 6"]
    bob.log(said[2])
    below, above = bob.store.awaited()
    assert (below.first_n, below.last_n, below.hash) == (2, 2, hash_of(said[1]))
    assert (above.first_n, above.last_n, above.hash) == (4, 5, hash_of(said[4]))
    for each in (said[4], said[1], said[3]):
        asker.gives(honest(each))
    assert texts(bob) == [f"number {n}" for n in range(1, 7)]
    assert bob.store.undecryptable_now() == 0


def test_so_many_places_and_no_more_are_kept(
    alice: Peer, bob: Victim, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: a member counts to the end of all numbers of its count."""
    monkeypatch.setattr(limits, "REPAIR_RUN_MESSAGES", 10)
    out = with_key(alice, bob, EVERYONE)
    bob.log(alice.message(out, EVERYONE, "one", n=1))
    far = (1 << 31) + 1
    had = (Parent(b"h" * 32, alice.device, far - 1),)
    bob.log(alice.message(out, EVERYONE, "far", n=far, parents=had))
    (run,) = bob.store.awaited()
    assert (run.last_n, run.count) == (far - 1, 10)
    assert last(bob).order < 100


def test_a_second_lie_hurries_nobody(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 3)
    bob.log(said[0], said[2])
    ask(bob, 2000)
    asker = Asker(alice, bob, fickle)
    false = msgspec.structs.replace(InnerMessage.unpack(said[1].sealed.inner), time_ms=7).pack()
    asker.gives(Repair(bytes(32), 0, false))
    (row,) = bob.store.awaited()
    assert (row.asked, row.next_ms) == (1, bob.now_ms)
    asker.gives(Repair(bytes(32), 0, false))
    asker.gives(Repair(bytes(32), 0, b"no message at all"))
    assert bob.store.awaited() == [row]


@pytest.mark.parametrize("change", ["membership", "account", "device"])
def test_a_repair_that_belongs_nowhere_is_refused(
    alice: Peer, mallory: Peer, bob: Victim, fickle: Fickle, change: str
) -> None:
    said = alice.message(GroupOut.create(), EVERYONE, "lost", n=1)
    bob.log(said)
    inner = InnerMessage.unpack(said.sealed.inner)
    if change == "membership":
        inner = msgspec.structs.replace(inner, membership_hash=bytes(32))
    elif change == "account":
        inner = msgspec.structs.replace(inner, account=mallory.account)
    else:
        (row,) = bob.store.awaited()
        bob.apply(msgspec.structs.replace(row, device=mallory.device))
        inner = msgspec.structs.replace(inner, device=mallory.device)
        bob.core = bob.new_core()
        bob.connect()
    Asker(alice, bob, fickle).gives(Repair(said.sealed.franking_key, 0, inner.pack()))
    assert texts(bob) == []


def test_an_entry_that_is_not_here_any_more_cannot_be_made_good(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Another life of the server has put another one in its place."""
    said = alice.message(GroupOut.create(), EVERYONE, "lost", n=1)
    bob.log(said)
    (row,) = bob.store.awaited()
    bob.apply(msgspec.structs.replace(row, seq=row.seq + 1))
    Asker(alice, bob, fickle).gives(honest(said))
    assert texts(bob) == []


def test_an_entry_that_the_server_has_spoiled_is_receipted_once_it_is_made_good(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """Its session is here: what it stands for there is known by the sender's word."""
    talk = direct_id(alice.account, bob.account)
    bob.say(alice, "so that the conversation is accepted")
    out = with_key(alice, bob, talk)
    one, two = (alice.message(out, talk, text, n=n) for n, text in ((1, "one"), (2, "two")))
    spoiled = Said(
        one.sender, one.conversation, one.session, one.message,
        msgspec.structs.replace(one.sealed, ciphertext=one.sealed.ciphertext[:-1] + b"x"),
    )  # fmt: skip
    bob.log(spoiled, two)
    asker = Asker(alice, bob, fickle)
    asker.gives(honest(one))
    assert [text for _, text in bob.texts(talk)][1:] == ["one", "two"]
    bob.now_ms += PAUSE_MS + JITTER_MS
    bob.command(Tick())
    (content,) = asker.contents(PlainKind.RECEIPT)
    assert Receipts.unpack(content).receipts == (Receipt(talk, out.id, 1),)


def test_what_has_no_key_here_is_receipted_once_all_of_it_is_made_good(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """From where on its session was for this device nobody can say: so from its start on."""
    talk = direct_id(alice.account, bob.account)
    bob.say(alice, "so that the conversation is accepted")
    out = GroupOut.create()
    one, two = (alice.message(out, talk, text, n=n) for n, text in ((1, "one"), (2, "two")))
    bob.log(one, two)
    asker = Asker(alice, bob, fickle)
    for given, up_to in ((two, None), (one, 1)):
        asker.gives(honest(given))
        bob.now_ms += PAUSE_MS + JITTER_MS
        bob.command(Tick())
        told = [Receipts.unpack(each).receipts for each in asker.contents(PlainKind.RECEIPT)]
        assert told == ([] if up_to is None else [(Receipt(talk, out.id, up_to),)])


def test_an_index_that_was_used_is_not_believed(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    out = with_key(alice, bob, EVERYONE)
    one = alice.message(out, EVERYONE, "one", n=1)
    two = alice.message(out, EVERYONE, "two", n=2)
    spoiled = msgspec.structs.replace(two.sealed, ciphertext=two.sealed.ciphertext[:-1] + b"x")
    bob.log(one, Said(two.sender, two.conversation, two.session, two.message, spoiled))
    Asker(alice, bob, fickle).gives(msgspec.structs.replace(honest(two), index=one.sealed.index))
    assert texts(bob) == ["one", "two"]
    assert (last(bob).session, last(bob).index) == (b"", 0)


def test_what_was_lost_before_a_dormant_time_comes_and_counts_for_nothing(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 3)
    bob.log(said[0], said[2])
    bob.now_ms += 31 * limits.DAY_MS
    connect_as_dormant(bob, 2, 9)
    bob.log(alice.message(out, EVERYONE, "behind it", n=9))
    Asker(alice, bob, fickle).gives(honest(said[1]))
    assert texts(bob) == ["number 1", "number 2", "number 3", "behind it"]
    tip = bob.store.tip(EVERYONE, alice.device)
    assert tip is not None
    assert tip.missing == 0
    assert bob.store.awaited() == []


def test_a_device_that_nobody_can_reach_is_asked_later(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    """Revoked, and the only one of its account that could be asked."""
    phone = another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.log(alice.message(GroupOut.create(), EVERYONE, "of alice's first", n=1))
    bob.log(phone.message(GroupOut.create(), EVERYONE, "of her phone", n=1))
    revoke(alice, phone, bob, fickle)
    fickle.got.clear()
    ask(bob, 2000)
    asked = {row.device: row.asked for row in bob.store.awaited()}
    assert asked == {alice.device: 1, phone.device: 3}
    bob.core.people.unproven.add(alice.account)
    ask(bob)
    assert {row.device: row.asked for row in bob.store.awaited()} == {alice.device: 4, phone.device: 6}


def test_an_account_whose_devices_are_not_known_yet_is_waited_for(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """The ledger names a manifest that has not come: no round of asking is spent on it for a minute."""
    withheld = fickle.peers.pop(alice.account)
    another_device(alice, fickle)
    bob.frame(LedgerGrew(fickle.ledger.head()))
    bob.log(alice.message(GroupOut.create(), EVERYONE, "lost", n=1))
    ask(bob, 2000)
    (row,) = bob.store.awaited()
    assert (row.asked, row.next_ms) == (0, bob.now_ms + LOOK_AGAIN_MS)
    fickle.peers[alice.account] = withheld
    bob.frame(LedgerGrew(fickle.ledger.head()))
    ask(bob, 2000)
    (row,) = bob.store.awaited()
    assert row.asked == 1


class Keyless(Fickle):
    """Answers claims with nothing, or with keys that do not hold."""

    answers: str = "nothing"

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if isinstance(frame, Claim) and self.answers == "nothing":
            self.got.append(frame)
            return Claimed(frame.request, ())
        return super().answer(frame)


@pytest.mark.parametrize("answers", ["nothing", "false"])
def test_whoever_has_no_keys_is_asked_later(alice: Peer, bob: Victim, fickle: Fickle, answers: str) -> None:
    server = Keyless(fickle.ledger, fickle.peers, fickle.got)
    server.answers = answers
    server.false.add(alice.device)
    bob.server = server
    bob.log(alice.message(GroupOut.create(), EVERYONE, "lost", n=1))
    ask(bob, 2000)
    assert server.items(alice) == []
    server.answers = "keys"
    server.false.clear()
    ask(bob)
    assert len(server.items(alice)) == 1


def test_a_device_that_does_not_answer_is_asked_on_another_session_once_a_day(
    alice: Peer, bob: Victim, fickle: Fickle
) -> None:
    """What it once gave to seal to is forgotten then: it may have lost that too."""
    say(bob, "so that there is a session")
    bob.apply(PeerFreshKey(alice.device, FIRST_ID, XWingKey.generate().public, bob.now_ms))
    bob.log(alice.message(GroupOut.create(), EVERYONE, "lost", n=1))
    sessions = []
    for _ in range(5):
        ask(bob, 30 * 60_000)
        sessions.append(len(bob.store.olm_sessions(alice.device)))
    assert sessions == [1, 1, 2, 2, 2]
    fresh = bob.store.peer_fresh_key(alice.device)
    assert fresh is not None
    assert fresh.key == b""
    ask(bob, limits.DAY_MS)
    assert len(bob.store.olm_sessions(alice.device)) == 3


def test_whoever_begins_a_session_while_its_keys_are_claimed_is_asked_on_that(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(peer: Peer) -> ClaimedKeys:
        bob.mail(posted(alice, begun(alice, bob), bob, None))
        return peer.claimed()

    monkeypatch.setattr(fickle, "claimed", meanwhile)
    bob.log(alice.message(GroupOut.create(), EVERYONE, "lost", n=1))
    ask(bob, 2000)
    assert len(bob.store.olm_sessions(alice.device)) == 1
    assert len(fickle.items(alice)) == 1


def test_no_device_is_asked_too_often(
    alice: Peer, bob: Victim, fickle: Fickle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What honest devices ask never has their envelopes kept unopened."""
    monkeypatch.setattr(limits, "REPAIR_ASKED_PER_HOUR", 2)
    say(bob, "so that there is a session")
    fickle.got.clear()
    for n in range(1, 5):
        bob.log(alice.message(GroupOut.create(), EVERYONE, f"lost {n}", n=n))
        ask(bob, 2000)
    assert len(fickle.items(alice)) == 2
    ask(bob, limits.HOUR_MS)
    assert len(fickle.items(alice)) == 3


def test_the_word_of_a_device_takes_the_place_of_what_others_said_of_it(
    alice: Peer, mallory: Peer, bob: Victim
) -> None:
    """Attack: a member names a hash that no message has, so that nothing which comes would fit it."""
    from_alice, from_mallory = with_key(alice, bob, EVERYONE), with_key(mallory, bob, EVERYONE)
    said = numbers(alice, from_alice, 3)
    bob.log(said[0])
    false = (Parent(b"h" * 32, alice.device, 2),)
    bob.log(mallory.message(from_mallory, EVERYONE, "a lie", n=1, parents=false))
    bob.log(said[2])
    (row,) = bob.store.awaited()
    assert (row.first_n, row.last_n, row.hash, row.named_by) == (2, 2, hash_of(said[1]), alice.account)


def test_after_a_whole_round_nobody_is_hurried(alice: Peer, bob: Victim, fickle: Fickle) -> None:
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 3)
    bob.log(said[0], said[2])
    ask(bob, 2000)
    ask(bob)
    false = msgspec.structs.replace(InnerMessage.unpack(said[1].sealed.inner), time_ms=7).pack()
    (before,) = bob.store.awaited()
    Asker(alice, bob, fickle).gives(Repair(bytes(32), 0, false))
    assert bob.store.awaited() == [before]


def test_the_same_word_again_changes_nothing(alice: Peer, bob: Victim) -> None:
    """A message whose entry did not open comes again with a key, behind a run that it has named before."""
    out = with_key(alice, bob, EVERYONE)
    said = numbers(alice, out, 4)
    bob.log(said[0], said[2])
    (row,) = bob.store.awaited()
    assert row.hash == hash_of(said[1])
    bob.log(said[3])
    assert bob.store.awaited() == [row]

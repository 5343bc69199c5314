"""A server that shows several truths, by the letters of docs/security.md: (c) two ledgers, (d) a rollback,
(e) a dropped leaf, (g) a name taken over, (h) a frozen view, (k) invented heads. Fraud is proven to a judge
in another home who has nothing but the exported file; where it is not proven, nobody is accused."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import SecurityStop
from coterie.base.signing import LedgerKeys
from coterie.client.events import LedgerDoubted
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.wire.frames import Leaves, LedgerGrew, ServerFrame
from tests.attacks.lying import (
    CONVICTED,
    NOT_ACCUSED,
    Judge,
    bob,
    brief,
    claimed_for,
    grown,
    judge,
    newcomer,
    sealed_for,
    server,
    signed,
    somebody,
    stopped,
    tell,
)
from tests.attacks.peers import LEDGER, NOW_MS, Peer
from tests.attacks.street import Server, Victim

__all__ = ["bob", "judge", "newcomer", "server"]
pytestmark = pytest.mark.slow


def nothing_goes(bob: Victim, server: Server, alice: Peer) -> None:
    """A message that is written now stays here."""
    before = len(server.sends()), sealed_for(server)
    bob.say(alice, "not under this view")
    assert (len(server.sends()), sealed_for(server)) == before


def test_c_two_ledgers_for_two_people(alice: Peer, bob: Victim, server: Server, judge: Judge) -> None:
    """Bob was shown one more leaf, and Alice another one in its place. Her next message carries her head."""
    hers = grown(server.ledger, somebody(1))
    server.ledger.put(somebody(2))
    bob.frame(LedgerGrew(server.ledger.head()))
    with pytest.raises(SecurityStop) as stop:
        tell(alice, bob, brief(hers))
    assert stop.value.code is Code.LEDGER_SPLIT
    assert stopped(bob)
    assert judge.verdict(bob) == CONVICTED


def test_c_two_ledgers_of_two_sizes(alice: Peer, bob: Victim, server: Server, judge: Judge) -> None:
    """Alice was shown more. Bob asks for it, sends nothing meanwhile, and is given the leaves of his own."""
    hers = grown(server.ledger, somebody(1), somebody(3))
    server.ledger.put(somebody(2))
    bob.frame(LedgerGrew(server.ledger.head()))
    tell(alice, bob, brief(hers))
    nothing_goes(bob, server, alice)
    server.ledger.put(somebody(4))
    with pytest.raises(SecurityStop):
        bob.frame(LedgerGrew(server.ledger.head()))
    assert stopped(bob)
    assert judge.verdict(bob) == CONVICTED


def test_d_a_ledger_rolled_back(alice: Peer, bob: Victim, server: Server, judge: Judge) -> None:
    """An older state is no harm to who has seen the newer one: keys are taken from that. When the old state
    goes on in another way, two heads convict."""
    old = grown(server.ledger)
    lost = alice.signed.manifest.devices[0]
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    server.ledger.add(alice.signed)
    bob.frame(LedgerGrew(server.ledger.head()))
    server.ledger = old
    bob.connect()
    assert bob.core.people.rows[alice.account].seq == 2
    bob.say(alice, "by what was seen")
    assert sealed_for(server) == {lost.id}
    assert judge.verdict(bob) == NOT_ACCUSED
    old.put(somebody())
    with pytest.raises(SecurityStop):
        bob.frame(LedgerGrew(old.head()))
    assert stopped(bob)
    assert judge.verdict(bob) == CONVICTED


def test_e_the_newest_leaf_of_somebody_dropped(
    alice: Peer, mallory: Peer, bob: Victim, server: Server, judge: Judge
) -> None:
    """Alice has removed a device; Bob is shown a ledger that goes on without that leaf. The next message of
    anybody who saw it stops him before another one is sealed for what was removed."""
    true = grown(server.ledger)
    true.add(alice.sign(alice.entry(), after=alice.signed))
    server.ledger.put(somebody())
    bob.frame(LedgerGrew(server.ledger.head()))
    with pytest.raises(SecurityStop):
        tell(mallory, bob, brief(true))
    assert sealed_for(server) == set()
    assert stopped(bob)
    assert judge.verdict(bob) == CONVICTED


def test_g_a_name_taken_over(alice: Peer, mallory: Peer, bob: Victim, server: Server, judge: Judge) -> None:
    """The ledger gives Alice's name to another account, under a head that its key signed: every client
    applies the rules of leaves, and the leaf and the head convict together."""
    index, leaf = server.ledger.view.newest_of_name(name_hash(alice.name)) or (0, None)
    assert leaf is not None
    taken = Leaf(LeafKind.MANIFEST, name_hash(alice.name), mallory.account, leaf.seq + 1, b"h" * 32, index)
    for more in ((taken,), (somebody(), taken), (taken, somebody())):
        leaves = [*server.ledger.leaves, *(each.pack() for each in more)]
        head = signed(leaves)
        bob.server = Dictated(server.ledger, server.peers, server.got, leaves=leaves, said=head)
        with pytest.raises(SecurityStop) as stop:
            bob.frame(LedgerGrew(head))
        assert stop.value.code is Code.LEDGER_SPLIT
        assert bob.core.people.named(alice.name) == alice.account
        assert sealed_for(server) == claimed_for(server) == set()
        assert stopped(bob)
        assert judge.verdict(bob) == CONVICTED


def test_g_a_false_leaf_that_no_head_covers_accuses_nobody(
    alice: Peer, mallory: Peer, bob: Victim, server: Server, judge: Judge
) -> None:
    """Leaves are not signed: without a head over them anybody could have written the false one."""
    taken = Leaf(LeafKind.MANIFEST, name_hash(alice.name), mallory.account, 2, b"h" * 32, 1)
    leaves = [*server.ledger.leaves, taken.pack()]
    head = signed([*server.ledger.leaves, somebody().pack()])
    bob.server = Dictated(server.ledger, server.peers, server.got, leaves=leaves, said=head)
    with pytest.raises(SecurityStop):
        bob.frame(LedgerGrew(head))
    assert not stopped(bob)
    assert judge.verdict(bob) == NOT_ACCUSED


def test_h_a_view_frozen_for_one(
    alice: Peer, mallory: Peer, bob: Victim, server: Server, judge: Judge
) -> None:
    """Bob is shown no new leaf, so that he goes on sealing for a device that Alice has removed. One message
    of anybody who was shown more is enough; but slowness is no crime."""
    true = grown(server.ledger)
    true.add(alice.sign(alice.entry(), after=alice.signed))
    tell(mallory, bob, brief(true))
    assert LedgerDoubted(Code.LEDGER_WITHHELD) in bob.shown
    nothing_goes(bob, server, alice)
    bob.connect()
    nothing_goes(bob, server, alice)
    assert not stopped(bob)
    assert judge.verdict(bob) == NOT_ACCUSED


@pytest.mark.parametrize("inventor", ["another key", "no key", "another payload"])
def test_k_heads_invented_in_a_member_s_name(
    alice: Peer, bob: Victim, server: Server, judge: Judge, inventor: str
) -> None:
    """A member's message carries a head that the server never signed, so that Bob stops trusting his server,
    or waits for ever: only the ledger's key counts."""
    size = server.ledger.view.size
    for count in (size, size + 5):
        head = sign_head(Head(LEDGER, count, b"\x01" * 32, NOW_MS), LedgerKeys.generate()).brief
        if inventor == "no key":
            head = msgspec.structs.replace(head, ed25519=bytes(64))
        if inventor == "another payload":
            true = sign_head(Head(LEDGER, count, b"\x02" * 32, NOW_MS), LedgerKeys.generate()).brief
            head = msgspec.structs.replace(head, ed25519=true.ed25519)
        tell(alice, bob, head.pack())
    bob.say(alice, "all is well")
    assert len(server.sends()) == 1
    assert not stopped(bob)
    assert judge.verdict(bob) == NOT_ACCUSED


class Dictated(Server):
    """Gives these leaves under this head."""

    def __init__(self, *honest: object, leaves: list[bytes], said: bytes) -> None:
        super().__init__(*honest)  # type: ignore[arg-type] # as the honest one
        self._leaves, self._said = leaves, said

    def answer(self, frame):  # type: ignore[no-untyped-def] # as the method that it wraps
        answer: ServerFrame | None = super().answer(frame)
        if isinstance(answer, Leaves):
            return Leaves(answer.request, answer.start, tuple(self._leaves[answer.start :]), self._said)
        return answer

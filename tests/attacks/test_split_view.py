"""Two ledgers for two people, and names that go backwards (encryption rules 14, 19 and 20)."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SecurityStop
from coterie.base.ids import AccountId, LedgerId
from coterie.base.signing import IdentityKeys, LedgerKeys
from coterie.client.core.account_rows import account_row
from coterie.client.core.alarms import HEADS_REMEMBERED
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.heads import BriefHead, Head, sign_head
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.tree import Tree
from coterie.wire.frames import Leaves, LedgerGrew
from tests.attacks.peers import EVERYONE, LEDGER, LEDGER_KEYS, NOW_MS, Peer
from tests.attacks.street import Ledger, Server, Victim, with_key

OTHER_ROOT = b"\x01" * 32


def brief(size: int, root: bytes, keys: LedgerKeys = LEDGER_KEYS, ledger: LedgerId = LEDGER) -> bytes:
    """A head as it travels inside a message."""
    return sign_head(Head(ledger, size, root, NOW_MS), keys).brief.pack()


def hear(alice: Peer, bob: Victim, *heads: bytes) -> None:
    """Bob opens one message for each head."""
    out = with_key(alice, bob, EVERYONE)
    for number, head in enumerate(heads, 1):
        bob.log(alice.message(out, EVERYONE, f"head {number}", n=number, head=head))


def test_a_head_of_another_ledger_than_mine_stops_everything_and_is_kept(alice: Peer, bob: Victim) -> None:
    """Attack: the server shows Alice and Bob two ledgers. Rule 14: her messages carry the head that she was
    shown, signed by the server; it contradicts his leaves, and he keeps both heads as proof."""
    theirs = brief(2, OTHER_ROOT)
    with pytest.raises(SecurityStop) as stop:
        hear(alice, bob, theirs)
    assert stop.value.code is Code.LEDGER_SPLIT
    assert bob.texts(EVERYONE) == []
    bob.apply(*bob.core.trust.witness.proof())
    witness = bob.new_core().trust.witness
    assert witness.stopped
    assert witness.kept is not None
    assert witness.kept.signed == (bob.store.setting(Setting.HEAD),)
    assert witness.kept.light == (BriefHead.unpack(theirs).light(LEDGER).pack(),)


def test_a_head_from_the_server_that_contradicts_is_kept_too(bob: Victim) -> None:
    """Attack: the server goes on with another ledger of its own. Its head is signed, and so proves it."""
    false = sign_head(Head(LEDGER, 2, OTHER_ROOT, NOW_MS), LEDGER_KEYS).pack()
    with pytest.raises(SecurityStop):
        bob.frame(LedgerGrew(false))
    bob.apply(*bob.core.trust.witness.proof())
    kept = bob.new_core().trust.witness.kept
    assert kept is not None
    assert (kept.signed, kept.light) == ((bob.store.setting(Setting.HEAD), false), ())


def test_a_manifest_that_was_proven_is_held_against_every_ledger(
    alice: Peer, identities: dict[str, IdentityKeys], store: ClientStore, server: Server
) -> None:
    """Attack: whoever restores the server lets names begin again further back, or with another manifest. Rule
    20: what was proven once is not forgotten with a ledger."""
    for known, told in ((2, 1), (1, 1)):
        victim = Victim(identities["bob"], "bob", store, server)
        first = alice.sign(alice.entry())
        proven = alice.sign(alice.entry(), after=first) if known > told else first
        store.begin()
        store.apply((account_row(proven, None),))
        store.commit()
        other = alice.sign(msgspec.structs.replace(alice.entry(), name="another"))
        victim.server = Server(Ledger(), server.peers)
        victim.server.ledger.add(first if known > told else other)
        with pytest.raises(SecurityStop):
            victim.connect()


def test_heads_that_prove_nothing_are_ignored(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: a member puts false heads into messages, so that others stop. Only the ledger's key counts."""
    true = brief(2, server.ledger.view.root(2))
    hear(
        alice,
        bob,
        b"",
        b"\x93garbage",
        brief(2, OTHER_ROOT, LedgerKeys.generate()),
        brief(2, OTHER_ROOT, ledger=LedgerId(secrets.token_bytes(16))),
        true[:-1] + bytes((true[-1] ^ 1,)),
        true,
        brief(0, Tree().root()),
    )
    assert len(bob.texts(EVERYONE)) == 7
    assert not bob.core.trust.witness.stopped


def test_a_head_that_is_ahead_is_held_against_the_leaves_once_they_come(
    alice: Peer, bob: Victim, server: Server
) -> None:
    """Not yet that far is no fraud. When the leaves come and another head signs them, it is."""
    size = server.ledger.view.size + 1
    hear(alice, bob, brief(size, OTHER_ROOT))
    assert len(bob.texts(EVERYONE)) == 1
    server.ledger.put(Leaf(LeafKind.MANIFEST, b"n" * 32, alice.account[::-1], 1, b"h" * 32, -1))  # type: ignore[arg-type]  # any 32 bytes
    with pytest.raises(SecurityStop):
        bob.frame(LedgerGrew(server.ledger.head()))
    assert bob.core.trust.witness.stopped


def grow(server: Server, victim: Victim) -> None:
    """The ledger gets the next manifest of Alice."""
    (alice,) = (each for each in server.peers.values() if each.name == "alice")
    alice.signed = alice.sign(alice.entry(), after=alice.signed)
    server.ledger.add(alice.signed)
    victim.frame(LedgerGrew(server.ledger.head()))


def test_heads_that_are_ahead_are_looked_at_one_by_one(alice: Peer, bob: Victim, server: Server) -> None:
    """The leaves reach one head and agree with it; the one further ahead waits for its own."""
    size = server.ledger.view.size
    known = alice.signed
    ahead = Ledger()
    for packed in server.ledger.leaves:
        ahead.put(Leaf.unpack(packed))
    ahead.add(alice.sign(alice.entry(), after=known))
    hear(alice, bob, brief(size + 1, ahead.view.root()), brief(size + 2, OTHER_ROOT))
    alice.signed = alice.sign(alice.entry(), after=known)
    server.ledger.put(Leaf.unpack(ahead.leaves[-1]))
    bob.frame(LedgerGrew(server.ledger.head()))
    assert not bob.core.trust.witness.stopped
    with pytest.raises(SecurityStop):
        grow(server, bob)
    assert bob.core.trust.witness.stopped


@pytest.mark.slow
def test_no_more_heads_wait_than_so_many(alice: Peer, bob: Victim, server: Server) -> None:
    """Attack: whoever has the ledger's key fills the memory of others with heads of what is to come. The
    oldest of too many is forgotten."""
    size = server.ledger.view.size
    others = [brief(size + 10 + number, OTHER_ROOT) for number in range(HEADS_REMEMBERED)]
    hear(alice, bob, brief(size + 1, OTHER_ROOT), *others)
    grow(server, bob)
    assert not bob.core.trust.witness.stopped


def test_a_head_behind_leaves_that_it_does_not_cover_is_no_answer(bob: Victim, server: Server) -> None:
    """Attack: leaves come under one head, and then an answer under a head that covers fewer."""
    old = server.ledger.head()
    size = server.ledger.view.size
    more = Leaf(LeafKind.MANIFEST, b"n" * 32, AccountId(b"a" * 32), 1, b"h" * 32, -1).pack()
    tree = Tree()
    for packed in (*server.ledger.leaves, more, more):
        tree.append(packed)
    head = sign_head(Head(LEDGER, tree.size, tree.root(), NOW_MS), LEDGER_KEYS).pack()
    bob.core.trust.grew(head, NOW_MS)
    bob.core.trust.leaves(Leaves(1, size, (more,), head), NOW_MS)
    with pytest.raises(RemoteError) as caught:
        bob.core.trust.leaves(Leaves(1, size + 1, (), old), NOW_MS)
    assert caught.value.code is Code.BAD_FRAME


def test_a_ledger_that_tells_the_known_manifest_again_is_none_of_these(
    alice: Peer, identities: dict[str, IdentityKeys], store: ClientStore, server: Server
) -> None:
    """A restored server that begins again with what was proven before gives no alarm."""
    victim = Victim(identities["bob"], "bob", store, server)
    store.begin()
    store.apply((account_row(alice.signed, None),))
    store.commit()
    victim.core = victim.new_core()
    server.ledger.add(alice.signed)
    victim.connect()
    assert victim.core.trust.synced


@pytest.mark.parametrize("seq", [1, 0])
def test_a_name_that_goes_backwards_is_an_alarm(alice: Peer, bob: Victim, server: Server, seq: int) -> None:
    """Attack: the ledger grows by a leaf that takes a name back, or gives its number to another manifest.
    Rule 20: whatever head signs it, that stops everything."""
    false = Leaf(LeafKind.MANIFEST, name_hash(alice.name), alice.account, max(seq, 1), b"f" * 32, seq - 1)
    leaves = [*server.ledger.leaves, false.pack()]
    tree = Tree()
    for packed in leaves:
        tree.append(packed)
    head = sign_head(Head(LEDGER, tree.size, tree.root(), NOW_MS), LEDGER_KEYS).pack()

    class Backwards(Server):
        def answer(self, frame):  # type: ignore[no-untyped-def] # as the method that it wraps
            answer = super().answer(frame)
            if isinstance(answer, Leaves):
                return Leaves(answer.request, answer.start, tuple(leaves[answer.start :]), head)
            return answer

    bob.server = Backwards(server.ledger, server.peers, server.got)
    with pytest.raises(SecurityStop) as stop:
        bob.frame(LedgerGrew(head))
    assert stop.value.code is Code.LEDGER_SPLIT

"""What shows that somebody stood in the ledger before a restore (docs/decisions/0062)."""

from __future__ import annotations

from coterie.base.ids import LedgerId
from coterie.base.signing import LedgerKeys
from coterie.client.core.old_ledger import OldLedger
from coterie.client.store.records import BeginLife, PutLeaves
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.heads import Head, LightHead, check_light_head, sign_head
from coterie.ledger.leaves import NO_LEAF, Leaf, LeafKind, name_hash
from coterie.ledger.tree import Tree, verify_inclusion
from tests.client.store.places import commit
from tests.client.store.samples import ACCOUNTS, NAMES

ALICE, BOB = ACCOUNTS[:2]
LEDGER = LedgerId(b"before" + bytes(10))
KEYS = LedgerKeys.generate()
LEAVES = tuple(
    Leaf(LeafKind.MANIFEST, name_hash(NAMES[0]), ALICE, seq, bytes(32), NO_LEAF).pack() for seq in (1, 2)
)


def began(store: ClientStore) -> None:
    """Alice has stood in the ledger before, twice."""
    tree = Tree()
    for leaf in LEAVES:
        tree.append(leaf)
    signed = sign_head(Head(LEDGER, tree.size, tree.root(), 1), KEYS).pack()
    commit(store, PutLeaves(0, LEAVES, signed))
    commit(store, BeginLife(0, ()))


def test_the_newest_leaf_of_an_account_is_shown_with_the_way_to_the_head(store: ClientStore) -> None:
    began(store)
    stood = OldLedger(store).proof(ALICE)
    assert stood is not None
    head = check_light_head(LightHead.unpack(stood.head), KEYS.public, LEDGER)
    assert (stood.leaf, stood.index, head.size) == (LEAVES[1], 1, 2)
    verify_inclusion(stood.leaf, stood.index, head.size, stood.path, head.root)


def test_who_did_not_stand_there_has_nothing_to_show(store: ClientStore) -> None:
    assert OldLedger(store).proof(ALICE) is None
    began(store)
    assert OldLedger(store).proof(BOB) is None

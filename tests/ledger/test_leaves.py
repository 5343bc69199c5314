"""Leaves, and the view that refuses every leaf that contradicts those before it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import AccountId, UserName
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.tree import Tree
from tests.examples import examples

ALICE, BOB, CAROL = (AccountId(letter * 32) for letter in (b"a", b"b", b"c"))
NAMES = {ALICE: "alice", BOB: "bob", CAROL: "carol"}


def leaf(
    account: AccountId = ALICE,
    seq: int = 1,
    previous: int = NO_LEAF,
    kind: LeafKind = LeafKind.MANIFEST,
    name: str | None = None,
) -> Leaf:
    hashed = name_hash(UserName(name or NAMES[account]))
    return Leaf(kind, hashed, account, seq, bytes([seq]) * 32, previous)


def view_of(*leaves: Leaf) -> LedgerView:
    return LedgerView.from_leaves(each.pack() for each in leaves)


def refuses(view: LedgerView, wrong: Leaf) -> None:
    """The leaf is refused and the view as before."""
    size, root, newest = view.size, view.root(), dict(view.newest_leaves())
    with pytest.raises(SealBroken):
        view.append(wrong.pack())
    assert (view.size, view.root(), dict(view.newest_leaves())) == (size, root, newest)


@given(
    kind=st.sampled_from(LeafKind),
    hashes=st.tuples(*[st.binary(min_size=32, max_size=32)] * 3),
    seq=st.integers(1, 1 << 62),
    previous=st.integers(-1, 1 << 62),
)
@settings(max_examples=examples(100))
def test_a_leaf_comes_back(
    kind: LeafKind, hashes: tuple[bytes, bytes, bytes], seq: int, previous: int
) -> None:
    one = Leaf(kind, hashes[0], AccountId(hashes[1]), seq, hashes[2], previous)
    assert Leaf.unpack(one.pack()) == one
    assert len(one.pack()) < 160


@pytest.mark.parametrize(
    "wrong",
    [
        msgspec.structs.replace(leaf(), seq=0),
        msgspec.structs.replace(leaf(), seq=(1 << 62) + 1),
        msgspec.structs.replace(leaf(), previous=-2),
        msgspec.structs.replace(leaf(), hash=b"short"),
        msgspec.structs.replace(leaf(), name_hash=bytes(33)),
        msgspec.structs.replace(leaf(), account=AccountId(b"")),
    ],
)
def test_a_leaf_out_of_bounds_is_malformed(wrong: Leaf) -> None:
    with pytest.raises(RemoteError):
        Leaf.unpack(wrong.pack())
    view = LedgerView()
    with pytest.raises(RemoteError):
        view.append(wrong.pack())
    assert view.size == 0


def test_a_view_knows_the_newest_of_every_name_and_account() -> None:
    leaves = (leaf(ALICE), leaf(BOB), leaf(ALICE, 2, 0), leaf(ALICE, 3, 2))
    view = view_of(*leaves)
    tree = Tree()
    for each in leaves:
        tree.append(each.pack())
    assert view.size == 4
    assert view.root() == tree.root()
    assert view.root(2) == tree.root(2)
    assert view.newest_of_name(name_hash(UserName("alice"))) == (3, leaves[3])
    assert view.newest_of_account(ALICE) == (3, leaves[3])
    assert view.newest_of_account(BOB) == (1, leaves[1])
    assert view.newest_of_account(CAROL) is None
    assert view.newest_of_name(name_hash(UserName("carol"))) is None
    assert dict(view.newest_leaves()) == {ALICE: leaves[3], BOB: leaves[1]}


@pytest.mark.parametrize(
    "wrong",
    [
        leaf(ALICE, 3, 0),
        leaf(ALICE, 1, 0),
        leaf(ALICE, 2, NO_LEAF),
        leaf(ALICE, 2, 1),
        leaf(ALICE, 2, 2),
        leaf(ALICE, 1, NO_LEAF),
        leaf(CAROL, 2, 0, name="alice"),
        leaf(CAROL, 1, NO_LEAF, name="alice"),
        leaf(BOB, 2, 0, name="alice"),
        leaf(ALICE, 1, NO_LEAF, name="carol"),
        leaf(CAROL, 2, NO_LEAF),
        leaf(CAROL, 1, 0),
        leaf(CAROL, kind=LeafKind.TOMBSTONE),
        leaf(CAROL, kind=LeafKind.RESET),
        leaf(CAROL, kind=LeafKind.SUCCESSION),
        leaf(BOB, 2, 0, LeafKind.SUCCESSION, name="alice"),
        leaf(ALICE, 2, 0, LeafKind.SUCCESSION),
        leaf(CAROL, kind=LeafKind.SERVER),
        leaf(CAROL, name="server"),
        leaf(ALICE, 2, 0, kind=LeafKind.SERVER),
    ],
)
def test_a_leaf_that_contradicts_what_came_before_is_refused(wrong: Leaf) -> None:
    refuses(view_of(leaf(ALICE), leaf(BOB)), wrong)


def test_a_deleted_name_is_never_used_again() -> None:
    view = view_of(leaf(ALICE), leaf(ALICE, 2, 0, LeafKind.TOMBSTONE))
    for kind in (LeafKind.MANIFEST, LeafKind.TOMBSTONE, LeafKind.RESET, LeafKind.SUCCESSION):
        refuses(view, leaf(ALICE, 3, 1, kind))
        refuses(view, leaf(CAROL, 3, 1, kind, name="alice"))
    refuses(view, leaf(CAROL, 1, NO_LEAF, name="alice"))


def test_a_reset_gives_the_name_to_a_new_account_only() -> None:
    refuses(view_of(leaf(ALICE), leaf(BOB)), leaf(BOB, 2, 0, LeafKind.RESET, name="alice"))
    refuses(view_of(leaf(ALICE)), leaf(ALICE, 2, 0, LeafKind.RESET))
    view = view_of(leaf(ALICE), leaf(CAROL, 2, 0, LeafKind.RESET, name="alice"))
    refuses(view, leaf(BOB, 3, 1, name="alice"))
    view.append(leaf(CAROL, 3, 1, name="alice").pack())
    refuses(view, leaf(ALICE, 4, 2))


def test_the_old_account_may_cancel_a_reset_by_its_next_leaf() -> None:
    view = view_of(leaf(ALICE), leaf(CAROL, 2, 0, LeafKind.RESET, name="alice"), leaf(ALICE, 3, 1))
    refuses(view, leaf(CAROL, 4, 2, name="alice"))
    view.append(leaf(ALICE, 4, 2).pack())
    assert view.newest_of_account(ALICE) == (3, leaf(ALICE, 4, 2))


def test_the_old_account_may_cancel_a_reset_by_its_end() -> None:
    view = view_of(leaf(ALICE), leaf(CAROL, 2, 0, LeafKind.RESET, name="alice"))
    refuses(view, leaf(BOB, 3, 1, LeafKind.TOMBSTONE, name="alice"))
    view.append(leaf(ALICE, 3, 1, LeafKind.TOMBSTONE).pack())
    assert view.is_void(CAROL)
    assert view.cancelled_between(ALICE, 1, 3) == 1
    refuses(view, leaf(CAROL, 4, 2, name="alice"))


def test_a_succession_gives_the_name_to_a_new_account_for_good() -> None:
    follows = leaf(CAROL, 2, 0, LeafKind.SUCCESSION, name="alice")
    view = view_of(leaf(ALICE), follows)
    assert view.heir(ALICE) == CAROL
    assert view.succession(CAROL) == (ALICE, follows)
    assert (view.heir(CAROL), view.succession(ALICE)) == (None, None)
    for kind in (LeafKind.MANIFEST, LeafKind.TOMBSTONE, LeafKind.SUCCESSION, LeafKind.RESET):
        refuses(view, leaf(ALICE, 3, 1, kind))
    view.append(leaf(CAROL, 3, 1, name="alice").pack())
    view.append(leaf(BOB, 4, 2, LeafKind.SUCCESSION, name="alice").pack())
    assert view.heir(CAROL) == BOB


def test_who_began_a_name_anew_may_go_on_as_another() -> None:
    reset = leaf(CAROL, 2, 0, LeafKind.RESET, name="alice")
    view = view_of(leaf(ALICE), reset, leaf(BOB, 3, 1, LeafKind.SUCCESSION, name="alice"))
    assert view.heir(CAROL) == BOB
    assert view.heir(ALICE) is None
    refuses(view, leaf(ALICE, 4, 2))


def test_the_server_has_a_line_of_its_own() -> None:
    first = leaf(CAROL, kind=LeafKind.SERVER, name="server")
    assert first.name_hash == SERVER_NAME_HASH
    view = view_of(leaf(ALICE), first)
    refuses(view, leaf(CAROL, 2, 1, LeafKind.MANIFEST, name="server"))
    refuses(view, leaf(BOB, 2, 1, LeafKind.SERVER, name="server"))
    view.append(leaf(CAROL, 2, 1, LeafKind.SERVER, name="server").pack())


@given(data=st.binary(max_size=200))
@settings(max_examples=examples(100))
def test_garbage_leaves_the_view_as_it_was(data: bytes) -> None:
    view = view_of(leaf(ALICE))
    with pytest.raises(RemoteError):
        view.append(data)
    assert view.size == 1

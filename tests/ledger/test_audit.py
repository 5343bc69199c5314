"""The second verifier: against the first one, and against servers that lie."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import RemoteError, SealBroken
from coterie.base.ids import AccountId, LedgerId, UserName
from coterie.base.signing import IdentityKeys, LedgerKeys
from coterie.ledger.audit import Audit, LedgerFile, _follow, _roots, audit
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.statements import IdentityStatement, SignedStatement, sign_statement
from coterie.ledger.tree import Tree
from tests.examples import examples
from tests.ledger.accounts import NOW_MS
from tests.ledger.servers import Server

ACCOUNTS = [AccountId(bytes((i,)) * 32) for i in range(1, 5)]
NAMES = [name_hash(UserName(name)) for name in ("alice", "bob", "carol")]


def leaf(name: int, seq: int = 1, previous: int = NO_LEAF, account: int | None = None) -> Leaf:
    return Leaf(
        LeafKind.MANIFEST,
        NAMES[name],
        ACCOUNTS[name if account is None else account],
        seq,
        b"h" * 32,
        previous,
    )


GOOD = [leaf(0), leaf(1), leaf(0, 2, 0), leaf(2), leaf(1, 2, 1)]


class Signer:
    """A server that signs whatever it is told to."""

    def __init__(self, identity: IdentityKeys, keys: LedgerKeys) -> None:
        self.server = Server(identity, keys)
        self._keys = keys
        self.ledger = LedgerId(self.server.statement().ledger)

    def head(self, leaves: list[Leaf], size: int | None = None, root: bytes | None = None) -> bytes:
        count = len(leaves) if size is None else size
        tree = Tree()
        for each in leaves[:count]:
            tree.append(each.pack())
        return sign_head(Head(self.ledger, count, root or tree.root(), NOW_MS), self._keys).pack()

    def file(self, leaves: list[Leaf], *heads: bytes, **changes: object) -> LedgerFile:
        packed = tuple(each.pack() for each in leaves)
        server = self.server
        whole = LedgerFile(server.identity, server.chain, server.says(), heads, (), packed)
        changed: LedgerFile = msgspec.structs.replace(whole, **changes)
        return changed


@pytest.fixture(scope="module")
def fixed(identity: IdentityKeys, ledger_keys: LedgerKeys) -> Signer:
    """For properties: nothing changes it."""
    return Signer(identity, ledger_keys)


@pytest.fixture
def signer(identity: IdentityKeys, ledger_keys: LedgerKeys) -> Signer:
    return Signer(identity, ledger_keys)


def test_both_verifiers_know_the_same_roots_for_every_small_size() -> None:
    leaves = [b"leaf %d" % number for number in range(130)]
    tree = Tree()
    for each in leaves:
        tree.append(each)
    assert _roots(leaves, range(131)) == {size: tree.root(size) for size in range(131)}
    assert _roots(leaves[:3], [4, 200]) == {}


_any_leaf = st.builds(
    Leaf,
    st.sampled_from(LeafKind),
    st.sampled_from([*NAMES[:2], SERVER_NAME_HASH]),
    st.sampled_from(ACCOUNTS),
    st.integers(1, 4),
    st.just(b"h" * 32),
    st.integers(-1, 4),
)


@pytest.mark.slow
@settings(max_examples=examples(400))
@given(st.data())
def test_both_verifiers_refuse_the_same_leaves(data: st.DataObject) -> None:
    """Grows a good ledger leaf by leaf; each candidate is judged by both."""
    view, good = LedgerView(), list[Leaf]()
    for _ in range(data.draw(st.integers(1, 8))):
        candidate = data.draw(_any_leaf)
        if data.draw(st.booleans()):
            at = view.newest_of_name(candidate.name_hash)
            candidate = msgspec.structs.replace(
                candidate, seq=at[1].seq + 1 if at else 1, previous=at[0] if at else NO_LEAF
            )
        broken, _ = _follow([*good, candidate])
        try:
            view.append(candidate.pack())
        except SealBroken:
            assert broken is not None
        else:
            assert broken is None
            good.append(candidate)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (leaf(0, 2, 1), "does not follow its name's newest"),
        (leaf(0, 3, 0), "a number that does not follow"),
        (leaf(0, 1, NO_LEAF, account=3), "does not follow its name's newest"),
        (leaf(2, account=0), "a second name"),
        (leaf(0, 2, 0, account=3), "takes a name over"),
        (msgspec.structs.replace(leaf(2), kind=LeafKind.TOMBSTONE), "ends a name before it began"),
        (msgspec.structs.replace(leaf(2), kind=LeafKind.SERVER), "mixes a person and the server"),
        (msgspec.structs.replace(leaf(0, 2, 0), kind=LeafKind.RESET), "to an account that is known"),
        (msgspec.structs.replace(leaf(0, 2, 0), kind=LeafKind.SUCCESSION), "to an account that is known"),
        (msgspec.structs.replace(leaf(2), kind=LeafKind.SUCCESSION), "ends a name before it began"),
    ],
)
def test_each_rule_of_leaves_is_held(wrong: Leaf, why: str) -> None:
    broken, _ = _follow([leaf(0), leaf(1), wrong])
    assert broken is not None
    assert why in broken


def test_a_name_that_is_deleted_or_reset_goes_on_as_it_may() -> None:
    gone = msgspec.structs.replace(leaf(0, 2, 0), kind=LeafKind.TOMBSTONE)
    assert "a deleted name" in (_follow([leaf(0), gone, leaf(0, 3, 1)])[0] or "")
    reset = msgspec.structs.replace(leaf(0, 2, 0, account=3), kind=LeafKind.RESET)
    assert _follow([leaf(0), reset, leaf(0, 3, 1)]) == (None, 1), "the old identity cancels it"
    assert _follow([leaf(0), reset, leaf(0, 3, 1, account=3)]) == (None, 1)
    ended = msgspec.structs.replace(leaf(0, 3, 1), kind=LeafKind.TOMBSTONE)
    assert _follow([leaf(0), reset, ended]) == (None, 1), "by its end, too"
    assert "a deleted name" in (_follow([leaf(0), reset, ended, leaf(0, 4, 2, account=3)])[0] or "")
    assert "takes a name over" in (_follow([leaf(0), reset, leaf(0, 3, 1, account=2)])[0] or "")


def test_a_name_that_goes_on_under_another_identity_does_not_come_back() -> None:
    heir = msgspec.structs.replace(leaf(0, 2, 0, account=3), kind=LeafKind.SUCCESSION)
    assert _follow([leaf(0), heir, leaf(0, 3, 1, account=3)]) == (None, 1)
    for kind in (LeafKind.MANIFEST, LeafKind.TOMBSTONE):
        late = msgspec.structs.replace(leaf(0, 3, 1), kind=kind)
        assert "takes a name over" in (_follow([leaf(0), heir, late])[0] or "")


def test_a_sound_ledger(signer: Signer) -> None:
    file = signer.file(GOOD, signer.head(GOOD), signer.head(GOOD, 2), signer.head([*GOOD, leaf(0, 3, 2)]))
    found = audit(LedgerFile.unpack(file.pack()))
    root = LedgerView.from_leaves(each.pack() for each in GOOD).root()
    assert found == Audit(signer.server.id, signer.ledger, 5, 5, root, 3, 3, 1, None)


def test_an_empty_ledger_is_sound(signer: Signer) -> None:
    assert audit(signer.file([], signer.head([]))).fraud is None


def test_a_server_that_changed_its_identity_is_followed(signer: Signer, other_identity: IdentityKeys) -> None:
    founding = signer.server.id
    signer.server.change(other_identity)
    assert audit(signer.file(GOOD, signer.head(GOOD))).server == founding


def test_two_roots_for_one_size_are_fraud_without_any_leaf(signer: Signer) -> None:
    other = [*GOOD[:4], leaf(0, 3, 2)]
    found = audit(signer.file([], signer.head(GOOD), signer.head(other)))
    assert found.fraud is not None
    assert [head.size for head in found.fraud.heads] == [5, 5]


def test_a_light_head_is_enough_to_show_it(signer: Signer) -> None:
    other = [*GOOD[:4], leaf(0, 3, 2)]
    from coterie.ledger.heads import SignedHead

    light = SignedHead.unpack(signer.head(other)).light.pack()
    assert audit(signer.file(GOOD, signer.head(GOOD), light_heads=(light,))).fraud is not None


def test_a_past_that_was_rewritten_is_fraud(signer: Signer) -> None:
    rewritten = [leaf(2), *GOOD[1:3]]
    found = audit(signer.file(GOOD, signer.head(rewritten), signer.head(GOOD)))
    assert found.fraud is not None
    assert [head.size for head in found.fraud.heads] == [3, 5]


def test_leaves_that_break_the_rules_are_fraud_where_a_head_covers_them(signer: Signer) -> None:
    wrong = [*GOOD, leaf(2, 2, 3, account=0)]
    found = audit(signer.file(wrong, signer.head(wrong)))
    assert found.fraud is not None
    assert "leaf 5" in found.fraud.why
    assert audit(signer.file(wrong, signer.head(GOOD))).fraud is None


def test_leaves_that_nobody_signed_accuse_nobody(signer: Signer) -> None:
    with pytest.raises(SealBroken):
        audit(signer.file([leaf(2), *GOOD[1:]], signer.head(GOOD)))
    with pytest.raises(SealBroken):
        audit(signer.file(GOOD))


def test_heads_and_statements_of_others_accuse_nobody(
    signer: Signer, other_identity: IdentityKeys, ledger_keys: LedgerKeys
) -> None:
    stranger = Signer(other_identity, LedgerKeys.generate())
    same_ledger = sign_head(Head(signer.ledger, 5, b"r" * 32, NOW_MS), LedgerKeys.generate()).pack()
    bent = Signer(other_identity, ledger_keys)
    for file in (
        signer.file(GOOD, signer.head(GOOD), stranger.head(GOOD)),
        signer.file(GOOD, signer.head(GOOD), same_ledger),
        signer.file(GOOD, bent.head(GOOD)),
        signer.file(GOOD, signer.head(GOOD), statement=stranger.server.says()),
        signer.file(GOOD, signer.head(GOOD), identity=stranger.server.identity),
        signer.file(GOOD, signer.head(GOOD), statement=signer.server.says(ledger=b"l" * 16)),
        signer.file(GOOD, signer.head(GOOD), statement=signer.server.says(server=b"s" * 32)),
    ):
        with pytest.raises(SealBroken):
            audit(file)


def test_a_chain_of_identities_with_a_gap_is_refused(signer: Signer, other_identity: IdentityKeys) -> None:
    signer.server.change(other_identity)
    said = IdentityStatement(signer.server.id, other_identity.public.pack(), 2, NOW_MS)
    misnumbered = (sign_statement(said, signer.server.founding).pack(),)
    for chain in (signer.server.chain * 2, misnumbered, ()):
        with pytest.raises(SealBroken):
            audit(signer.file(GOOD, signer.head(GOOD), chain=chain))


@given(st.binary(max_size=200))
def test_garbage_is_no_ledger_file(data: bytes) -> None:
    with pytest.raises(RemoteError):
        LedgerFile.unpack(data)


@pytest.mark.slow
@settings(max_examples=examples(200))
@given(st.data())
def test_any_flipped_byte_proves_nothing(fixed: Signer, data: st.DataObject) -> None:
    """Whatever somebody changes in a file, it makes no server guilty."""
    packed = bytearray(fixed.file(GOOD, fixed.head(GOOD), fixed.head(GOOD, 3)).pack())
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = audit(LedgerFile.unpack(bytes(packed)))
    except (RemoteError, SealBroken):
        return
    raise AssertionError(found)


def server_leaf(signer: Signer, seq: int, packed: bytes, previous: int) -> Leaf:
    hash = SignedStatement.unpack(packed).hash
    return Leaf(LeafKind.SERVER, SERVER_NAME_HASH, signer.server.id, seq, hash, previous)


def test_a_statement_that_the_ledger_records_otherwise_is_fraud(signer: Signer) -> None:
    """Somebody was shown another certificate, or another ledger key, than everybody sees."""
    leaves = [server_leaf(signer, 1, signer.server.says(), NO_LEAF), *(leaf(name) for name in range(2))]
    assert audit(signer.file(leaves, signer.head(leaves))).fraud is None
    hidden = signer.file(leaves, signer.head(leaves), statement=signer.server.says(tls_key=b"x" * 32))
    fraud = audit(hidden).fraud
    assert fraud is not None
    assert "another statement" in fraud.why
    later = signer.file(leaves, signer.head(leaves), statement=signer.server.says(seq=2, tls_key=b"x" * 32))
    assert audit(later).fraud is None, "its leaf may stand further on"


def test_a_change_of_identity_that_the_ledger_does_not_record_is_fraud(
    signer: Signer, other_identity: IdentityKeys
) -> None:
    first = signer.server.says()
    signer.server.change(other_identity)
    (change,) = signer.server.chain
    second = signer.server.says(seq=3)
    recorded = [
        server_leaf(signer, 1, first, NO_LEAF),
        server_leaf(signer, 2, change, 0),
        server_leaf(signer, 3, second, 1),
    ]
    assert audit(signer.file(recorded, signer.head(recorded), statement=second)).fraud is None
    hidden = signer.server.says(seq=2)
    silent = [recorded[0], server_leaf(signer, 2, hidden, 0)]
    after = [*silent, server_leaf(signer, 3, change, 1)]
    for leaves in (silent, after):
        fraud = audit(signer.file(leaves, signer.head(leaves), statement=hidden)).fraud
        assert fraud is not None
        assert "change of the server's identity" in fraud.why

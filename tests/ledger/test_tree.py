"""The Merkle tree against the definition of RFC 9162 2.1, for every small size."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base.errors import LocalError, SealBroken
from coterie.ledger.tree import EMPTY_ROOT, Tree, verify_consistency, verify_inclusion
from tests.examples import examples

SIZES = 130
LEAVES = [b"leaf %d" % number for number in range(SIZES)]


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    both = defined_root(leaves[:split]) + defined_root(leaves[split:])
    return hashlib.sha256(b"\x01" + both).digest()


def grown(size: int = SIZES) -> Tree:
    tree = Tree()
    for leaf in LEAVES[:size]:
        tree.append(leaf)
    return tree


GROWN = grown()
ROOTS = [defined_root(LEAVES[:size]) for size in range(SIZES + 1)]


def test_every_root_while_growing() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    for size, leaf in enumerate(LEAVES, start=1):
        tree.append(leaf)
        assert tree.size == size
        assert tree.root() == ROOTS[size]


def test_every_earlier_root_of_a_grown_tree() -> None:
    tree = grown()
    assert [tree.root(size) for size in range(SIZES + 1)] == ROOTS


def test_every_inclusion_proof() -> None:
    tree = grown()
    for size in range(1, SIZES + 1):
        for index in range(size):
            proof = tree.inclusion(index, size)
            assert len(proof) <= (size - 1).bit_length()
            verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


def test_every_consistency_proof() -> None:
    tree = grown()
    for new in range(SIZES + 1):
        for old in range(new + 1):
            verify_consistency(old, ROOTS[old], new, ROOTS[new], tree.consistency(old, new))


def proven_root(leaf: bytes, index: int, size: int, steps: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, by the recursion of RFC 9162 2.1.3.1: the last step is the
    other half of the tree."""
    if size == 1:
        assert not steps
        return hashlib.sha256(b"\x00" + leaf).digest()
    half = 1 << ((size - 1).bit_length() - 1)
    *inner, other = steps
    if index < half:
        return hashlib.sha256(b"\x01" + proven_root(leaf, index, half, inner) + other).digest()
    return hashlib.sha256(b"\x01" + other + proven_root(leaf, index - half, size - half, inner)).digest()


def both_roots(old: int, new: int, steps: list[bytes], old_root: bytes | None) -> tuple[bytes, bytes]:
    """The older and the newer root that a consistency proof leads to, by the recursion of RFC 9162 2.1.4.1.
    old_root: known to who verifies, where the older tree is a whole half of the newer one; else None."""
    if old == new:
        if old_root is not None:
            assert not steps
            return old_root, old_root
        (root,) = steps
        return root, root
    half = 1 << ((new - 1).bit_length() - 1)
    *inner, other = steps
    if old <= half:
        older, left = both_roots(old, half, inner, old_root)
        return older, hashlib.sha256(b"\x01" + left + other).digest()
    older, right = both_roots(old - half, new - half, inner, None)
    node = hashlib.sha256(b"\x01" + other)
    before, after = node.copy(), node
    before.update(older)
    after.update(right)
    return before.digest(), after.digest()


def test_a_second_verifier_agrees_on_every_proof() -> None:
    """By recursion from the root down, where verify_inclusion and verify_consistency go from the leaf up."""
    for size in range(1, SIZES + 1):
        for index in range(size):
            proof = list(GROWN.inclusion(index, size))
            assert proven_root(LEAVES[index], index, size, proof) == ROOTS[size]
        for old in range(1, size + 1):
            steps = list(GROWN.consistency(old, size))
            assert both_roots(old, size, steps, ROOTS[old]) == (ROOTS[old], ROOTS[size])


@pytest.mark.slow
@given(size=st.integers(2, SIZES), index=st.integers(0, SIZES - 1), data=st.data())
@settings(max_examples=examples(200))
def test_both_verifiers_refuse_any_wrong_byte_of_a_proof(size: int, index: int, data: st.DataObject) -> None:
    """Any byte, changed into any other."""
    index %= size
    included, consistent = GROWN.inclusion(index, size), GROWN.consistency(index or 1, size)
    for old, proof in ((None, included), (index or 1, consistent)):
        if not proof:
            continue
        step = data.draw(st.integers(0, len(proof) - 1))
        at, add = data.draw(st.integers(0, 31)), data.draw(st.integers(1, 255))
        wrong = bytearray(proof[step])
        wrong[at] = (wrong[at] + add) % 256
        steps = (*proof[:step], bytes(wrong), *proof[step + 1 :])
        if old is None:
            with pytest.raises(SealBroken):
                verify_inclusion(LEAVES[index], index, size, steps, ROOTS[size])
            assert proven_root(LEAVES[index], index, size, list(steps)) != ROOTS[size]
        else:
            with pytest.raises(SealBroken):
                verify_consistency(old, ROOTS[old], size, ROOTS[size], steps)
            assert both_roots(old, size, list(steps), ROOTS[old]) != (ROOTS[old], ROOTS[size])


def test_a_proof_holds_for_its_own_place_only() -> None:
    tree = grown(64)
    for size in range(2, 65):
        for index in range(size):
            proof = tree.inclusion(index, size)
            other = (index + 1) % size
            with pytest.raises(SealBroken):
                verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
            with pytest.raises(SealBroken):
                verify_inclusion(LEAVES[other], index, size, proof, ROOTS[size])


def test_a_proof_cut_or_lengthened_is_refused() -> None:
    tree = grown()
    for old, new in ((1, 2), (3, 7), (64, 65), (64, 128), (7, 130), (129, 130)):
        proof = tree.consistency(old, new)
        for wrong in ((), proof[:-1], proof[1:], (*proof, bytes(32)), (bytes(32), *proof)):
            if wrong == proof:
                continue
            with pytest.raises(SealBroken):
                verify_consistency(old, ROOTS[old], new, ROOTS[new], wrong)
        included = tree.inclusion(old, new)
        for wrong in (included[:-1], included[1:], (*included, bytes(32)), (bytes(32), *included)):
            with pytest.raises(SealBroken):
                verify_inclusion(LEAVES[old], old, new, wrong, ROOTS[new])


def test_a_root_does_not_pass_for_that_of_another_size() -> None:
    left, right = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in LEAVES[:2])
    for leaf, index, size, proof, root in (
        (LEAVES[1], 0, 1, (left,), ROOTS[2]),
        (LEAVES[0], 0, 2, (), ROOTS[1]),
        (LEAVES[0], 1, 1, (), ROOTS[1]),
        (LEAVES[0], 0, 0, (), ROOTS[1]),
        (LEAVES[0], -1, 1, (), ROOTS[1]),
        (LEAVES[0], 0, 3, (right,), ROOTS[2]),
    ):
        with pytest.raises(SealBroken):
            verify_inclusion(leaf, index, size, proof, root)
    higher = [hashlib.sha256(b"\x01" + left + root).digest() for root in (ROOTS[3], ROOTS[4])]
    for old, old_root, new, new_root, steps in (
        (1, ROOTS[1], 3, ROOTS[2], (right,)),
        (1, ROOTS[1], 2, ROOTS[4], GROWN.consistency(1, 4)),
        (3, higher[0], 4, higher[1], (*GROWN.consistency(3, 4), left)),
        (-1, ROOTS[1], 1, ROOTS[1], ()),
        (2, ROOTS[2], 1, ROOTS[2], ()),
    ):
        with pytest.raises(SealBroken):
            verify_consistency(old, old_root, new, new_root, steps)


def test_a_step_is_32_bytes_even_where_the_root_would_fit() -> None:
    first = hashlib.sha256(b"\x00" + LEAVES[0]).digest()
    for step in (b"", b"s" * 31, b"s" * 33):
        root = hashlib.sha256(b"\x01" + first + step).digest()
        with pytest.raises(SealBroken):
            verify_inclusion(LEAVES[0], 0, 2, (step,), root)
        with pytest.raises(SealBroken):
            verify_consistency(1, first, 2, root, (step,))


def corrupted(proof: tuple[bytes, ...], at: int, bit: int) -> tuple[bytes, ...]:
    """The proof with one bit of its bytes turned over."""
    joined = bytearray(b"".join(proof))
    joined[at % len(joined)] ^= 1 << bit
    return tuple(bytes(joined[start : start + 32]) for start in range(0, len(joined), 32))


@pytest.mark.slow
@given(
    size=st.integers(2, SIZES),
    index=st.integers(0, SIZES - 1),
    at=st.integers(0, 32 * 8),
    bit=st.integers(0, 7),
)
@settings(max_examples=examples(200))
def test_one_corrupted_bit_of_a_proof_is_refused(size: int, index: int, at: int, bit: int) -> None:
    index %= size
    wrong = corrupted(GROWN.inclusion(index, size), at, bit)
    with pytest.raises(SealBroken):
        verify_inclusion(LEAVES[index], index, size, wrong, ROOTS[size])
    old = index or 1
    proof = GROWN.consistency(old, size)
    with pytest.raises(SealBroken):
        verify_consistency(old, ROOTS[old], size, ROOTS[size], corrupted(proof, at, bit))


@pytest.mark.slow
@given(
    size=st.integers(-2, 1 << 70),
    index=st.integers(-2, 1 << 70),
    proof=st.lists(st.binary(max_size=40) | st.binary(min_size=32, max_size=32), max_size=80),
    root=st.binary(min_size=32, max_size=32),
)
@settings(max_examples=examples(200))
def test_garbage_is_refused(size: int, index: int, proof: list[bytes], root: bytes) -> None:
    with pytest.raises(SealBroken):
        verify_inclusion(b"leaf", index, size, tuple(proof), root)
    with pytest.raises(SealBroken):
        verify_consistency(index, root, size, hashlib.sha256(root).digest(), tuple(proof))


def test_trees_that_differ_are_not_consistent() -> None:
    tree = Tree()
    for leaf in [b"another", *LEAVES[1:]]:
        tree.append(leaf)
    for old in range(1, SIZES):
        with pytest.raises(SealBroken):
            verify_consistency(old, ROOTS[old], SIZES, tree.root(), tree.consistency(old, SIZES))


def test_equal_sizes_and_nothing_need_equal_roots_and_no_proof() -> None:
    verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, ())
    verify_consistency(0, EMPTY_ROOT, 5, ROOTS[5], ())
    for wrong in (
        (5, ROOTS[5], 5, ROOTS[6], ()),
        (5, ROOTS[5], 5, ROOTS[5], (bytes(32),)),
        (0, ROOTS[1], 5, ROOTS[5], ()),
        (0, EMPTY_ROOT, 5, ROOTS[5], (bytes(32),)),
        (6, ROOTS[6], 5, ROOTS[5], ()),
        (0, ROOTS[1], 0, ROOTS[1], ()),
    ):
        with pytest.raises(SealBroken):
            verify_consistency(*wrong)


def test_asking_for_what_never_was_is_our_own_mistake() -> None:
    tree = grown(5)
    for size in (-1, 6):
        with pytest.raises(LocalError):
            tree.root(size)
        with pytest.raises(LocalError):
            tree.consistency(1, size)
    for index, size in ((-1, 5), (5, 5), (0, 6), (0, 0)):
        with pytest.raises(LocalError):
            tree.inclusion(index, size)
    with pytest.raises(LocalError):
        tree.consistency(4, 3)

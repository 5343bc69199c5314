"""The ledger's Merkle tree: RFC 9162 2.1 with SHA-256, in our own words and few lines.

The roots of all complete subtrees are kept, level by level, so that appending costs two hashes on average
and every root and proof, of any earlier size too, a number of hashes logarithmic in the size.
"""

from __future__ import annotations

import hashlib

from coterie.base.codes import Code
from coterie.base.errors import LocalError, SealBroken
from coterie.base.ids import HASH_BYTES

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""RFC 9162 2.1.1: the root of no leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than size (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


class Tree:
    """Append-only; knows hashes, not leaves (64 bytes of memory a leaf)."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.size = 0
        """How many leaves there are."""

    def append(self, leaf: bytes) -> None:
        node = leaf_hash(leaf)
        index = self.size
        self.size += 1
        level = 0
        while True:
            self._levels[level] += node
            if index % 2 == 0:
                return
            node = node_hash(self._complete(level, index - 1), node)
            index //= 2
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` leaves (default: all), 32 bytes. LocalError for more than there are."""
        wanted = self.size if size is None else self._checked(size)
        return self._range(0, wanted) if wanted else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """Proof that leaf `index` is in the tree of `size` leaves (RFC 9162 2.1.3.1). LocalError."""
        if not 0 <= index < self._checked(size):
            raise LocalError(Code.USAGE, "no such leaf")
        proof: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        return tuple(reversed(proof))

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Proof that the tree of `new` leaves grew from that of `old` (RFC 9162 2.1.4.1). LocalError.

        Empty where both are equal, or where old is 0: any tree grew from nothing.
        """
        if not 0 <= old <= self._checked(new):
            raise LocalError(Code.USAGE, "the older tree is the larger one")
        if old in (0, new):
            return ()
        proof: list[bytes] = []
        start, end = 0, new
        while end != old:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        if start:
            proof.append(self._range(start, end))
        return tuple(reversed(proof))

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise LocalError(Code.USAGE, "the tree never had this size")
        return size

    def _complete(self, level: int, index: int) -> bytes:
        """Root of the complete subtree over leaves index * 2**level and the 2**level - 1 after it."""
        return bytes(self._levels[level][index * HASH_BYTES : (index + 1) * HASH_BYTES])

    def _range(self, start: int, end: int) -> bytes:
        """Root over leaves start..end-1; start is a multiple of a power of two not below their number."""
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._complete(level, start >> level)
        middle = start + _split(count)
        return node_hash(self._range(start, middle), self._range(middle, end))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: tuple[bytes, ...], root: bytes) -> None:
    """RFC 9162 2.1.3.2. Raises SealBroken."""
    if not 0 <= index < size:
        raise SealBroken("a leaf outside its tree")
    _check_nodes(proof)
    node, last = index, size - 1
    computed = leaf_hash(leaf)
    for step in proof:
        if last == 0:
            raise SealBroken("an inclusion proof that is too long")
        if node % 2 or node == last:
            computed = node_hash(step, computed)
            while node % 2 == 0:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        node, last = node >> 1, last >> 1
    if last or computed != root:
        raise SealBroken("an inclusion proof that does not lead to the root")


def verify_consistency(
    old: int, old_root: bytes, new: int, new_root: bytes, proof: tuple[bytes, ...]
) -> None:
    """RFC 9162 2.1.4.2, and the two cases without a proof: nothing before, nothing new. Raises SealBroken."""
    if not 0 <= old <= new:
        raise SealBroken("a tree that became smaller")
    _check_nodes(proof)
    if old in (0, new):
        if old == 0 and old_root != EMPTY_ROOT:
            raise SealBroken("a root of no leaves that is not the empty one")
        if proof or (old == new and old_root != new_root):
            raise SealBroken("two roots of one tree size")
        return
    steps = proof if old & (old - 1) else (old_root, *proof)
    if not steps:
        raise SealBroken("a consistency proof without steps")
    node, last = old - 1, new - 1
    while node % 2:
        node, last = node >> 1, last >> 1
    old_computed = new_computed = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise SealBroken("a consistency proof that is too long")
        if node % 2 or node == last:
            old_computed = node_hash(step, old_computed)
            new_computed = node_hash(step, new_computed)
            while node % 2 == 0:
                node, last = node >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, step)
        node, last = node >> 1, last >> 1
    if last or old_computed != old_root or new_computed != new_root:
        raise SealBroken("a consistency proof that does not lead to both roots")


def _check_nodes(proof: tuple[bytes, ...]) -> None:
    if any(len(step) != HASH_BYTES for step in proof):
        raise SealBroken("a proof step that is no hash")

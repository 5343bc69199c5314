"""What the ledger holds: leaves, and the view that knows the newest leaf of every name and account.

docs/protocol.md, Ledger; encryption rule 19.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, assert_never

import msgspec

from coterie.base.codes import Code
from coterie.base.domains import Domain, digest
from coterie.base.errors import SealBroken
from coterie.base.ids import AccountId, UserName
from coterie.ledger.packing import Account, Hash, Seq, pack, unpack
from coterie.ledger.tree import Tree

NO_LEAF = -1
"""previous of a name's first leaf."""


class LeafKind(IntEnum):
    """What a leaf records."""

    MANIFEST = 1
    TOMBSTONE = 2
    """The account was deleted; its name is never used again."""
    RESET = 3
    """The name begins anew with another account (encryption rule 2)."""
    SERVER = 4
    """A statement of the server's identity."""
    SUCCESSION = 5
    """The account that has the name goes on under another identity, by its own word (encryption rule 22)."""


class Leaf(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One record of the ledger, about 120 bytes.

    name_hash: of the canonical name; account, seq and hash: of the manifest (or statement) recorded;
    previous: index of the name's previous leaf, NO_LEAF where there is none.
    """

    kind: LeafKind
    name_hash: Hash
    account: Account
    seq: Seq
    hash: Hash
    previous: Annotated[int, msgspec.Meta(ge=NO_LEAF, le=1 << 62)]

    def pack(self) -> bytes:
        return pack(Domain.LEAF, self)

    @classmethod
    def unpack(cls, data: bytes) -> Leaf:
        """Raises RemoteError; accepts exactly what pack() gives."""
        return unpack(_leaf_decoder, Domain.LEAF, data)


_leaf_decoder = msgspec.msgpack.Decoder(Leaf)


@lru_cache(maxsize=4096)
def name_hash(name: UserName) -> bytes:
    """What a leaf names a person by, 32 bytes."""
    return digest(Domain.NAME_HASH, name.encode())


SERVER_NAME_HASH = name_hash(UserName("server"))
"""Of SERVER leaves: a reserved name, so that no person's leaf can have it."""


class LedgerView:
    """A ledger as computed from its leaves: the tree, and the newest leaf of every name and account."""

    def __init__(self, *, follows: bool = False) -> None:
        """follows: this one began after a restore, so that names go on in it where they stood."""
        self.follows = follows
        self.tree = Tree()
        self._by_name: dict[bytes, tuple[int, Leaf]] = {}
        self._by_account: dict[AccountId, tuple[int, Leaf]] = {}
        self._before_reset: dict[bytes, AccountId] = {}
        self._statements: dict[int, bytes] = {}
        self._cancelled: dict[AccountId, list[tuple[int, AccountId]]] = {}
        self._successions: dict[AccountId, tuple[AccountId, Leaf]] = {}
        self._heirs: dict[AccountId, AccountId] = {}

    @classmethod
    def from_leaves(cls, leaves: Iterable[bytes], *, follows: bool = False) -> LedgerView:
        """Raises what append() raises."""
        view = cls(follows=follows)
        for leaf in leaves:
            view.append(leaf)
        return view

    @property
    def size(self) -> int:
        return self.tree.size

    def root(self, size: int | None = None) -> bytes:
        """Root over the first `size` leaves (default: all), 32 bytes."""
        return self.tree.root(size)

    def append(self, data: bytes) -> Leaf:
        """Check a packed leaf against its name's previous one and take it.

        Raises RemoteError (malformed) or SealBroken (a previous index, seq or account that contradicts what
        came before); the view is then unchanged.
        """
        leaf = Leaf.unpack(data)
        newest = self._by_name.get(leaf.name_hash)
        if newest is None:
            self._check_new_name(leaf)
        else:
            self._check_next(leaf, *newest)
        if leaf.kind is LeafKind.RESET and newest is not None:
            self._before_reset[leaf.name_hash] = newest[1].account
        elif self._before_reset:
            before = self._before_reset.pop(leaf.name_hash, None)
            if newest is not None and before == leaf.account:
                self._cancelled.setdefault(before, []).append((newest[1].seq, newest[1].account))
        if leaf.kind is LeafKind.SUCCESSION and newest is not None:
            self._successions[leaf.account] = (newest[1].account, leaf)
            self._heirs[newest[1].account] = leaf.account
        if leaf.kind is LeafKind.SERVER:
            self._statements[leaf.seq] = leaf.hash
        found = (self.tree.size, leaf)
        self.tree.append(data)
        self._by_name[leaf.name_hash] = found
        self._by_account[leaf.account] = found
        return leaf

    def newest_of_name(self, hashed_name: bytes) -> tuple[int, Leaf] | None:
        """Index and leaf."""
        return self._by_name.get(hashed_name)

    def newest_of_account(self, account: AccountId) -> tuple[int, Leaf] | None:
        """Index and leaf."""
        return self._by_account.get(account)

    def statements(self, before: int) -> tuple[bytes, ...]:
        """The hashes of what the server's identities signed, of numbers below `before`, oldest first."""
        return tuple(hash for seq, hash in self._statements.items() if seq < before)

    def cancelled_between(self, account: AccountId, after_seq: int, before_seq: int) -> int:
        """How many numbers of its name went to resets that this account cancelled: its own manifests pass
        over them."""
        return sum(after_seq < seq < before_seq for seq, _ in self._cancelled.get(account, ()))

    def is_void(self, account: AccountId) -> bool:
        """Whether the reset that this account began with was cancelled."""
        return any(account == new for _, new in self.cancelled())

    def cancelled(self) -> Iterator[tuple[AccountId, AccountId]]:
        """Every account that has cancelled a reset of its name, and the one that this had begun with."""
        return ((before, new) for before, resets in self._cancelled.items() for _, new in resets)

    def succession(self, account: AccountId) -> tuple[AccountId, Leaf] | None:
        """The account that this one follows by that one's own word, and the leaf that says so; None where it
        began otherwise."""
        return self._successions.get(account)

    def heir(self, account: AccountId) -> AccountId | None:
        """The account as which one goes on by its own word; None where it does not."""
        return self._heirs.get(account)

    def newest_leaves(self) -> Iterator[tuple[AccountId, Leaf]]:
        """The newest leaf of every account."""
        return ((account, leaf) for account, (_, leaf) in self._by_account.items())

    def _check_new_name(self, leaf: Leaf) -> None:
        goes_on = self.follows and leaf.kind is not LeafKind.SERVER
        ends = leaf.kind is LeafKind.TOMBSTONE and not goes_on
        if ends or leaf.kind in (LeafKind.RESET, LeafKind.SUCCESSION):
            raise _contradiction("a name that ends before it began")
        if (leaf.kind is LeafKind.SERVER) != (leaf.name_hash == SERVER_NAME_HASH):
            raise _contradiction("a person's leaf under the server's name, or the reverse")
        if leaf.previous != NO_LEAF or (leaf.seq != 1 and not goes_on):
            raise _contradiction("a name's first leaf that is not number 1")
        if leaf.account in self._by_account:
            raise _contradiction("an account with two names")

    def _check_next(self, leaf: Leaf, index: int, before: Leaf) -> None:
        if leaf.previous != index:
            raise _contradiction("a leaf that does not follow its name's newest")
        if leaf.seq != before.seq + 1:
            raise _contradiction("a leaf whose number does not follow")
        if before.kind is LeafKind.TOMBSTONE:
            raise _contradiction("a deleted name that is used again")
        if (leaf.kind is LeafKind.SERVER) != (before.kind is LeafKind.SERVER):
            raise _contradiction("a person's leaf under the server's name, or the reverse")
        match leaf.kind:
            case LeafKind.MANIFEST | LeafKind.TOMBSTONE | LeafKind.SERVER:
                same = leaf.account == before.account
                if not same and leaf.account != self._before_reset.get(leaf.name_hash):
                    raise _contradiction("a name taken over by another account")
            case LeafKind.RESET | LeafKind.SUCCESSION:
                if leaf.account in self._by_account:
                    raise _contradiction("a name that goes to an account that is known already")
            case _:
                assert_never(leaf.kind)


def _contradiction(note: str) -> SealBroken:
    return SealBroken(note, Code.LEDGER_SPLIT)

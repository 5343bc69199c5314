"""The ledger of the server's life before, as it stands here: what shows that somebody stood in it
(docs/decisions/0039 and 0062)."""

from __future__ import annotations

from coterie.base.ids import AccountId
from coterie.client.core.ports import Reads
from coterie.client.store.records import Setting
from coterie.content.repair import Stood
from coterie.ledger.heads import SignedHead
from coterie.ledger.leaves import Leaf
from coterie.ledger.tree import Tree


class OldLedger:
    """Reads all its leaves once, when it is made: some 7 us for each."""

    def __init__(self, reads: Reads) -> None:
        self.head = reads.setting(Setting.OLD_HEAD) or b""
        """Packed, with both signatures; b"" where there is none."""
        self._leaves = reads.old_leaves()
        self._tree = Tree()
        self._newest: dict[bytes, int] = {}
        for index, packed in enumerate(self._leaves):
            self._tree.append(packed)
            self._newest[Leaf.unpack(packed).account] = index

    def of(self, account: AccountId) -> tuple[bytes, int, tuple[bytes, ...]]:
        """Newest leaf, index and path; b"", 0 and none where it did not stand there."""
        index = self._newest.get(account)
        if index is None:
            return b"", 0, ()
        return self._leaves[index], index, self._tree.inclusion(index, self._tree.size)

    def proof(self, account: AccountId) -> Stood | None:
        """What shows to others that it stood there."""
        leaf, index, path = self.of(account)
        if not leaf:
            return None
        return Stood(SignedHead.unpack(self.head).light.pack(), leaf, index, path)

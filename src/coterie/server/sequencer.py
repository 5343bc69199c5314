"""The one sequencer of the ledger: knows all leaves, closes epochs, signs heads (encryption rule 19).

A leaf is appended in the same commit as what it records, compared and swapped against its name's newest one;
a head is signed over committed leaves, committed itself, and published then. When idle an epoch closes at
once, under load (after a few in quick succession) at limits.EPOCH_LEAVES or after limits.EPOCH_SECONDS.
"""

from __future__ import annotations

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import CoterieError, Unavailable
from coterie.base.signing import LedgerKeys
from coterie.ledger.heads import Head, SignedHead, sign_head
from coterie.ledger.leaves import SERVER_NAME_HASH, LedgerView
from coterie.server.policy import Buckets, Now
from coterie.server.realm import LedgerNow, Realm
from coterie.server.store.protocol import Store
from coterie.server.store.records import PutHead
from coterie.server.store.results import DONE

LEAVES_PER_READ = 10_000
EPOCHS_AT_ONCE = 5


class Sequencer:
    """Only the gateway's turn calls it, so there is one at a time."""

    def __init__(self, store: Store, realm: Realm, view: LedgerView) -> None:
        self._store = store
        self._realm = realm
        self._view = view
        self._keys = LedgerKeys.unpack(realm.secrets.ledger)
        self._ledger = Head.unpack(SignedHead.unpack(realm.ledger.head).payload).ledger
        self._at_once = Buckets(1 / limits.EPOCH_SECONDS, EPOCHS_AT_ONCE)

    @classmethod
    async def load(cls, store: Store, realm: Realm) -> Sequencer:
        """Read and check all leaves. Raises Unavailable(disk) where they contradict one another."""
        view = LedgerView(follows=bool(realm.restores))
        try:
            while leaves := await store.leaves(view.size, view.size + LEAVES_PER_READ):
                for leaf in leaves:
                    view.append(leaf)
            head = Head.unpack(SignedHead.unpack(realm.ledger.head).payload)
            if view.root(head.size) != head.root:
                raise Unavailable(Code.DISK, "the ledger is not the one that was signed")
        except CoterieError as error:
            raise Unavailable(Code.DISK, f"the ledger is damaged ({error.note})") from error
        return cls(store, realm, view)

    @property
    def size(self) -> int:
        """How many leaves are committed."""
        return self._view.size

    @property
    def newest_server_leaf(self) -> int:
        """The index of the newest leaf of the server itself."""
        found = self._view.newest_of_name(SERVER_NAME_HASH)
        return found[0] if found else -1

    def append(self, index: int, leaf: bytes) -> None:
        """A leaf was committed."""
        if index == self._view.size:
            self._view.append(leaf)

    def due(self, now: Now, wanted_size: int) -> bool:
        """Whether an epoch has to be closed now. wanted_size: a ledger that somebody was told of."""
        waiting = self._view.size - self._realm.ledger.size
        if now.wall_ms - self._realm.ledger.time_ms >= limits.HEAD_INTERVAL_MS:
            return True
        if not waiting:
            return False
        idle = self._at_once.wait_seconds(self._ledger, now.monotonic_seconds) == 0
        return idle or waiting >= limits.EPOCH_LEAVES or wanted_size > self._realm.ledger.size

    async def close_epoch(self, now: Now) -> LedgerNow:
        """Sign a head over all leaves and commit it; the realm has it then, and it may be published. Raises
        Unavailable(disk)."""
        head = Head(self._ledger, self._view.size, self._view.root(), now.wall_ms)
        signed = sign_head(head, self._keys).pack()
        (result,) = await self._store.commit([PutHead(head.size, now.wall_ms, signed)])
        if result != DONE:
            raise Unavailable(Code.DISK, "a head could not be kept")
        self._at_once.take(self._ledger, now.monotonic_seconds)
        self._realm.ledger = LedgerNow(head.size, now.wall_ms, signed)
        return self._realm.ledger

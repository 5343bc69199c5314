"""The sequencer of the ledger: knows all leaves, closes epochs, signs heads (encryption rule 19).

Where several servers have one database, each has one, and the database puts what they write into one order:
who commits a head is the sequencer of that moment. The others follow: they read and check what they did not
write.

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
from coterie.ledger.statements import SignedStatement
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
        self._known_size = view.size

    @classmethod
    async def load(cls, store: Store, realm: Realm) -> Sequencer:
        """Read and check all leaves. Raises Unavailable(disk) where they contradict one another."""
        view = LedgerView(follows=bool(realm.restores))
        await _read_on(view, store)
        _require_signed(view, realm.ledger.head)
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
        self.heard_of(index + 1)
        if index == self._view.size:
            self._view.append(leaf)

    def heard_of(self, size: int) -> None:
        """There are at least so many leaves."""
        self._known_size = max(self._known_size, size)

    @property
    def is_behind(self) -> bool:
        """Whether there are leaves that are not known here: another server wrote them."""
        return self._known_size > self._view.size

    async def follow(self) -> bool:
        """Take in what other servers have written; whether a newer head than the published one is there,
        which the realm has then, as it has the newest statement that it covers. Raises Unavailable(disk)."""
        await _read_on(self._view, self._store)
        head = await self._store.head()
        if head is not None and head.size > self._view.size:
            await _read_on(self._view, self._store)
        self.heard_of(self._view.size)
        ledger = self._realm.ledger
        is_newer = head is not None and (head.size, head.time_ms) > (ledger.size, ledger.time_ms)
        if head is not None and is_newer:
            _require_signed(self._view, head.signed)
            self._realm.ledger = LedgerNow(head.size, head.time_ms, head.signed)
        await self._follow_statement()
        return is_newer

    async def _follow_statement(self) -> None:
        """The newest statement of the server, once a published head covers its leaf (encryption rule 7)."""
        statement = await self._store.statement()
        newest = self._view.newest_of_name(SERVER_NAME_HASH)
        if statement is None or newest is None or newest[0] >= self._realm.ledger.size:
            return
        if SignedStatement.unpack(statement).hash == newest[1].hash:
            self._realm.statement = statement

    def due(self, now: Now, wanted_size: int) -> bool:
        """Whether an epoch has to be closed now. wanted_size: a ledger that somebody was told of."""
        waiting = self._view.size - self._realm.ledger.size
        if now.wall_ms - self._realm.ledger.time_ms >= limits.HEAD_INTERVAL_MS:
            return True
        if not waiting:
            return False
        idle = self._at_once.wait_seconds(self._ledger, now.monotonic_seconds) == 0
        return idle or waiting >= limits.EPOCH_LEAVES or wanted_size > self._realm.ledger.size

    async def close_epoch(self, now: Now) -> bool:
        """Sign a head over all leaves and commit it; the realm has it then, or a newer one that another
        server was quicker with: whether there is one to publish. Raises Unavailable(disk)."""
        head = Head(self._ledger, self._view.size, self._view.root(), now.wall_ms)
        signed = sign_head(head, self._keys).pack()
        (result,) = await self._store.commit([PutHead(head.size, now.wall_ms, signed)])
        if result != DONE:
            return await self.follow()
        self._at_once.take(self._ledger, now.monotonic_seconds)
        self._realm.ledger = LedgerNow(head.size, now.wall_ms, signed)
        return True


async def _read_on(view: LedgerView, store: Store) -> None:
    """All leaves that are committed behind those that the view has. Raises Unavailable(disk) where they
    contradict one another."""
    try:
        while leaves := await store.leaves(view.size, view.size + LEAVES_PER_READ):
            for leaf in leaves:
                view.append(leaf)
    except CoterieError as error:
        if isinstance(error, Unavailable):
            raise
        raise Unavailable(Code.DISK, f"the ledger is damaged ({error.note})") from error


def _require_signed(view: LedgerView, packed: bytes) -> None:
    """Raises Unavailable(disk) where the head says something else than the leaves."""
    try:
        head = Head.unpack(SignedHead.unpack(packed).payload)
        is_ours = view.root(head.size) == head.root
    except CoterieError as error:
        raise Unavailable(Code.DISK, f"the ledger is damaged ({error.note})") from error
    if not is_ours:
        raise Unavailable(Code.DISK, "the ledger is not the one that was signed")

"""The ledger as a client keeps it: only what a signed head proves, and nothing that contradicts itself."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SecurityStop
from coterie.base.ids import AccountId, DeviceId, UserName
from coterie.base.signing import LedgerKeys
from coterie.client.core.people import People
from coterie.client.core.profile import Profile
from coterie.client.core.requests import Requests
from coterie.client.core.trust import Trust
from coterie.client.store.records import PutLeaves
from coterie.client.store.sqlite import ClientStore
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import Leaf, LeafKind, LedgerView, name_hash
from coterie.ledger.statements import ledger_id
from coterie.wire.frames import Accounts, FetchAccounts, FetchLeaves, Leaves, Ready

SERVER = AccountId(bytes(32))
LEDGER = ledger_id(SERVER, bytes(16))
KEYS = LedgerKeys.generate()


class Ledger:
    """A server's ledger with made-up accounts."""

    def __init__(self, keys: LedgerKeys = KEYS) -> None:
        self.keys = keys
        self.view = LedgerView()
        self.leaves: list[bytes] = []

    def add(self, *names: str) -> None:
        for name in names:
            account = AccountId(name.encode().ljust(32, b"."))
            leaf = Leaf(LeafKind.MANIFEST, name_hash(UserName(name)), account, 1, secrets.token_bytes(32), -1)
            self.view.append(leaf.pack())
            self.leaves.append(leaf.pack())

    def head(self, size: int | None = None) -> bytes:
        at = self.view.size if size is None else size
        return sign_head(Head(LEDGER, at, self.view.root(at), 1), self.keys).pack()

    def answer(self, start: int) -> Leaves:
        return Leaves(1, start, tuple(self.leaves[start:]), self.head())


def profile_of_alice() -> Profile:
    return Profile(
        name=UserName("alice"),
        account=AccountId(bytes(32)),
        device=DeviceId(bytes(16)),
        device_name="here",
        host="127.0.0.1",
        port=1,
        server=SERVER,
        founding_ledger=LEDGER,
        ledger=LEDGER,
        ledger_key=KEYS.public.pack(),
    )


def trust_of(store: ClientStore) -> Trust:
    profile = profile_of_alice()
    people = People(store, profile.account, profile.device)
    return Trust(store, profile, people, Requests())


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.add("alice", "bob", "carol")
    return made


NOW_MS = FakeClock().wall_ms()


def take(trust: Trust, store: ClientStore, frame: Leaves) -> tuple[object, ...]:
    outcome = trust.leaves(frame, NOW_MS)
    store.begin()
    store.apply(outcome.save)
    store.commit()
    return outcome.save


def test_leaves_are_kept_with_the_head_that_proves_them(store: ClientStore, ledger: Ledger) -> None:
    trust = trust_of(store)
    (asked,) = trust.grew(ledger.head(), NOW_MS).send
    assert isinstance(asked, FetchLeaves)
    assert asked.start == 0
    assert (trust.current, trust.synced) == (False, False)
    answer = ledger.answer(0)
    assert take(trust, store, answer) == (PutLeaves(0, tuple(ledger.leaves), answer.head),)
    assert (trust.current, trust.synced) == (True, False)
    assert list(store.leaves()) == ledger.leaves
    assert trust_of(store).view.root() == ledger.view.root()


def test_after_the_leaves_the_accounts_are_asked_for(store: ClientStore, ledger: Ledger) -> None:
    trust = trust_of(store)
    trust.grew(ledger.head(), NOW_MS)
    (asked,) = trust.leaves(ledger.answer(0), NOW_MS).send
    assert isinstance(asked, FetchAccounts)
    assert len(asked.accounts) == 3
    assert all(trust.lacks(AccountId(each.account)) for each in asked.accounts)


def test_leaves_without_a_head_over_them_are_not_kept(store: ClientStore, ledger: Ledger) -> None:
    trust = trust_of(store)
    trust.grew(ledger.head(), NOW_MS)
    part = msgspec.structs.replace(ledger.answer(0), leaves=tuple(ledger.leaves[:2]))
    assert take(trust, store, part) == ()
    assert not trust.current
    rest = ledger.answer(2)
    assert take(trust, store, rest) == (PutLeaves(0, tuple(ledger.leaves), rest.head),)


def test_a_head_that_is_not_over_these_leaves_stops_everything(store: ClientStore, ledger: Ledger) -> None:
    other = Ledger()
    other.add("alice", "bob", "mallory")
    trust = trust_of(store)
    trust.grew(other.head(), NOW_MS)
    with pytest.raises(SecurityStop) as stop:
        trust.leaves(msgspec.structs.replace(ledger.answer(0), head=other.head()), NOW_MS)
    assert stop.value.code is Code.LEDGER_SPLIT


def test_a_head_of_another_key_stops_everything(store: ClientStore) -> None:
    false = Ledger(LedgerKeys.generate())
    false.add("alice")
    with pytest.raises(SecurityStop) as stop:
        trust_of(store).grew(false.head(), NOW_MS)
    assert stop.value.code is Code.LEDGER_SPLIT


def test_an_older_head_counts_if_it_agrees_and_stops_everything_if_not(
    store: ClientStore, ledger: Ledger
) -> None:
    trust = trust_of(store)
    trust.grew(ledger.head(), NOW_MS)
    take(trust, store, ledger.answer(0))
    trust.grew(ledger.head(2), NOW_MS)
    other = Ledger()
    other.add("alice", "mallory")
    with pytest.raises(SecurityStop) as stop:
        trust.grew(other.head(), NOW_MS)
    assert stop.value.code is Code.LEDGER_SPLIT


def test_a_failed_commit_forgets_leaves_that_were_not_kept(store: ClientStore, ledger: Ledger) -> None:
    trust = trust_of(store)
    trust.grew(ledger.head(), NOW_MS)
    trust.leaves(ledger.answer(0), NOW_MS)
    trust.load()
    assert trust.view.size == 0


def test_a_ledger_that_was_signed_and_is_never_shown_is_a_lie_that_a_new_connection_ends(
    store: ClientStore, ledger: Ledger
) -> None:
    trust = trust_of(store)
    trust.grew(ledger.head(), NOW_MS)
    take(trust, store, ledger.answer(0))
    old = ledger.answer(3)
    ledger.add("dave")
    trust.grew(ledger.head(), NOW_MS)
    assert not trust.current
    take(trust, store, old)
    with pytest.raises(RemoteError):
        trust.leaves(old, NOW_MS)
    trust.connected(Ready(1, (), 4, ledger.head(), 0), NOW_MS)
    take(trust, store, ledger.answer(3))
    assert trust.current


def test_an_account_is_asked_for_once_however_often_it_needs_others(
    store: ClientStore, ledger: Ledger
) -> None:
    trust = trust_of(store)
    bob = AccountId(b"bob".ljust(32, b"."))
    trust.grew(ledger.head(), NOW_MS)
    for _ in range(2):
        assert trust.renew(bob, NOW_MS).send == ()
    trust.leaves(ledger.answer(0), NOW_MS)
    everybody = tuple(AccountId(name.ljust(32, b".")) for name in (b"alice", b"bob", b"carol"))
    (asked,) = trust.accounts(Accounts(1, ()), everybody, NOW_MS).send
    assert isinstance(asked, FetchAccounts)
    assert [each.account for each in asked.accounts] == [bob]

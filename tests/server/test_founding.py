"""How a server's data begins, is opened again, renewed, and refused where it is damaged."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from coterie.base import limits
from coterie.base.clock import FakeClock
from coterie.base.codes import Code
from coterie.base.conversations import everyone_id
from coterie.base.errors import SecurityStop, Unavailable
from coterie.base.signing import LedgerPublic
from coterie.ledger.checks import check_welcome
from coterie.ledger.heads import SignedHead, check_head
from coterie.ledger.leaves import SERVER_NAME_HASH, Leaf, LeafKind, LedgerView
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.statements import ServerStatement
from coterie.server.realm import Realm
from coterie.server.store.database import Database
from coterie.wire.codec import VERSIONS
from coterie.wire.frames import Accounts, FetchAccounts, FetchLeaves, Hello, Leaves, LedgerGrew, Welcome
from coterie.wire.frames.accounts import KnownAccount
from tests.ledger.accounts import NOW_MS
from tests.server.house import TLS_KEY, House, house_in
from tests.server.people import Device, Person
from tests.server.scenes import logged_in, registered


def said(realm: Realm, now_ms: int, *, tls_key: bytes = TLS_KEY) -> ServerStatement:
    """The statement as a client that pinned this server reads it."""
    return check_welcome(realm.server, realm.identity, realm.chain, realm.statement, tls_key, now_ms)


@pytest.mark.asyncio
async def test_a_server_proves_itself_and_its_ledger_begins_with_that(house: House) -> None:
    statement = said(house.realm, NOW_MS)
    assert house.realm.everyone == everyone_id(statement.founding_ledger)
    assert statement.ledger == statement.founding_ledger
    leaves = await house.store.leaves(0, 10)
    first = Leaf.unpack(leaves[0])
    assert (first.kind, first.name_hash, first.account) == (
        LeafKind.SERVER,
        SERVER_NAME_HASH,
        house.realm.server,
    )
    public = LedgerPublic.unpack(statement.ledger_key)
    head = check_head(SignedHead.unpack(house.realm.ledger.head), public, statement.ledger)
    assert (head.size, head.root) == (1, LedgerView.from_leaves(leaves).root())
    with pytest.raises(SecurityStop):
        said(house.realm, NOW_MS, tls_key=b"x" * 32)


@pytest.mark.asyncio
async def test_it_is_the_same_server_when_it_is_opened_again(folder: Path) -> None:
    async with house_in(folder) as house:
        before = house.realm
    async with house_in(folder) as house:
        assert (house.realm.server, house.realm.incarnation) == (before.server, before.incarnation)
        assert (house.realm.statement, house.realm.ledger) == (before.statement, before.ledger)
        assert house.realm.secrets == before.secrets
        assert "secret" not in repr(house.realm.secrets).lower().replace("serversecrets", "")


@pytest.mark.asyncio
async def test_another_certificate_gets_a_statement_and_a_leaf_before_anybody_connects(
    folder: Path,
) -> None:
    async with house_in(folder) as house:
        first = said(house.realm, NOW_MS)
    async with house_in(folder, tls_key=b"n" * 32) as house:
        second = said(house.realm, NOW_MS, tls_key=b"n" * 32)
        assert (second.seq, second.server, second.incarnation) == (2, first.server, first.incarnation)
        view = LedgerView.from_leaves(await house.store.leaves(0, 10))
        assert view.size == house.realm.ledger.size == 2


@pytest.mark.asyncio
async def test_a_statement_is_renewed_long_before_it_expires(folder: Path, alice: Person) -> None:
    clock = FakeClock(NOW_MS)
    async with house_in(folder, clock=clock) as house:
        first = said(house.realm, clock.wall_ms())
        clock.advance(limits.STATEMENT_MS / 2000 + 1)
        await house.pass_time(2)
        second = said(house.realm, clock.wall_ms())
        assert (second.seq, second.expires_ms) == (2, clock.wall_ms() + limits.STATEMENT_MS - 2000 + 1000)
        wire = house.wire()
        wire.say(Hello(VERSIONS))
        welcome = await wire.next(Welcome)
        assert welcome.statement == house.realm.statement
        assert first.expires_ms - clock.wall_ms() > limits.DAY_MS
    async with house_in(folder, clock=clock) as house:
        assert said(house.realm, clock.wall_ms()).seq == 2


@pytest.mark.asyncio
async def test_a_statement_is_said_once_a_head_covers_its_leaf(folder: Path) -> None:
    """Clients look for it there, so a disk that fails between the two must not let them find nothing."""
    clock = FakeClock(NOW_MS)
    async with house_in(folder, clock=clock) as house:
        before = house.realm.statement
        disk = Database(folder / "server.db")
        disk.run("CREATE TRIGGER full BEFORE INSERT ON heads BEGIN SELECT raise(ABORT, 'full'); END")
        clock.advance(limits.STATEMENT_MS / 2000 + 1)
        await house.pass_time(3)
        assert len(await house.store.leaves(0, 9)) == 2
        assert (house.realm.statement, house.realm.ledger.size) == (before, 1)
        disk.run("DROP TRIGGER full")
        disk.close()
        await house.pass_time(2)
        assert said(house.realm, clock.wall_ms()).seq == 2
        assert house.realm.ledger.size == 2


@pytest.mark.asyncio
async def test_a_head_is_signed_every_hour_though_nothing_happens(house: House, alice: Person) -> None:
    await registered(house, alice)
    wire = house.wire()
    await wire.sign_in(alice.device)
    before = house.realm.ledger
    house.clock.advance(limits.HEAD_INTERVAL_MS / 1000 - 10)
    await house.pass_time(2)
    assert house.realm.ledger == before
    house.clock.advance(10)
    await house.pass_time(2)
    assert house.realm.ledger.size == before.size
    assert house.realm.ledger.time_ms > before.time_ms
    assert (await wire.next(LedgerGrew)).head == house.realm.ledger.head


@pytest.mark.asyncio
async def test_under_load_an_epoch_takes_a_second(house: House, alice: Person) -> None:
    await registered(house, alice)
    sizes = []
    for _ in range(7):
        wire = await logged_in(house, alice)
        await wire.ask(alice.add_device(Device(alice.account), request=3))
        sizes.append(house.realm.ledger.size)
    assert sizes[:4] == [3, 4, 5, 6], "at once while there are few"
    assert sizes[4:] == [6, 6, 6]
    reader = house.wire()
    await reader.sign_in(alice.device)
    leaves = await reader.ask(FetchLeaves(2, 4))
    assert isinstance(leaves, Leaves)
    assert len(leaves.leaves) == 2, "no further than the signed head"
    accounts = await reader.ask(FetchAccounts(3, (KnownAccount(alice.account, 0),)))
    assert isinstance(accounts, Accounts)
    (newest,) = accounts.accounts[0].manifests
    assert SignedManifest.unpack(newest).manifest.seq == 5, "nor is a manifest shown that it does not cover"
    await house.pass_time(1)
    assert house.realm.ledger.size == 9


@pytest.mark.asyncio
async def test_a_ledger_that_was_tampered_with_is_not_served(folder: Path, alice: Person) -> None:
    async with house_in(folder) as house:
        await registered(house, alice)
    database = Database(folder / "server.db")
    leaf = Leaf.unpack(database.all("SELECT leaf FROM leaves WHERE idx = 1")[0][0])
    forged = msgspec.structs.replace(leaf, hash=b"f" * 32).pack()
    database.run("UPDATE leaves SET leaf = ? WHERE idx = 1", (forged,))
    database.close()
    with pytest.raises(Unavailable) as caught:
        async with house_in(folder):
            pass
    assert caught.value.code is Code.DISK


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM heads",
        "DELETE FROM statements",
        "INSERT INTO facts VALUES ('chain', x'ff')",
        "DELETE FROM facts WHERE name = 'incarnation'",
        "UPDATE facts SET value = x'00' WHERE name = 'secrets'",
        "UPDATE statements SET signed = x'00'",
        "DELETE FROM facts WHERE name = 'secrets'",
    ],
)
async def test_a_database_that_lacks_what_the_server_is_is_refused(folder: Path, damage: str) -> None:
    database = Database(folder / "server.db")
    database.run(damage)
    database.close()
    with pytest.raises(Unavailable) as caught:
        async with house_in(folder):
            pass
    assert caught.value.code is Code.DISK

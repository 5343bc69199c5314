"""Two servers of one database when something is lost, late or done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.ledger.heads import Head, SignedHead
from coterie.ledger.leaves import LedgerView
from coterie.server import restoring, standing
from coterie.server.restoring import open_or_begin_life
from coterie.server.standing import open_with_certificate
from coterie.server.store.lives import RESTORED
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore
from coterie.server.store.records import PutFact
from coterie.server.topics import Topics
from coterie.server.wakeups.nats import NatsBus
from coterie.trials.engines.nats import Node, node
from coterie.trials.torture.proxy import HOST, Proxy
from coterie.wire.frames import Accepted, LogEntries, MailboxEntries, Refusal, ShowHead
from tests.ledger.accounts import NOW_MS
from tests.server.house import TLS_KEY
from tests.server.people import Device, Person, revoking
from tests.server.scenes import logged_in, registered
from tests.server.street import (
    PATIENCE_SECONDS,
    Street,
    apart,
    deaf_street,
    side_by_side,
    street,
    within_a_ping_interval,
)

__all__ = ["deaf_street", "street"]
pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


@pytest_asyncio.fixture
async def on_nats(postgres_database: str) -> AsyncIterator[tuple[Street, Node]]:
    with node() as server:
        async with side_by_side(postgres_database, lambda: NatsBus(server.url)) as houses:
            yield houses, server


async def test_a_lost_hint_costs_a_ping_interval(deaf_street: Street, alice: Person, bob: Person) -> None:
    alices, bobs = await apart(deaf_street, alice, bob)
    said = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    assert isinstance(await alices.ask(said), Accepted)
    assert len(await within_a_ping_interval(deaf_street, bobs.messages(1))) == 1
    assert [frame.entries[0].seq for frame in bobs.waiting(MailboxEntries)] == [1]


async def test_keys_are_told_before_what_they_open(deaf_street: Street, alice: Person, bob: Person) -> None:
    """Of a log and a mailbox that both have grown only the log is heard of."""
    alices, bobs = await apart(deaf_street, alice, bob)
    said = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    assert isinstance(await alices.ask(said), Accepted)
    other = deaf_street[1]
    other.hear(Topics(other.realm.secrets.token).of_device(bob.device.id))
    assert (await bobs.next(LogEntries)).mailbox_end == 1
    assert len(await bobs.mail(1)) == 1


async def test_a_revoked_device_goes_though_nobody_says_so(
    deaf_street: Street, alice: Person, bob: Person
) -> None:
    one, other = deaf_street
    alices, _bobs = await apart(deaf_street, alice, bob)
    second = Device(alice.account)
    wire = await logged_in(one, alice)
    assert isinstance(await wire.ask(alice.add_device(second)), Accepted)
    seconds = other.wire()
    await seconds.sign_in(second)
    assert isinstance(await alices.ask(revoking(alice)), Accepted)
    assert (await within_a_ping_interval(deaf_street, seconds.next(Refusal))).code == Code.REVOKED.value


async def test_the_statement_of_one_is_the_other_s_too(street: Street) -> None:
    """Both find that it is time for the next one, and one of them is quicker."""
    one, other = street
    before = one.realm.statement
    one.clock.advance(limits.STATEMENT_MS // 2 / 1000 + 1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while one.realm.statement == before or one.realm.statement != other.realm.statement:
            one.clock.advance(1.0)
            await one.store.ledger_size()
    assert one.realm.statement == await one.store.statement()


async def test_messages_come_though_the_bus_dies(
    on_nats: tuple[Street, Node], alice: Person, bob: Person
) -> None:
    """By the bus while it is there, within a ping interval when it is not."""
    houses, server = on_nats
    alices, bobs = await apart(houses, alice, bob)
    assert len(await bobs.mail(1)) == 1
    conversation = alice.direct_with(bob)
    assert isinstance(await alices.ask(alice.device.message(conversation, bob.account, request=3)), Accepted)
    assert len(await bobs.messages(1)) == 1
    server.kill()
    assert isinstance(await alices.ask(alice.device.message(conversation, bob.account, request=4)), Accepted)
    assert [entry.seq for entry in await within_a_ping_interval(houses, bobs.messages(1))] == [2]


async def test_messages_come_though_the_bus_swallows_everything(
    postgres_database: str, alice: Person, bob: Person
) -> None:
    """A black hole: nobody is told that nothing arrives."""
    proxy = Proxy()
    with node() as server:
        proxy.targets.append(server.port)
        await proxy.start()
        async with side_by_side(postgres_database, lambda: NatsBus(f"nats://{HOST}:{proxy.port}")) as houses:
            alices, bobs = await apart(houses, alice, bob)
            assert len(await bobs.mail(1)) == 1
            proxy.silence()
            said = alice.device.message(alice.direct_with(bob), bob.account, request=3)
            assert isinstance(await alices.ask(said), Accepted)
            assert len(await within_a_ping_interval(houses, bobs.messages(1))) == 1
        await proxy.close()


async def test_one_message_said_to_two_servers_is_one_entry(
    street: Street, alice: Person, bob: Person
) -> None:
    """Its sender lost the answer, and asks again elsewhere."""
    alices, bobs = await apart(street, alice, bob)
    said = alice.device.message(alice.direct_with(bob), bob.account, request=3)
    alices.say(said)
    again = street[1].wire()
    await again.sign_in(alice.device)
    answer = await again.ask(said)
    assert isinstance(answer, Accepted)
    assert answer.seq == 1
    assert [entry.message for entry in await bobs.messages(1)] == [said.message]
    later = alice.device.message(alice.direct_with(bob), bob.account, request=4)
    assert isinstance(await again.ask(later), Accepted)
    assert [entry.seq for entry in await bobs.messages(1)] == [2]


async def test_two_sequencers_at_once_make_one_ledger(
    street: Street, alice: Person, bob: Person, carol: Person
) -> None:
    one, other = street
    await asyncio.gather(registered(one, alice), registered(other, bob), registered(one, carol))
    view = LedgerView.from_leaves(await one.store.leaves(0, 100))
    assert view.size == 4
    for house in street:
        head = Head.unpack(SignedHead.unpack(house.realm.ledger.head).payload)
        assert head.root == view.root(head.size)
    await within_a_ping_interval(street, alike(street))
    assert one.realm.ledger == other.realm.ledger
    assert one.realm.ledger.size == 4


async def alike(houses: Street) -> None:
    """Until both have published the same head."""
    while houses[0].realm.ledger != houses[1].realm.ledger:
        await houses[0].store.ledger_size()


async def test_a_head_that_another_server_signed_is_no_proof_of_a_copy(
    deaf_street: Street, alice: Person
) -> None:
    """A client was shown more of the ledger than this server has heard of yet."""
    one, other = deaf_street
    await registered(one, alice)
    assert other.realm.ledger.size < one.realm.ledger.size
    wire = other.wire()
    await wire.greet()
    assert isinstance(await wire.ask(ShowHead(1, one.realm.ledger.head)), Accepted)
    assert not other.turns.begins_anew
    assert not await other.store.fact(RESTORED)


async def test_no_server_goes_on_when_the_data_is_a_copy(street: Street) -> None:
    """Whoever finds out says so in the database; the next life begins once all have let go."""
    one, other = street
    await one.store.commit([PutFact(RESTORED, b"1")])
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (one.turns.begins_anew and other.turns.begins_anew):
            one.clock.advance(1.0)
            await asyncio.gather(one.turns.readiness.why_not(), other.turns.readiness.why_not())


async def test_a_server_with_another_certificate_is_turned_away_while_others_serve(
    street: Street, postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "ALONE_SECONDS", 0.1)
    store = await PostgresStore.open(postgres_database, Hold.BESIDE)
    with pytest.raises(Refused, match="another certificate"):
        await open_with_certificate(store, b"u" * 32, True, NOW_MS)
    assert (await open_with_certificate(store, TLS_KEY, True, NOW_MS)).tls_key == TLS_KEY
    await store.close()


async def test_a_server_that_is_alone_may_change_its_certificate(postgres_database: str) -> None:
    store = await PostgresStore.open(postgres_database, Hold.BESIDE)
    await open_with_certificate(store, TLS_KEY, True, NOW_MS)
    assert (await open_with_certificate(store, b"u" * 32, True, NOW_MS)).tls_key == b"u" * 32
    second = asyncio.get_running_loop().create_task(PostgresStore.open(postgres_database, Hold.BESIDE))
    await store.beside()
    await (await second).close()
    await store.close()


async def test_the_next_life_waits_until_all_have_let_go(
    postgres_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "ALONE_TRIES", 1)
    one = await PostgresStore.open(postgres_database, Hold.BESIDE)
    before = await open_or_begin_life(one, TLS_KEY, True, NOW_MS)
    other = await PostgresStore.open(postgres_database, Hold.BESIDE)
    await one.commit([PutFact(RESTORED, b"1")])
    with pytest.raises(Unavailable) as caught:
        await open_or_begin_life(one, TLS_KEY, True, NOW_MS)
    assert caught.value.code is Code.PROFILE_IN_USE
    await other.close()
    after = await open_or_begin_life(one, TLS_KEY, True, NOW_MS)
    assert after.incarnation != before.incarnation
    await one.close()

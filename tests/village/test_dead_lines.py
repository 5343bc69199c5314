"""What was sealed before the line died, and could be given to the server only weeks later: it opens."""

from __future__ import annotations

import asyncio

import apsw
import pytest

import coterie
from coterie.base import limits
from coterie.client.api.me import Me
from coterie.client.store.records import OutboxState
from coterie.server.connection import Connection
from coterie.wire.frames import ClientFrame, Envelopes, Send
from tests.village.conftest import PATIENCE_SECONDS, Heard, Village
from tests.village.test_away_for_long import all_opened, met, texts_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

SAID = {"@bob": "sealed before the line died", "everyone": "this too"}


class DeadLine:
    """Nothing of these kinds that a person says arrives while it is dead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, victim: Me, *dead: type[ClientFrame]) -> None:
        self.dead: tuple[type[ClientFrame], ...] = dead
        line, receive = self, Connection.receive

        def arrives(connection: Connection, message: bytes) -> tuple[ClientFrame, ...]:
            frames = receive(connection, message)
            who = connection.caller.signed_in
            if who is None or who.account != victim.account:
                return frames
            return tuple(frame for frame in frames if not isinstance(frame, line.dead))

        monkeypatch.setattr(Connection, "receive", arrives)


async def sealed(me: Me, target: str, text: str) -> None:
    """Say something, and wait until it is sealed."""
    sent = await me.post(target, text)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not me._store.outbox(sent.conversation, OutboxState.SEALED, 1):
            await asyncio.sleep(0)


async def rest(village: Village, name: str, *days: float) -> None:
    """Somebody looks in now and then, after so many days each time."""
    for each in days:
        village.clock.pass_days(each)
        me = await village.back(name)
        await me.close()


async def all_arrived(alice: Me, bob: Me) -> None:
    """What was said in both conversations stands there on the other side."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while texts_of(bob, "@alice")[-1:] != [SAID["@bob"]] or texts_of(bob, "everyone") != [
            SAID["everyone"]
        ]:
            await asyncio.sleep(0)
        while alice._store.outbox_conversations() or alice._store.envelopes_out():
            await asyncio.sleep(0)
    assert all_opened(bob)
    assert alice._store.owed() == []


async def what_is_old_expires(village: Village, days: float, sql: str) -> None:
    """Nobody is there for so many days; then the server drops what it keeps no longer, until the query finds
    nothing more of it."""
    await village.stop()
    village.clock.pass_days(days)
    await village.start(village.port)
    database = apsw.Connection(str(village.folder / "server" / "server.db"), flags=apsw.SQLITE_OPEN_READONLY)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while database.execute(sql).fetchall():
            await asyncio.sleep(0)
    database.close()


@pytest.mark.parametrize("days", [(0.5,), (8, 15, 16)])
async def test_what_never_reached_the_server(
    village: Village, monkeypatch: pytest.MonkeyPatch, days: tuple[float, ...]
) -> None:
    """Bob looks in now and then and renews his keys meanwhile. After weeks the private half is gone to which
    the envelope was sealed: the sender gives it up, and seals another."""
    alice, bob = await met(village)
    village.clock.pass_days(1)
    line = DeadLine(monkeypatch, alice, Envelopes, Send)
    for target, text in SAID.items():
        await sealed(alice, target, text)
    envelopes = alice._store.envelopes_out()
    assert len(envelopes) == 2
    for me in (alice, bob):
        await me.close()
    await rest(village, "bob", *days)
    line.dead = ()
    bob = await village.back("bob")
    alice = await village.back("alice")
    await all_arrived(alice, bob)
    given = {row.envelope for row in envelopes}
    opened = {each for each in given if bob._store.envelope_seen(alice.device, each)}
    assert opened == (given if sum(days) < 1 else set())


async def test_a_message_is_not_given_away_while_the_other_person_is_dormant(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server would take it at once, and hand it to nobody: it waits, and so does its session's key, also
    past the thirty days for which keys are kept."""
    alice, bob = await met(village)
    line = DeadLine(monkeypatch, alice, Envelopes, Send)
    village.clock.pass_days(1)
    await bob.close()
    await sealed(alice, "@bob", SAID["@bob"])
    await alice.close()
    line.dead = ()
    village.clock.pass_days(32)
    alice = await village.back("alice")
    await alice.close()
    village.clock.pass_days(limits.KEEP_SENT_MS / limits.DAY_MS)
    alice = await village.back("alice")
    ears = Heard(alice)
    bob = await village.back("bob")
    await ears.until(lambda events: any(isinstance(each, coterie.MessageSent) for each in events))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while texts_of(bob, "@alice")[-1:] != [SAID["@bob"]]:
            await asyncio.sleep(0)
    assert all_opened(bob)


async def test_a_key_outlives_what_it_opens(village: Village) -> None:
    """Somebody comes back on the day on which the first message of a session has expired, and the second has
    not: the key came with the first."""
    alice, bob = await met(village)
    await bob.close()
    await alice.send("everyone", "expired")
    village.clock.pass_days(0.9)
    await alice.send("everyone", "still there")
    assert len({row.session for row in alice._store.history(alice.everyone, 2, None)}) == 1
    await alice.close()
    first = "SELECT 1 FROM log_entries WHERE ciphertext IS NOT NULL AND time_ms < " + str(
        village.clock.wall_ms() - limits.DAY_MS // 2
    )
    await what_is_old_expires(village, 29.5, first)
    bob = await village.back("bob")
    assert texts_of(bob, "everyone") == ["still there"]
    assert all_opened(bob)


async def test_a_key_that_the_server_had_and_lost_before_it_was_fetched(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key arrived, its message did so weeks later only; whom both were for came later still."""
    alice, bob = await met(village)
    await bob.close()
    village.clock.pass_days(1)
    line = DeadLine(monkeypatch, alice, Send)
    for target, text in SAID.items():
        await sealed(alice, target, text)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while alice._store.envelopes_out():
            await asyncio.sleep(0)
    await alice.close()
    line.dead = ()
    village.clock.pass_days(15)
    alice = await village.back("alice")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while alice._store.outbox_conversations() or alice._store.envelopes_out():
            await asyncio.sleep(0)
    await alice.close()
    early = f"SELECT 1 FROM mailbox_entries WHERE time_ms < {village.clock.wall_ms() - limits.DAY_MS}"
    await what_is_old_expires(village, 26, early)
    bob = await village.back("bob")
    assert texts_of(bob, "@alice")[-1:] == [SAID["@bob"]]
    assert texts_of(bob, "everyone") == [SAID["everyone"]]
    assert all_opened(bob)

"""A server that ends a connection may be answered by what a client had already begun to say."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.codes import Code
from coterie.client.api.me import Me
from coterie.client.link import Connection
from coterie.wire import codec
from coterie.wire.frames import Refusal
from tests.village.conftest import PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

LAST_WORD = codec.encode(Refusal(0, Code.SLOW_READER.value))
NONSENSE = b"\xc1"


def connection_of(me: Me) -> Connection:
    connection = me._runtime._connection
    assert connection is not None
    return connection


async def later(me: Me, heard: Heard, count: int) -> None:
    """Wait until this person has been live that often."""
    live = coterie.LinkChanged(coterie.LinkState.LIVE)
    await heard.until(lambda events: events.count(live) >= count)
    await me.wait_live(PATIENCE_SECONDS)


@pytest.mark.parametrize("ends_by", [LAST_WORD, NONSENSE])
async def test_what_is_said_after_the_servers_last_word_goes_once_with_the_next_connection(
    village: Village, ends_by: bytes
) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    at_alice, at_bob = Heard(alice), Heard(bob)
    await alice.send("@bob", "before")
    await at_bob.texts(1)
    connection_of(alice).received(ends_by)
    queued = await alice.post("@bob", "after")
    await later(alice, at_alice, 1)
    sent = await alice.acknowledged(queued, PATIENCE_SECONDS)
    assert sent.state is coterie.MessageState.SENT
    assert await at_bob.texts(2) == ["before", "after"]
    told = [event.message.id for event in at_alice.events if isinstance(event, coterie.MessageQueued)]
    assert told.count(queued.id) == 1


@pytest.mark.parametrize("ends_by", [LAST_WORD, NONSENSE])
async def test_what_had_come_before_the_last_word_is_shown_once(village: Village, ends_by: bytes) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    at_alice, at_bob = Heard(alice), Heard(bob)
    connection = connection_of(bob)
    came = asyncio.Event()
    received = connection._sink
    assert received is not None

    def ended_behind(frames: tuple[object, ...]) -> None:
        """The last word comes in the same turn as the first entries."""
        received(frames)  # type: ignore[arg-type]  # what came from the server, as it came
        if not came.is_set():
            came.set()
            connection.received(ends_by)

    connection._sink = ended_behind
    for number in range(5):
        await alice.send("@bob", str(number))
    assert came.is_set()
    assert await at_bob.texts(5) == [str(number) for number in range(5)]
    await bob.send("@alice", "got them")
    assert await at_alice.texts(1) == ["got them"]
    assert len(bob.history(bob.resolve("@alice"))) == 6
    assert [message.text for message in at_bob.messages()] == [str(number) for number in range(5)]

"""A server that floods a client with what needs no answer."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.wire import codec
from coterie.wire.frames import Pong
from tests.village.conftest import Village
from tests.village.liar import Liar

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

AT_ONCE = 500
TIMES = 300


async def test_a_flood_of_small_frames_costs_bounded_memory(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More comes with each turn of the loop than is handled in it: then nothing is read for a while. One read
    may bring all that the sockets hold, some thousand of the smallest frames."""
    liar = Liar(monkeypatch)
    alice = await village.person("alice")
    (connection,) = (
        each
        for each in liar.open
        if each.caller.signed_in is not None and each.caller.signed_in.account == alice.account
    )
    pong = codec.encode(Pong(1, 0))
    most = 0
    for _ in range(TIMES):
        for _ in range(AT_ONCE):
            connection.pipe.send(pong)
        await asyncio.sleep(0)
        most = max(most, len(alice._runtime._inputs))
    assert most < AT_ONCE * TIMES // 4
    assert (await alice.send("@alice", "still here")).state is coterie.MessageState.SENT

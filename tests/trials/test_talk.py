"""Raw clients at a server that has too much to do: what it refused is said again, and all of it arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from coterie.base.clock import SystemClock
from coterie.trials.coterie_site import Coterie, CoterieSite
from coterie.trials.processes import coterie_server
from coterie.trials.server_direct import talks_of
from coterie.trials.talk import close_all, talk_all
from tests.trials.test_overload import SMALL, lane_full

PAIRS = 6
IN_FLIGHT = 8
MESSAGES = 20


@pytest.mark.slow
@pytest.mark.asyncio
async def test_who_is_told_busy_says_it_again_in_its_order(tmp_path: Path) -> None:
    site = CoterieSite("server", tmp_path, SystemClock())
    async with coterie_server(site.folders[0], program=SMALL) as process:
        server = Coterie(site, [process])
        await server.settle(2 * PAIRS)
        pairs = [await server.pair(2 * number, 2 * number + 1) for number in range(PAIRS)]
        heard: list[list[bytes]] = [[] for _ in pairs]
        for pair, messages in zip(pairs, heard, strict=True):
            pair.listener.messages = messages
        await talk_all(talks_of(pairs, MESSAGES, IN_FLIGHT))
        assert await asyncio.to_thread(lane_full, process.metrics) > 0
        assert [len(set(messages)) for messages in heard] == [MESSAGES] * PAIRS
        assert [len(messages) for messages in heard] == [MESSAGES] * PAIRS
        await close_all([end for pair in pairs for end in (pair.speaker, pair.listener)])

"""A disk that is full while somebody connects."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.client.link import Connection
from coterie.client.signing_in import connect, keep_proof
from coterie.client.store.sqlite import ClientStore
from coterie.wire.frames.connection import Welcome
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Village

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_a_connection_is_closed_whose_proof_cannot_be_kept_and_another_one_does(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await village.person("alice")
    await alice.close()
    connections: list[Connection] = []
    closed: list[Connection] = []

    async def noted(*words: object) -> Connection:
        for each in connections:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await each.lost()
            closed.append(each)
        connections.append(await connect(*words))  # type: ignore[arg-type]  # as they came
        return connections[-1]

    def kept(store: ClientStore, welcome: Welcome) -> None:
        if len(connections) == 1:
            raise Unavailable(Code.DISK, "no space is left on the disk of the database: nothing was lost")
        keep_proof(store, welcome)

    monkeypatch.setattr("coterie.client.runtime.connect", noted)
    monkeypatch.setattr("coterie.client.runtime.keep_proof", kept)
    await village.keep(await coterie.open(village.home("alice"), password=PASSWORD, clock=village.clock))
    assert closed == connections[:1], "before another one comes, on which the server ends it"

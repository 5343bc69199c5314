"""Boards for requests to join, once for each implementation: as two servers see one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from coterie.server.store.approval_board import Board, MemoryBoard
from coterie.server.store.postgres.line import Hold
from coterie.server.store.postgres.store import PostgresStore

Boards = tuple[Board, Board]
"""One board, seen from two servers, or twice from the only one."""


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str:
    """Of the database, "" for memory."""
    return "" if request.param == "memory" else str(request.getfixturevalue("postgres_database"))


@pytest_asyncio.fixture
async def boards(url: str) -> AsyncIterator[Boards]:
    if not url:
        board = MemoryBoard()
        yield board, board
        return
    stores = [await PostgresStore.open(url, Hold.BESIDE) for _ in range(2)]
    for store in stores:
        await store.beside()
    yield stores[0].shared.approvals, stores[1].shared.approvals
    for store in stores:
        await store.close()

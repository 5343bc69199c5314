"""What comes is what was said, and is looked at as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.server.blobs.checking import checked


@pytest.mark.asyncio
async def test_more_than_was_said_is_not_waited_for() -> None:
    """Attack: a file without end under a small size."""
    given = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"more"

    async def take_all() -> None:
        async for chunk in checked(endless(), 10, bytes(32)):
            given.append(chunk)
            assert len(given) < 5

    with pytest.raises(Refused) as caught:
        await take_all()
    assert caught.value.code is Code.BAD_FILE
    assert b"".join(given) == b"moremore"

"""The faults that are needed stay, all others go, within the tries that are allowed."""

from __future__ import annotations

import pytest

from coterie.trials.torture.shrinking import shrunk

pytestmark = pytest.mark.asyncio

ITEMS = tuple(range(40))


class Run:
    """Fails where everything is there that it takes."""

    def __init__(self, *needed: int) -> None:
        self.needed = set(needed)
        self.tries = 0

    async def fails(self, items: tuple[int, ...]) -> bool:
        self.tries += 1
        return self.needed <= set(items)


@pytest.mark.parametrize("needed", [(7,), (0,), (39,), (3, 31), (1, 2, 20)])
async def test_only_what_it_takes_is_left(needed: tuple[int, ...]) -> None:
    run = Run(*needed)
    assert await shrunk(ITEMS, run.fails, 500) == needed


async def test_what_is_found_has_failed_and_takes_no_more_tries_than_allowed() -> None:
    for tries in range(30):
        run = Run(5, 22)
        found = await shrunk(ITEMS, run.fails, tries)
        assert {5, 22} <= set(found)
        assert run.tries <= tries


async def test_what_never_fails_again_is_left_as_it_was() -> None:
    async def never(_items: tuple[int, ...]) -> bool:
        return False

    assert await shrunk(ITEMS, never, 500) == ITEMS

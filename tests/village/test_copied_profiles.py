"""A profile that was copied or restored never clones a ratchet (encryption rule 28)."""

from __future__ import annotations

import shutil

import pytest

import coterie
from coterie.base.codes import Code
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_a_copy_beside_the_running_original_is_refused(village: Village) -> None:
    alice = await village.person("alice")
    shutil.copytree(village.home("alice"), village.home("copy"))
    async with coterie.open(village.home("copy"), password=PASSWORD) as copy:
        with pytest.raises(coterie.Refused) as refused:
            await copy.wait_live(PATIENCE_SECONDS)
        assert refused.value.code is Code.COPIED_PROFILE
        assert copy.link is coterie.LinkState.STOPPED
    assert (await alice.send("@alice", "still here")).state is coterie.MessageState.SENT


async def test_a_restored_copy_is_noticed_and_seals_nothing(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.close()
    shutil.copytree(village.home("alice"), village.home("saved"))
    for _ in range(2):
        async with coterie.open(village.home("alice"), password=PASSWORD) as again:
            await again.wait_live(PATIENCE_SECONDS)
    ears = Heard(bob)
    async with coterie.open(village.home("saved"), password=PASSWORD) as restored:
        with pytest.raises(coterie.Refused) as refused:
            await restored.wait_live(PATIENCE_SECONDS)
        assert refused.value.code is Code.RESTORED_PROFILE
        with pytest.raises(coterie.Refused):
            await restored.send("@bob", "from the past")
    async with coterie.open(village.home("alice"), password=PASSWORD) as again:
        await again.send("@bob", "from today")
    assert await ears.texts(1) == ["from today"]

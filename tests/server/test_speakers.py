"""Everyone above 1000 devices: only who was named by the operator posts there (encryption rule 15)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import UserName
from coterie.cli.main import main
from coterie.server.speakers import name_speaker
from coterie.server.store.sqlite import SqliteStore
from tests.server.town import EVERYONE, Resident, denied, save, say, settle_in, share


@pytest.mark.asyncio
async def test_a_named_speaker_posts_at_once_and_no_longer_when_it_is_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command works beside the running server: its store stays open meanwhile."""
    store = SqliteStore(tmp_path / "server.db")
    try:
        alice, bob = Resident("alice"), Resident("bob")
        await settle_in(store, alice, bob)
        crowd = [Resident(f"person{number}") for number in range(1000)]
        await store.commit([each.register() for each in crowd])
        others = tuple(each.device for each in crowd)
        for one, other in ((alice, bob), (bob, alice)):
            await share(store, one.device.share(EVERYONE, left_out=(*others, other.device)))
            assert denied(await save(store, one.device.message(EVERYONE))) is Code.SPEAKERS_ONLY
        speaker = ["admin", "speaker", "Alice", "--data", str(tmp_path)]
        assert await asyncio.to_thread(main, [*speaker, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"speaker": "alice", "speaks": True}
        assert await say(store, alice.device, alice.device.message(EVERYONE)) == 1
        assert denied(await save(store, bob.device.message(EVERYONE))) is Code.SPEAKERS_ONLY
        assert await asyncio.to_thread(main, [*speaker, "--remove"]) == 0
        assert denied(await save(store, alice.device.message(EVERYONE))) is Code.SPEAKERS_ONLY
    finally:
        await store.close()


@pytest.mark.asyncio
async def test_nobody_of_that_name_is_made_a_speaker(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "server.db")
    await settle_in(store, Resident("alice"))
    await store.close()
    with pytest.raises(Refused) as refused:
        await name_speaker(tmp_path / "server.db", UserName("nobody"), speaks=True)
    assert refused.value.code is Code.UNKNOWN_PERSON


@pytest.mark.asyncio
async def test_a_folder_without_a_server_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await name_speaker(tmp_path / "server.db", UserName("alice"), speaks=True)
    assert list(tmp_path.iterdir()) == []

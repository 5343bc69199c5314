"""A backup becomes a device of its own that has the history; no key of the original is in it (rule 28)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

import coterie
from coterie.client import signing_in
from coterie.client.api.backups import back_up, restore, verify_backup
from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from tests.village.conftest import PASSWORD, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


@pytest_asyncio.fixture
async def pair(village: Village) -> AsyncIterator[tuple[Me, Me]]:
    """Alice and bob, who know each other and have talked."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "before")
    await bob.send("@alice", "before, too")
    await Heard(alice).until(lambda _: texts(alice, "@bob") == ["before", "before, too"])
    yield alice, bob


def texts(me: Me, target: str) -> list[str]:
    return [each.text for each in me.history(me.resolve(target))]


async def until_last(me: Me, target: str, text: str) -> None:
    """Wait until that is the last thing said."""
    await Heard(me).until(lambda _: texts(me, target)[-1:] == [text])


async def restored(village: Village, file: Path, home: str) -> Me:
    await restore(village.home(home), file)
    return await village.keep(await coterie.open(village.home(home), password=PASSWORD))


async def test_both_go_on_after_a_backup_of_an_open_profile(
    village: Village, pair: tuple[Me, Me], tmp_path: Path
) -> None:
    alice, bob = pair
    file = tmp_path / "alice.backup"
    assert await alice.back_up(file) == file.stat().st_size
    await alice.send("@bob", "after the backup")
    again = await restored(village, file, "elsewhere")
    assert again.device != alice.device
    assert texts(again, "@bob") == ["before", "before, too"]
    await again.send("@bob", "from the restored")
    await alice.send("@bob", "from the original")
    said = {"before", "before, too", "after the backup", "from the restored", "from the original"}
    await Heard(bob).until(lambda _: set(texts(bob, "@alice")) == said)
    await bob.send("@alice", "to both")
    for me in (alice, again):
        await until_last(me, "@bob", "to both")
    for me in (alice, bob, again):
        assert me._store.setting(Setting.BROKEN_COUNT) is None
        assert me._store.setting(Setting.RESTORED) is None


async def test_where_the_original_has_stopped_since_the_server_cannot_tell_and_it_does_not_matter(
    village: Village, pair: tuple[Me, Me], tmp_path: Path
) -> None:
    """The number of its start is higher than the one that the server knows: only the backup says it."""
    alice, bob = pair
    file = tmp_path / "alice.backup"
    await alice.back_up(file)
    await alice.send("@bob", "sealed after the backup")
    await alice.close()
    again = await restored(village, file, "elsewhere")
    assert again.device != alice.device
    await again.send("@bob", "from the restored")
    said = ["before", "before, too", "sealed after the backup", "from the restored"]
    await Heard(bob).until(lambda _: texts(bob, "@alice") == said)
    assert bob._store.setting(Setting.BROKEN_COUNT) is None


async def test_even_a_server_that_takes_it_for_the_original_gets_nothing_sealed(
    village: Village, pair: tuple[Me, Me], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = pair
    await alice.close()
    file = tmp_path / "alice.backup"
    await back_up(village.home("alice"), file, password=PASSWORD)
    asked: list[bytes] = []
    monkeypatch.setattr(signing_in, "_proof", lambda *_: asked.append(b"proof"))
    await restore(village.home("elsewhere"), file)
    me = await coterie.open(village.home("elsewhere"), password=PASSWORD)
    try:
        assert me._store.setting(Setting.DEVICE_PICKLE) is None
        await Heard(me).until(lambda events: any(isinstance(e, coterie.BecameNewDevice) for e in events))
    finally:
        await me.close()


async def test_a_restored_profile_reads_and_queues_without_a_network(
    village: Village, pair: tuple[Me, Me], tmp_path: Path
) -> None:
    alice, bob = pair
    await alice.close()
    file = tmp_path / "alice.backup"
    await back_up(village.home("alice"), file, password=PASSWORD)
    port = village.port
    await village.stop()
    await restore(village.home("elsewhere"), file)
    for _ in range(2):
        async with coterie.open(village.home("elsewhere"), password=PASSWORD) as me:
            assert texts(me, "@bob") == ["before", "before, too"]
    me = await coterie.open(village.home("elsewhere"), password=PASSWORD)
    await me.post("@bob", "written before it was connected")
    await village.start(port)
    await village.keep(me)
    await Heard(bob).until(lambda _: texts(bob, "@alice")[-1] == "written before it was connected")


async def test_a_backup_is_verified_by_password_and_by_recovery_key(
    village: Village, pair: tuple[Me, Me], tmp_path: Path
) -> None:
    alice, _ = pair
    words = alice.recovery_key
    file = tmp_path / "alice.backup"
    await alice.back_up(file)
    by_password = await verify_backup(file, password=PASSWORD)
    assert by_password == await verify_backup(file, recovery_key=words)
    assert (by_password.name, by_password.holdings.messages) == ("alice", 2)
    for wrong in ({"password": "wrong"}, {"recovery_key": "abandon " * 24}):
        with pytest.raises(coterie.Refused) as raised:
            await verify_backup(file, **wrong)
        assert raised.value.code is coterie.Code.WRONG_CREDENTIALS

"""A profile that was copied or restored becomes a device of its own; no ratchet is cloned (rule 28)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

import coterie
from coterie.base.codes import Code
from coterie.client.api import renewal
from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def copied(village: Village, name: str, to: str) -> None:
    shutil.copytree(village.home(name), village.home(to))


@pytest_asyncio.fixture
async def pair(village: Village) -> AsyncIterator[tuple[Me, Me]]:
    """Alice and bob, who know each other and have talked."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = Heard(bob)
    await alice.send("@bob", "before the copy")
    await ears.texts(1)
    yield alice, bob


async def reopened(village: Village, home: str, *, wait: bool = True) -> Me:
    me = await coterie.open(village.home(home), password=PASSWORD)
    return await village.keep(me) if wait else me


def texts(messages: Sequence[coterie.Message]) -> list[str]:
    return [message.text for message in messages]


async def test_a_copy_beside_the_running_original_becomes_a_device_of_its_own(
    village: Village, pair: tuple[Me, Me]
) -> None:
    alice, bob = pair
    original = alice.device
    copied(village, "alice", "copy")
    copy = await reopened(village, "copy")
    assert copy.device != original
    assert alice.link is coterie.LinkState.LIVE
    ears, own_ears = Heard(bob), Heard(alice)
    assert (await alice.send("@bob", "from the original")).state is coterie.MessageState.SENT
    assert (await copy.send("@bob", "from the copy")).state is coterie.MessageState.SENT
    assert await ears.texts(2) == ["from the original", "from the copy"]
    assert await own_ears.texts(1) == ["from the copy"]
    await Heard(copy).until(lambda _: "from the original" in texts(copy.history(copy.resolve("@bob"))))
    assert {each.id for each in alice.devices() if not each.revoked} == {original, copy.device}
    assert next(each for each in alice.devices() if each.id == copy.device).approved_by_recovery


async def test_a_restored_copy_becomes_a_device_of_its_own_and_keeps_its_history(
    village: Village, pair: tuple[Me, Me]
) -> None:
    alice, bob = pair
    await alice.close()
    copied(village, "alice", "saved")
    for _ in range(2):
        again = await coterie.open(village.home("alice"), password=PASSWORD)
        await again.wait_live(PATIENCE_SECONDS)
        await again.close()
    ears = Heard(bob)
    restored = await reopened(village, "saved")
    assert restored.device != alice.device
    assert texts(restored.history(restored.resolve("@bob"))) == ["before the copy"]
    await restored.send("@bob", "from the restored")
    await bob.send("@alice", "I hear you")
    assert await ears.texts(1) == ["from the restored"]
    await Heard(restored).until(lambda _: "I hear you" in texts(restored.history(restored.resolve("@bob"))))
    assert restored._store.setting(Setting.BROKEN_COUNT) is None
    await restored.close()
    once_more = await reopened(village, "saved")
    assert once_more.device == restored.device


@pytest.mark.parametrize("way", ["sent", "received"])
async def test_a_copy_of_a_running_profile_is_one_also_where_it_never_started_again(
    village: Village, pair: tuple[Me, Me], way: str
) -> None:
    """A folder is saved while the program runs, and the disk dies before its next start: the copy's start is
    the next one in order. What its ratchets would use has been used since."""
    alice, bob = pair
    await bob.send("@alice", "so that both have something")
    await Heard(alice).until(lambda _: len(alice.history(alice.resolve("@bob"))) == 2)
    copied(village, "alice", "saved")
    ears = Heard(bob)
    if way == "sent":
        await alice.send("@bob", "after the copy")
        await ears.texts(1)
    else:
        await bob.send("@alice", "after the copy")
        await Heard(alice).until(lambda _: len(alice.history(alice.resolve("@bob"))) == 3)
    await alice.close()
    await _written_down(village)
    restored = await reopened(village, "saved")
    assert restored.device != alice.device
    ears = Heard(bob)
    await restored.send("@bob", "from the restored")
    assert await ears.texts(1) == ["from the restored"]
    await bob.send("@alice", "I hear you")
    await Heard(restored).until(lambda _: "I hear you" in texts(restored.history(restored.resolve("@bob"))))


async def _written_down(village: Village) -> None:
    """What devices have acknowledged the server keeps within a second, or when it ends."""
    port = village.port
    await village.stop()
    await village.start(port)


async def test_what_waited_in_the_copy_is_not_sent_a_second_time(
    village: Village, pair: tuple[Me, Me]
) -> None:
    alice, bob = pair
    await alice.close()
    port = village.port
    await village.stop()
    away = await coterie.open(village.home("alice"), password=PASSWORD)
    await away.post("@bob", "waited when the copy was made")
    await away.close()
    copied(village, "alice", "saved")
    await village.start(port)
    ears = Heard(bob)
    original = await reopened(village, "alice")
    assert await ears.texts(1) == ["waited when the copy was made"]
    await original.close()
    again = await reopened(village, "alice")
    await again.close()
    restored = await coterie.open(village.home("saved"), password=PASSWORD)
    seen = Heard(restored)
    await restored.post("@bob", "written in the copy alone")
    await village.keep(restored)
    assert await ears.texts(2) == ["waited when the copy was made", "written in the copy alone"]
    became = next(each for each in seen.events if isinstance(each, coterie.BecameNewDevice))
    assert texts(became.unsure) == ["waited when the copy was made"]
    states = {m.text: m.state for m in restored.history(restored.resolve("@bob"))}
    assert states["waited when the copy was made"] is coterie.MessageState.UNSURE
    assert states["written in the copy alone"] is coterie.MessageState.SENT


async def test_no_session_of_the_copied_device_is_used_again(village: Village, pair: tuple[Me, Me]) -> None:
    alice, _ = pair
    conversation = alice.resolve("@bob")
    sealed_with = alice._store.last_message(conversation)
    copied(village, "alice", "copy")
    copy = await reopened(village, "copy")
    sent = await copy.send("@bob", "once more")
    message = copy._store.message(copy._store.message_order(conversation, copy.device, sent.id) or 0)
    assert sealed_with is not None
    assert message is not None
    assert message.session != sealed_with.session
    assert (message.n, message.device) == (1, copy.device)


async def test_a_copy_whose_answer_was_lost_is_made_again(
    village: Village, pair: tuple[Me, Me], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new device is on disk and the server never heard of it: the next start makes another."""
    alice, _ = pair
    copied(village, "alice", "copy")
    prepare = renewal.Renewal.prepare

    async def cut(self, connection, profile):  # type: ignore[no-untyped-def] # as the method that it wraps
        new = await prepare(self, connection, profile)
        connection.close()
        await connection.lost()
        return new

    with monkeypatch.context() as broken:
        broken.setattr(renewal.Renewal, "prepare", cut)
        copy = await reopened(village, "copy", wait=False)
        ears = Heard(copy)
        await ears.until(lambda events: any(isinstance(each, coterie.BecameNewDevice) for each in events))
        unheard = copy.device
        await copy.close()
    again = await reopened(village, "copy")
    assert unheard not in {each.id for each in again.devices()}
    assert again.device in {each.id for each in again.devices()}
    assert alice.link is coterie.LinkState.LIVE


async def test_a_copy_without_the_password_of_the_account_stops(village: Village) -> None:
    """This machine's password opens its store alone, since the account's was forgotten: it has to log in."""
    alice = await village.person("alice")
    words = alice.recovery_key
    await alice.close()
    other = await coterie.log_in(
        server=village.invite, name="alice", password="another-one-7-Otters", recovery_key=words,
        home=village.home("second"),
    )  # fmt: skip
    await other.wait_live(PATIENCE_SECONDS)
    copied(village, "second", "copy")
    async with coterie.open(village.home("copy"), password="another-one-7-Otters") as copy:
        with pytest.raises(coterie.Refused) as refused:
            await copy.wait_live(PATIENCE_SECONDS)
        assert refused.value.code is Code.RESTORED_PROFILE
    await other.close()

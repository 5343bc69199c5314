"""Devices that were away for weeks: keys are renewed, and what was sealed for them opens (rule 3)."""

from __future__ import annotations

import msgspec
import pytest

import coterie
from coterie.base import limits
from coterie.client.api.me import Me
from coterie.client.store.records import Setting
from coterie.ledger.manifest import SignedPrekey
from coterie.wire.frames import Claimed, ServerFrame
from coterie.wire.frames.accounts import ClaimedKeys
from tests.village.conftest import PATIENCE_SECONDS, Heard, Village, acquainted, knows
from tests.village.liar import Liar

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def texts_of(me: Me, target: str) -> list[str]:
    return [message.text for message in me.history(me.resolve(target))]


def all_opened(me: Me) -> bool:
    return me._store.waiting() == [] and me._store.setting(Setting.BROKEN_COUNT) is None


async def met(village: Village) -> tuple[Me, Me]:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    ears = Heard(bob)
    await alice.send("@bob", "hello")
    await ears.texts(1)
    own = Heard(alice)
    await bob.send("@alice", "hello too")
    await own.texts(1)
    return alice, bob


async def test_standing_keys_are_renewed_and_others_learn_of_it(village: Village) -> None:
    alice, bob = await met(village)
    first = alice._store.current_x_wing()
    assert first is not None
    for me in (alice, bob):
        await me.close()
    village.clock.pass_days(8)
    alice = await village.back("alice")
    renewed = alice._store.current_x_wing()
    assert renewed is not None
    assert renewed.id > first.id
    replaced = alice._store.own_x_wing(first.id)
    assert replaced is not None
    assert replaced.replaced_ms > 0
    bob = await village.back("bob")
    ears = Heard(alice)
    await Heard(bob).until(lambda _: _knows(bob, alice, renewed.id))
    await bob.send("@alice", "sealed to the new one")
    assert await ears.texts(1) == ["sealed to the new one"]
    assert all_opened(alice)


def _knows(me: Me, other: Me, x_wing_id: int) -> bool:
    keys = me._store.peer_keys(other.device)
    return keys is not None and keys.x_wing_id == x_wing_id


async def test_a_private_half_goes_thirty_days_after_its_replacement(village: Village) -> None:
    alice = await village.person("alice")
    first = alice._store.current_x_wing()
    assert first is not None
    for days in (8, 29, 2):
        await alice.close()
        village.clock.pass_days(days)
        alice = await village.back("alice")
        kept = alice._store.own_x_wing(first.id)
        assert (kept is None) is (days == 2)


@pytest.mark.parametrize("days", [3, 25])
async def test_what_was_sealed_while_a_device_was_away_opens(village: Village, days: int) -> None:
    alice, bob = await met(village)
    await bob.close()
    for _ in range(2):
        await alice.send("@bob", "direct")
        await alice.send("everyone", "to all")
        await alice.close()
        village.clock.pass_days(days / 2)
        alice = await village.back("alice")
    bob = await village.back("bob")
    assert texts_of(bob, "@alice")[2:] == ["direct"] * 2
    assert texts_of(bob, "everyone") == ["to all"] * 2
    assert all_opened(bob)


@pytest.mark.parametrize("days", [31, 40])
async def test_a_device_that_fell_dormant_is_one_again_when_it_returns(village: Village, days: int) -> None:
    alice, bob = await met(village)
    await bob.close()
    await alice.send("everyone", "while it was still entitled")
    await alice.close()
    village.clock.pass_days(days)
    alice = await village.back("alice")
    assert (await alice.send("everyone", "while it was dormant")).state is coterie.MessageState.SENT
    waits = await alice.send("@bob", "kept for its return", timeout_seconds=1)
    assert waits.state is coterie.MessageState.QUEUED
    bob = await village.back("bob")
    ears = Heard(bob)
    assert (await alice.acknowledged(waits, PATIENCE_SECONDS)).state is coterie.MessageState.SENT
    await alice.send("everyone", "after it")
    await ears.until(lambda _: texts_of(bob, "everyone")[-1:] == ["after it"])
    assert "while it was dormant" not in texts_of(bob, "everyone")
    assert texts_of(bob, "@alice")[-1] == "kept for its return"
    await alice.send("@bob", "as ever")
    await ears.until(lambda _: texts_of(bob, "@alice")[-1:] == ["as ever"])
    assert all_opened(bob)
    await bob.close()
    bob = await village.back("bob")
    assert all_opened(bob)


async def test_somebody_new_reaches_a_device_that_is_away_and_not_dormant(village: Village) -> None:
    """Its one-time keys are too old by then, its fallback key is as old as one gets: 59 days."""
    carol, bob = await village.person("carol"), await village.person("bob")
    for days in (0, 22, 7.5):
        await carol.close()
        await bob.close()
        village.clock.pass_days(days)
        bob = await village.back("bob")
    await bob.close()
    village.clock.pass_days(29.5)
    carol = await village.back("carol")
    await knows(carol, {bob.name})
    direct = await carol.send("@bob", "nice to meet you")
    assert direct.state is coterie.MessageState.SENT
    await carol.send("everyone", "hello all")
    assert carol._store.owed() == []
    bob = await village.back("bob")
    assert texts_of(bob, "@carol") == ["nice to meet you"]
    assert texts_of(bob, "everyone") == ["hello all"]
    assert all_opened(bob)


async def test_a_quiet_account_always_has_one_time_keys_that_others_take(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody begins anything with it for 40 days, twice: keys that grew too old make room for young ones."""
    bob = await village.person("bob")
    for _ in range(2):
        for _ in range(2):
            await bob.close()
            village.clock.pass_days(20)
            bob = await village.back("bob")
    liar = Liar(monkeypatch)
    carol = await village.person("carol")
    liar.victim = carol.account
    await knows(carol, {bob.name})
    await carol.send("@bob", "after 80 days")
    (claimed,) = _claimed(liar)
    made = SignedPrekey.unpack(claimed.one_time).prekey
    assert village.clock.wall_ms() - made.created_ms < limits.PREKEY_MAX_AGE_MS
    await Heard(bob).until(lambda _: texts_of(bob, "@carol") == ["after 80 days"])
    assert all_opened(bob)


async def test_a_server_that_hands_out_a_one_time_key_of_long_ago_gains_nothing_by_it(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: the server kept the key that it gave to Carol, and gives it to Dave 40 days later (rule 3)."""
    bob, carol = await village.person("bob"), await village.person("carol")
    liar = Liar(monkeypatch)
    liar.victim = carol.account
    await knows(carol, {bob.name})
    await carol.send("@bob", "with a key of today")
    (kept,) = _claimed(liar)
    for _ in range(2):
        await bob.close()
        village.clock.pass_days(20)
        bob = await village.back("bob")

    def old_again(frame: ServerFrame) -> list[ServerFrame]:
        if not isinstance(frame, Claimed):
            return [frame]
        given = tuple(msgspec.structs.replace(each, one_time=kept.one_time) for each in frame.keys)
        return [msgspec.structs.replace(frame, keys=given)]

    dave = await village.person("dave")
    liar.victim, liar.lie = dave.account, old_again
    await knows(dave, {bob.name})
    await dave.send("@bob", "with another one")
    await Heard(bob).until(lambda _: texts_of(bob, "@dave") == ["with another one"])
    assert all_opened(bob)


def _claimed(liar: Liar) -> tuple[ClaimedKeys, ...]:
    claimed = liar.told[Claimed]
    assert isinstance(claimed, Claimed)
    return claimed.keys

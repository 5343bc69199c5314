"""Decrypted is delivered: people see when what they wrote is on a device of the other (rule 18)."""

from __future__ import annotations

import pytest

import coterie
from tests.village.conftest import Heard, Village, acquainted
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


def delivered(heard: Heard) -> list[str]:
    return [event.message.text for event in heard.events if isinstance(event, coterie.MessageDelivered)]


def state(me: coterie.Me, name: str) -> coterie.MessageState:
    return me.history(me.resolve("@" + name))[-1].state


async def test_what_was_said_is_delivered_and_each_device_says_so(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    words = bob.recovery_key
    await acquainted(alice, bob)
    second = await second_of(village, bob, words)
    heard, other = Heard(alice), Heard(second)
    await bob.send("@alice", "so that bob has spoken")
    await other.texts(1)
    await alice.send("@bob", "is it there?")
    await other.texts(2)
    await heard.until(lambda _: "is it there?" in delivered(heard))
    (message,) = (each for each in alice.history(alice.resolve("@bob")) if each.text == "is it there?")
    assert message.state is coterie.MessageState.DELIVERED
    await heard.until(
        lambda _: {each.state for each in alice.delivery(message)} == {coterie.DeliveryState.RECEIVED}
    )
    assert {(each.name, each.device) for each in alice.delivery(message)} == {
        ("bob", bob.device),
        ("bob", second.device),
    }
    assert delivered(heard).count("is it there?") == 1


async def test_who_is_away_receives_it_on_coming_back_and_everyone_says_nothing(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await bob.send("@alice", "so that bob has spoken")
    await bob.close()
    heard = Heard(alice)
    await alice.send("@bob", "are you there?")
    await alice.send("everyone", "is anybody?")
    assert state(alice, "bob") is coterie.MessageState.SENT
    await alice.close()
    bob = await village.back("bob")
    assert await Heard(bob).until(lambda _: bool(bob.history(bob.resolve("@alice")))) is not None
    alice = await village.back("alice")
    heard = Heard(alice)
    await heard.until(lambda _: "are you there?" in delivered(heard))
    assert state(alice, "bob") is coterie.MessageState.DELIVERED
    assert alice.history(alice.everyone)[-1].state is coterie.MessageState.SENT
    assert alice.delivery(alice.history(alice.everyone)[-1]) == ()

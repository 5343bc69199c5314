"""A person changes their password and their recovery key (encryption rules 5, 6 and 27)."""

from __future__ import annotations

import asyncio

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.errors import Refused
from coterie.client.api.me import Me
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

NEW = "otter-violet-harbour-31-lamp"


async def logs_in(village: Village, name: str, password: str, home: str, words: str | None = None) -> Me:
    return await village.keep(
        await coterie.log_in(
            server=village.invite,
            name=name,
            password=password,
            recovery_key=words,
            home=village.home(home),
            clock=village.clock,
        )
    )


async def refused_at_login(village: Village, name: str, password: str, words: str | None = None) -> Code:
    with pytest.raises(Refused) as refused:
        await coterie.log_in(
            server=village.invite,
            name=name,
            password=password,
            recovery_key=words,
            home=village.home("refused"),
            clock=village.clock,
        )
    return refused.value.code


async def opens(village: Village, home: str, password: str) -> bool:
    try:
        me = await coterie.open(village.home(home), password=password, clock=village.clock)
    except Refused as refused:
        assert refused.code is Code.WRONG_CREDENTIALS
        return False
    await me.close()
    return True


async def test_a_new_password_counts_on_the_server_and_on_this_device(village: Village) -> None:
    alice = await village.person("alice")
    words = alice.recovery_key
    second = await second_of(village, alice, words)
    with pytest.raises(Refused) as wrong:
        await alice.change_password("not the password", NEW)
    assert wrong.value.code is Code.WRONG_CREDENTIALS
    with pytest.raises(Refused) as weak:
        await alice.change_password(PASSWORD, "password")
    assert weak.value.code is Code.WEAK_PASSWORD
    await alice.change_password(PASSWORD, NEW)
    assert not alice.wrapped_with_password
    await alice.close()
    assert await opens(village, "alice", NEW)
    assert not await opens(village, "alice", PASSWORD)
    assert await refused_at_login(village, "alice", PASSWORD) is Code.WRONG_CREDENTIALS
    assert await refused_at_login(village, "alice", NEW) is Code.NEEDS_RECOVERY_KEY
    third = await logs_in(village, "alice", NEW, "third", words)
    assert third.account == second.account
    await second.close()
    assert await opens(village, "second", PASSWORD), "other devices keep what opens them"


async def test_a_new_recovery_key_ends_the_old_one(village: Village) -> None:
    alice = await village.person("alice")
    old = alice.recovery_key
    await alice.recovery_key_shown()
    await alice.new_recovery_key(PASSWORD)
    new = alice.recovery_key
    assert new is not None
    assert new != old
    await alice.close()
    again = await village.back("alice")
    assert again.recovery_key == new, "shown until the person has it"
    await again.recovery_key_shown()
    assert await refused_at_login(village, "alice", "forgotten", old) is Code.WRONG_CREDENTIALS
    assert await refused_at_login(village, "alice", PASSWORD, old) is Code.WRONG_CREDENTIALS
    await logs_in(village, "alice", "forgotten-and-new-9", "second", new)


async def test_wrapping_by_password_is_turned_on_and_off(village: Village) -> None:
    alice = await village.person("alice")
    with pytest.raises(Refused) as weak:
        await alice.change_password(PASSWORD, "quince-pantry", wrap=True)
    assert weak.value.code is Code.WEAK_PASSWORD
    await alice.wrap_with_password(PASSWORD, wrap=True)
    await logs_in(village, "alice", PASSWORD, "second")
    await alice.change_password(PASSWORD, NEW)
    await logs_in(village, "alice", NEW, "third")
    await alice.wrap_with_password(NEW, wrap=False)
    assert not alice.wrapped_with_password
    assert await refused_at_login(village, "alice", NEW) is Code.NEEDS_RECOVERY_KEY


async def test_a_generated_passphrase_is_enough_elsewhere(village: Village) -> None:
    alice = await village.person("alice")
    passphrase = coterie.new_passphrase()
    await alice.change_password(PASSWORD, passphrase)
    await logs_in(village, "alice", passphrase, "second")
    await alice.change_password(passphrase, PASSWORD)
    assert await refused_at_login(village, "alice", PASSWORD) is Code.NEEDS_RECOVERY_KEY


async def test_two_devices_that_change_at_once_undo_nothing_of_each_other(village: Village) -> None:
    """One makes a new recovery key while the other changes the password: both count afterwards."""
    alice = await village.person("alice")
    old = alice.recovery_key
    second = await second_of(village, alice, old)
    await Heard(alice).until(lambda _: len(alice.devices()) == 2)
    async with asyncio.timeout(2 * PATIENCE_SECONDS):
        await asyncio.gather(alice.new_recovery_key(PASSWORD), second.change_password(PASSWORD, NEW))
    assert await refused_at_login(village, "alice", PASSWORD, old) is Code.WRONG_CREDENTIALS
    await logs_in(village, "alice", NEW, "third", alice.recovery_key)

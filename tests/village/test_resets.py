"""Somebody has lost everything, and begins anew under the same name (encryption rules 2 and 22)."""

from __future__ import annotations

import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.errors import Refused, SecurityStop
from coterie.base.ids import UserName
from coterie.client.api.me import Me
from coterie.ledger.audit import LedgerFile, audit
from coterie.server.folder import database_of
from coterie.server.reset_codes import make_reset_code
from tests.village.conftest import PASSWORD, Heard, Village, acquainted
from tests.village.test_own_devices import second_of

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def code_for(village: Village, name: str) -> str:
    database = database_of(village.folder / "server")
    code = await make_reset_code(database, UserName(name), village.clock.wall_ms())
    return code.words


async def anew(village: Village, name: str, code: str, home: str = "anew") -> Me:
    return await coterie.sign_up(
        server=village.invite,
        name=name,
        password=PASSWORD,
        home=village.home(home),
        reset_code=code,
        clock=village.clock,
    )


def states(heard: Heard) -> list[coterie.ResetState]:
    return [event.state for event in heard.events if isinstance(event, coterie.NameReset)]


def no_reset(me: Me) -> bool:
    """Whether nobody begins the own name anew."""
    return me.reset_at_ms is None


async def test_a_name_begins_anew_a_day_later(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    await alice.send("@bob", "before")
    old = bob.account
    await bob.close()
    heard = Heard(alice)
    code = await code_for(village, "bob")
    new = await anew(village, "bob", code)
    with pytest.raises(Refused) as used:
        await anew(village, "bob", code, "again")
    assert used.value.code is Code.SIGN_UP_CLOSED
    await heard.until(lambda _: states(heard) == [coterie.ResetState.ANNOUNCED])
    waiting = Heard(new)
    await waiting.until(
        lambda events: any(
            isinstance(event, coterie.LinkChanged) and event.code is Code.RESET_PENDING for event in events
        )
    )
    person = alice.person("bob")
    assert person is not None
    assert person.account == old
    village.clock.pass_days(1.01)
    await village.keep(new)
    await heard.until(lambda _: states(heard)[-1] is coterie.ResetState.IN_EFFECT)
    person = alice.person("bob")
    assert person is not None
    assert person.account == new.account
    arrived = Heard(new)
    with pytest.raises(SecurityStop) as changed:
        await alice.send("@bob", "is it you?")
    assert changed.value.code is Code.IDENTITY_CHANGED
    told = alice.identity_change("bob")
    assert told is not None
    assert (told.person.account, told.was_verified) == (new.account, False)
    await alice.accept_identity("bob")
    assert alice.identity_change("bob") is None
    await alice.send("@bob", "to the new one")
    assert await arrived.texts(1) == ["to the new one"]
    await new.send("everyone", "here again")
    await heard.texts(1)
    with pytest.raises(Refused) as revoked:
        await village.back("bob")
    assert revoked.value.code is Code.REVOKED
    await new.change_password(PASSWORD, "otter-violet-harbour-31-lamp")


async def test_the_identity_before_says_no(village: Village) -> None:
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    heard, own = Heard(alice), Heard(bob)
    new = await anew(village, "bob", await code_for(village, "bob"))
    await own.until(lambda _: states(own) == [coterie.ResetState.ANNOUNCED])
    assert bob.reset_at_ms is not None
    assert alice.reset_at_ms is None
    await bob.keep_name(PASSWORD)
    await heard.until(lambda _: states(heard)[-1:] == [coterie.ResetState.CANCELLED])
    with pytest.raises(Refused) as revoked:
        await village.keep(new)
    assert revoked.value.code is Code.REVOKED
    whose = [
        event.own for each in (own, heard) for event in each.events if isinstance(event, coterie.NameReset)
    ]
    assert whose == [True, True, False, False]
    assert not [event for event in own.events if isinstance(event, coterie.IdentityChanged)]
    assert no_reset(bob)
    village.clock.pass_days(1.01)
    await bob.change_password(PASSWORD, "otter-violet-harbour-31-lamp")
    await alice.send("@bob", "still you")
    assert not [event for event in heard.events if isinstance(event, coterie.DevicesChanged)]
    person = alice.person("bob")
    assert person is not None
    assert person.account == bob.account


async def test_nobody_begins_a_name_anew_without_its_operators_word(village: Village) -> None:
    bob = await village.person("bob")
    code = await code_for(village, "bob")
    with pytest.raises(Refused) as false:
        await anew(village, "bob", "00000000" + code[8:])
    assert false.value.code is Code.SIGN_UP_CLOSED
    await bob.rename_device(bob.device, "kitchen", password=PASSWORD)
    with pytest.raises(Refused) as stale:
        await anew(village, "bob", code)
    assert stale.value.code is Code.STALE_MANIFEST
    for typed in ("no code", "00" * 56, "ff" * 56):
        with pytest.raises(Refused) as none:
            await anew(village, "bob", typed)
        assert none.value.code is Code.USAGE
    with pytest.raises(Refused) as nobody:
        await anew(village, "carol", code)
    assert nobody.value.code is Code.UNKNOWN_PERSON


async def test_a_recovery_key_alone_says_no(village: Village) -> None:
    """Whoever still has it becomes a device, and that manifest cancels the reset."""
    alice, bob = await village.person("alice"), await village.person("bob")
    words = bob.recovery_key
    await acquainted(alice, bob)
    await bob.close()
    heard = Heard(alice)
    new = await anew(village, "bob", await code_for(village, "bob"))
    await heard.until(lambda _: states(heard) == [coterie.ResetState.ANNOUNCED])
    back = await second_of(village, bob, words)
    await new.close()
    await heard.until(lambda _: states(heard)[-1] is coterie.ResetState.CANCELLED)
    assert back.account == bob.account
    await alice.send("@bob", "still you")


async def test_who_deletes_the_account_takes_the_name_along(village: Village) -> None:
    """No word of no is needed first: the end is signed after the reset, and cancels it."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    heard, own = Heard(alice), Heard(bob)
    new = await anew(village, "bob", await code_for(village, "bob"))
    await own.until(lambda _: states(own) == [coterie.ResetState.ANNOUNCED])
    await bob.delete_account(password=PASSWORD)
    await heard.until(lambda events: any(isinstance(event, coterie.AccountDeleted) for event in events))
    assert states(heard) == [coterie.ResetState.ANNOUNCED, coterie.ResetState.CANCELLED]
    with pytest.raises(Refused) as revoked:
        await village.keep(new)
    assert revoked.value.code is Code.REVOKED
    village.clock.pass_days(1.01)
    person = alice.person("bob")
    assert person is not None
    assert (person.account, person.deleted) == (bob.account, True)
    found = audit(LedgerFile.unpack(alice.ledger_file()))
    assert found.fraud is None

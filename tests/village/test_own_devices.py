"""Own devices, managed from one that is signed in: each change is one manifest (rules 2, 8 and 20)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest
import pytest_asyncio

import coterie
from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import ConversationId, DeviceId, SessionId
from coterie.base.signing import IdentityKeys, account_id
from coterie.client.api.account_key import AccountKey, key_of, password_keys
from coterie.client.api.me import Me
from coterie.client.changes import RenameDevice
from coterie.client.core import read_marks
from coterie.client.store.keys import StoreWrapKind, open_database_key, read_key_file
from coterie.client.store.profiles import find_profile
from coterie.client.store.records import DropSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import AccountSecret
from coterie.e2ee.recovery import RecoveryKey
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def second_of(village: Village, me: Me, words: str | None, home: str = "second") -> Me:
    """Another machine of somebody, come in by the recovery key."""
    return await village.keep(
        await coterie.log_in(
            server=village.invite,
            name=me.name,
            password=PASSWORD,
            recovery_key=words,
            home=village.home(home),
            device_name=home,
            clock=village.clock,
        )
    )


def named(me: Me, device: DeviceId) -> coterie.Device:
    return next(each for each in me.devices() if each.id == device)


async def test_a_device_gets_another_name_everywhere(village: Village) -> None:
    alice = await village.person("alice")
    second = await second_of(village, alice, alice.recovery_key)
    await sees(alice, lambda me: len(me.devices()) == 2)
    await alice.rename_device(second.device, "kitchen", password=PASSWORD)
    assert named(alice, second.device).name == "kitchen"
    await sees(second, lambda me: named(me, second.device).name == "kitchen")
    await second.rename_device(second.device, "cellar", password=PASSWORD)
    await sees(alice, lambda me: named(me, second.device).name == "cellar")


def keys_in_memory() -> int:
    """How many private identities this process holds, the server's among them."""
    gc.collect()
    return sum(type(each) is IdentityKeys for each in gc.get_objects())


async def test_the_account_s_keys_are_let_go_after_each_signature(village: Village) -> None:
    """Rule 1: also where the signature came to nothing."""
    alice = await village.person("alice")
    await alice.rename_device(alice.device, "kitchen", password=PASSWORD)
    before = keys_in_memory()
    await alice.rename_device(alice.device, "cellar", password=PASSWORD)
    key = await key_of(alice._store, alice._place, alice.account, PASSWORD, None)
    refusals: list[coterie.Refused] = []
    for device, name in ((DeviceId(bytes(16)), "nobody's"), (alice.device, "é" * 33)):
        try:
            await alice.change_account((RenameDevice(device, name),), key)
        except coterie.Refused as refused:
            refusals.append(refused)
    assert [each.code for each in refusals] == [Code.UNKNOWN_DEVICE, Code.BAD_MANIFEST]
    assert keys_in_memory() == before
    kept = key.secret()
    assert keys_in_memory() == before + 1
    assert account_id(kept.identity.public) == alice.account


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes and tells any number of manifests, and signs a head over each at once."""
    monkeypatch.setattr(limits, "MANIFESTS_PER_DAY", 100_000)
    monkeypatch.setattr(limits, "MANIFEST_TRIES_PER_SECOND", 1000.0)
    monkeypatch.setattr(limits, "FETCHES_PER_SECOND", 10_000.0)
    monkeypatch.setattr(limits, "EPOCH_SECONDS", 0.001)


RACES = 500
"""Of two devices each, so a thousand manifests."""


class Held(AccountKey, frozen=True):
    """The account's keys, opened once for all: to open them takes 0.1 s."""

    opened: AccountSecret

    def secret(self) -> AccountSecret:
        return self.opened


async def held(me: Me) -> Held:
    key = await key_of(me._store, me._place, me.account, PASSWORD, None)
    return Held(key.account, key.vault, key.kind, key.wrap, key.secret())


@pytest.mark.timeout(400)
async def test_two_devices_sign_at_once_a_thousand_times(unhurried: None, village: Village) -> None:
    """One chain, no alarm, nothing stuck: both sign the same number each time, one of them again."""
    alice = await village.person("alice")
    second = await second_of(village, alice, alice.recovery_key)
    await sees(alice, lambda me: len(me.devices()) == 2)
    both, keys = (alice, second), [await held(alice), await held(second)]
    ears = [Heard(me) for me in both]
    for number in range(RACES):
        async with asyncio.TaskGroup() as tasks:
            for me, key in zip(both, keys, strict=True):
                tasks.create_task(me.change_account((RenameDevice(me.device, f"{number}"),), key))
    for me, heard in zip(both, ears, strict=True):
        row = me._store.account(me.account)
        assert row is not None
        assert row.seq == 2 + 2 * RACES
        assert {each.name for each in me.devices()} == {f"{RACES - 1}"}
        assert [each for each in heard.events if isinstance(each, coterie.LinkChanged)] == []
        answers = [each for each in heard.events if isinstance(each, coterie.AccountChangeAnswered)]
        assert len(answers) >= RACES
    lost = [each for heard in ears for each in heard.events if stale(each)]
    assert len(lost) >= RACES


def stale(event: coterie.Event) -> bool:
    return isinstance(event, coterie.AccountChangeAnswered) and event.code is Code.STALE_MANIFEST


@pytest_asyncio.fixture
async def house(village: Village) -> tuple[Me, Me, Me]:
    """Alice at her desk and on her phone, and bob; all know each other."""
    alice, bob = await village.person("alice"), await village.person("bob")
    phone = await second_of(village, alice, alice.recovery_key, "phone")
    await acquainted(alice, bob, phone)
    for me in (alice, bob):
        await sees(me, lambda me: len(me._core.people.rows[alice.account].devices) == 2)
    return alice, phone, bob


async def sees(me: Me, enough: Callable[[Me], bool]) -> None:
    """Wait until somebody's program knows as much."""
    await Heard(me).until(lambda _: enough(me))


async def stopped(me: Me, ears: Heard) -> Code | None:
    """Why somebody's link came to its end."""
    await ears.until(lambda _: me.link is coterie.LinkState.STOPPED)
    return [each for each in ears.events if isinstance(each, coterie.LinkChanged)][-1].code


def keys_for(me: Me, device: DeviceId, text: str) -> bool:
    """Whether a device was given the key of the session that sealed a message."""
    (message,) = me.search(text)
    row = me._store.message(message.order)
    assert row is not None
    assert row.session is not None
    return device in {share.device for share in me._store.shares(SessionId(row.session))}


async def test_a_revoked_device_gets_no_key_and_no_message_and_learns_why(
    village: Village, house: tuple[Me, Me, Me]
) -> None:
    """From the next message on, of both people; its connection is refused, and what it has it can read."""
    alice, phone, bob = house
    at_phone, at_bob = Heard(phone), Heard(bob)
    await alice.send("@bob", "before, alice")
    await bob.send("@alice", "before, bob")
    assert await at_phone.texts(2) == ["before, alice", "before, bob"]
    assert keys_for(alice, phone.device, "before, alice")
    await alice.revoke_device(phone.device, password=PASSWORD)
    assert await stopped(phone, at_phone) is Code.REVOKED
    assert named(alice, phone.device).revoked
    await sees(bob, lambda me: not me._core.people.rows[alice.account].devices[1].live)
    await alice.send("@bob", "after, alice")
    await bob.send("@alice", "after, bob")
    assert await at_bob.texts(2) == ["before, alice", "after, alice"]
    assert not keys_for(alice, phone.device, "after, alice")
    assert not keys_for(bob, phone.device, "after, bob")
    with pytest.raises(coterie.Refused) as refused:
        await phone.send("@bob", "from the phone")
    assert refused.value.code is Code.REVOKED
    await phone.close()
    async with coterie.open(village.home("phone"), password=PASSWORD) as again:
        with pytest.raises(coterie.Refused) as refused:
            await again.wait_live(PATIENCE_SECONDS)
        assert refused.value.code is Code.REVOKED
        assert [each.text for each in again.history(again.resolve("@bob"))] == [
            "before, alice",
            "before, bob",
        ]
    with pytest.raises(coterie.Refused) as refused:
        await alice.rename_device(phone.device, "back", password=PASSWORD)
    assert refused.value.code is Code.UNKNOWN_DEVICE
    with pytest.raises(coterie.Refused) as refused:
        await alice.revoke_device(alice.device, password=PASSWORD)
    assert refused.value.code is Code.USAGE


async def test_a_lost_device_ends_every_session_and_asks_for_other_secrets(
    village: Village, house: tuple[Me, Me, Me]
) -> None:
    """Also those whose key it never had: notes to oneself are sealed for own devices only."""
    alice, phone, bob = house
    await alice.send("@bob", "to bob")
    await alice.send(coterie.EVERYONE, "to all")
    assert not bob.renewal_due
    sessions = {each: alice._store.group_out(each) for each in (alice.everyone, alice.resolve("@bob"))}
    assert None not in sessions.values()
    await alice.lose_device(phone.device, password=PASSWORD)
    assert [alice._store.group_out(each) for each in sessions] == [None, None]
    assert alice.renewal_due
    await alice.lose_device(phone.device, password=PASSWORD)
    assert alice.devices()[1].revoked
    await alice.close()
    again = await village.back("alice")
    assert again.renewal_due


async def test_a_device_that_was_not_mine_is_denied(village: Village, house: tuple[Me, Me, Me]) -> None:
    """The question is gone, the device too; only what is asked about can be denied."""
    alice, phone, _ = house
    await sees(alice, lambda me: len(me.questions()) == 1)
    (asked,) = alice.questions()
    assert (asked.id, asked.marked) == (phone.device, True)
    with pytest.raises(coterie.Refused) as refused:
        await alice.deny_device(alice.device, password=PASSWORD)
    assert refused.value.code is Code.UNKNOWN_DEVICE
    with pytest.raises(coterie.Refused) as refused:
        await alice.deny_device(phone.device, password="not the password")
    assert refused.value.code is Code.WRONG_CREDENTIALS
    ears = Heard(phone)
    await alice.deny_device(phone.device, password=PASSWORD)
    assert await stopped(phone, ears) is Code.REVOKED
    assert alice.questions() == ()
    assert alice.renewal_due


async def test_only_an_unmarked_device_ends_a_mark(village: Village, house: tuple[Me, Me, Me]) -> None:
    alice, phone, bob = house
    with pytest.raises(coterie.Refused) as refused:
        await phone.unmark_device(phone.device, password=PASSWORD)
    assert refused.value.code is Code.BAD_MANIFEST
    await alice.unmark_device(phone.device, password=PASSWORD)
    assert not named(alice, phone.device).marked
    assert named(alice, phone.device).approved_by_recovery
    await sees(bob, lambda me: not me._core.people.rows[alice.account].devices[1].marked)


async def test_who_stole_a_store_needs_a_password_or_the_recovery_key(
    village: Village, house: tuple[Me, Me, Me]
) -> None:
    """Attack: the thief has the phone's folder, open as it was, and with it the database's key; what it holds
    opens the account's private keys by nothing but a password or the recovery key."""
    alice, phone, _ = house
    for wrong in ("", "hunter2 hunter2", PASSWORD.upper()):
        with pytest.raises(coterie.Refused) as refused:
            await phone.revoke_device(alice.device, password=wrong)
        assert refused.value.code in (Code.WRONG_CREDENTIALS, Code.EMPTY)
    with pytest.raises(coterie.Refused) as refused:
        await phone.rename_device(phone.device, "mine", recovery_key=RecoveryKey.generate().words())
    assert refused.value.code is Code.WRONG_CREDENTIALS
    with pytest.raises(coterie.Refused) as refused:
        await phone.rename_device(phone.device, "mine", recovery_key="no such words")
    assert refused.value.code is Code.WRONG_CREDENTIALS
    assert [each.revoked for each in alice.devices()] == [False, False]
    private = (await held(alice)).opened.identity.pack()
    assert alice.recovery_key is not None
    secrets = [private[start : start + 24] for start in range(0, len(private) - 24, 24)]
    await phone.close()
    place, file = (
        find_profile(village.home("phone"), None),
        read_key_file(find_profile(village.home("phone"), None)),
    )
    store = ClientStore.open(
        place, open_database_key(file, StoreWrapKind.PASSWORD, password_keys(file, PASSWORD).store)
    )
    try:
        rows = [bytes(value) for value in settings_of(store)]
    finally:
        store.close()
    assert rows
    assert not any(secret in row for row in rows for secret in secrets)


def settings_of(store: ClientStore) -> list[bytes]:
    """Every single value that a profile holds."""
    found = (store.setting(each) for each in Setting)
    return [each for each in found if each is not None]


async def test_a_device_without_the_account_s_keys_needs_the_recovery_key(
    village: Village, house: tuple[Me, Me, Me]
) -> None:
    alice, phone, _ = house
    phone._store.begin()
    phone._store.apply((DropSetting(Setting.OWN_SECRET),))
    phone._store.commit()
    with pytest.raises(coterie.Refused) as refused:
        await phone.rename_device(phone.device, "pocket", password=PASSWORD)
    assert refused.value.code is Code.NEEDS_RECOVERY_KEY
    await phone.rename_device(phone.device, "pocket", recovery_key=alice.recovery_key)
    assert named(phone, phone.device).name == "pocket"
    for name, code in ((" ", Code.EMPTY), ("x" * 65, Code.TOO_LARGE)):
        with pytest.raises(coterie.Refused) as refused:
            await phone.rename_device(phone.device, name, password=PASSWORD)
        assert refused.value.code is code


async def test_what_is_read_on_one_device_is_read_on_the_other(
    village: Village, house: tuple[Me, Me, Me], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In both directions, and for one that was away meanwhile."""
    monkeypatch.setattr(read_marks, "PAUSE_MS", 50)
    monkeypatch.setattr(read_marks, "JITTER_MS", 1)
    alice, phone, bob = house
    await alice.send("@bob", "first word")
    for text in ("one", "two"):
        await bob.send("@alice", text)
    talk = alice.resolve("@bob")
    for me in (alice, phone):
        await sees(me, lambda me: unread(me, talk) == 2)
    await alice.mark_read(talk, alice.history(talk)[-1].order)
    await sees(phone, lambda me: unread(me, talk) == 0)
    await phone.close()
    await bob.send("@alice", "three")
    await sees(alice, lambda me: unread(me, talk) == 1)
    await alice.mark_read(talk, alice.history(talk)[-1].order)
    again = await village.back("phone")
    await sees(again, lambda me: unread(me, talk) == 0)
    assert [each.text for each in again.history(talk)][-1] == "three"
    await bob.send("@alice", "four")
    for me in (alice, again):
        await sees(me, lambda me: unread(me, talk) == 1)
    await again.mark_read(talk, again.history(talk)[-1].order)
    await sees(alice, lambda me: unread(me, talk) == 0)


def unread(me: Me, talk: ConversationId) -> int:
    found = me.conversation(talk)
    return found.unread if found else -1


async def test_whom_one_has_verified_counts_on_every_own_device(village: Village) -> None:
    """Once the person has said that a device is theirs; and so does taking it back."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    second = await second_of(village, alice, alice.recovery_key)
    await sees(alice, lambda me: len(me.questions()) == 1)
    await alice.confirm_device(second.device)
    await alice.mark_verified("bob")
    await alice.send("@bob", "so that there are sessions")

    def verified(me: Me) -> bool:
        person = me.person("bob")
        return person is not None and person.verified

    await sees(second, verified)
    await second.unverify("bob")
    assert not verified(second)
    await sees(alice, lambda me: not verified(me))

"""A client may die anywhere: what was typed arrives once and in order all the same, and nobody gets stuck.

Each scenario is played once for each of its crash points (deaths.py), all of them: in the first run somebody
dies at the first point that is met, in the next at the second, until a run meets no more. After each, people
go on where they were, and everything has to be as if nobody had died.
"""

from __future__ import annotations

import shutil
from itertools import count
from pathlib import Path

import apsw
import pytest

import coterie
from coterie.base.codes import Code
from coterie.client.api.account_key import password_keys
from coterie.client.api.me import Me
from coterie.client.store.keys import StoreWrapKind, open_database_key, read_key_file
from tests.village.all_well import EVERYONE, Talk
from tests.village.conftest import PASSWORD
from tests.village.dying import Prepared, Scenario, at_all_points, dying_again, known_to_each_other, prepared
from tests.village.hamlet import PATIENCE_SECONDS, Hamlet, Person


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Bob, before anybody else is there."""

    async def play(talk: Talk) -> None:
        await talk.hamlet.signs_up("bob")
        await talk.heard()

    return prepared(tmp_path_factory.mktemp("alone") / "v", play)


@pytest.fixture(scope="module")
def acquainted(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Alice and bob know each other; nobody has said anything."""

    async def play(talk: Talk) -> None:
        await talk.hamlet.signs_up("alice")
        await talk.hamlet.signs_up("bob")
        await known_to_each_other(talk.hamlet)

    return prepared(tmp_path_factory.mktemp("acquainted") / "v", play)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Alice at her desk and on her phone, and bob; all have spoken."""

    async def play(talk: Talk) -> None:
        alice = await talk.hamlet.signs_up("alice")
        await talk.hamlet.signs_up("bob")
        phone = await talk.hamlet.logs_in("phone", "alice", alice.me.recovery_key or "")
        await known_to_each_other(talk.hamlet)
        device = phone.me.device
        await talk.hamlet.until(lambda: [] if alice.me.questions() else ["nobody asks"])
        await alice.does(lambda me: me.confirm_device(device))
        await talk.says(alice, "@bob", "hello bob")
        await talk.heard()
        await talk.says(talk.hamlet.people["bob"], "@alice", "hello alice")
        await talk.heard()

    return prepared(tmp_path_factory.mktemp("house") / "v", play)


@pytest.fixture(scope="module")
def waited(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Alice is away, and bob has written to her meanwhile."""

    async def play(talk: Talk) -> None:
        alice, bob = [await talk.hamlet.signs_up(name) for name in ("alice", "bob")]
        await known_to_each_other(talk.hamlet)
        await alice.leaves()
        await talk.says(bob, "@alice", "first")
        await talk.says(bob, EVERYONE, "to all")
        await talk.says(bob, "@alice", "second")
        await talk.hamlet.until(lambda: ["not sent"] if bob.me._store.outbox_conversations() else [])

    return prepared(tmp_path_factory.mktemp("waited") / "v", play)


@pytest.mark.slow
def test_a_first_start(alone: Prepared, tmp_path: Path) -> None:
    """Sign-up, where nobody may be told that their own name is taken, and the first key upload."""

    async def play(talk: Talk) -> None:
        alice = await talk.hamlet.signs_up("alice")
        await known_to_each_other(talk.hamlet)
        await talk.says(alice, "@bob", "I am new here")

    assert at_all_points(Scenario(alone, play), tmp_path) > 40


@pytest.mark.slow
def test_a_first_message(acquainted: Prepared, tmp_path: Path) -> None:
    """Claim, share, send; open, store, acknowledge."""

    assert at_all_points(Scenario(acquainted, first_message), tmp_path) >= 15


async def first_message(talk: Talk) -> None:
    await talk.says(talk.hamlet.people["alice"], "@bob", "the first one")


@pytest.mark.slow
def test_who_dies_twice_over_a_first_message(acquainted: Prepared, tmp_path: Path) -> None:
    """At every moment, and then at every fifth one of those in which the same person goes on."""
    runs = 0
    for first in count(1):
        met = dying_again(Scenario(acquainted, first_message), tmp_path, first)
        if not met:
            break
        runs += met
    print(f"{runs} runs")
    assert runs > 50


@pytest.mark.slow
def test_answers_in_turn(acquainted: Prepared, tmp_path: Path) -> None:
    """Receipts out and in, a change of speaker, and what was read."""

    async def play(talk: Talk) -> None:
        alice, bob = (talk.hamlet.people[name] for name in ("alice", "bob"))
        await talk.says(alice, "@bob", "one")
        await talk.says(alice, "@bob", "two")
        await talk.says(bob, "@alice", "three")
        await talk.heard()
        await talk.reads(bob, "@alice")
        await talk.says(alice, "@bob", "four")

    assert at_all_points(Scenario(acquainted, play), tmp_path) > 40


@pytest.mark.slow
def test_everyone_on_several_devices(house: Prepared, tmp_path: Path) -> None:
    async def play(talk: Talk) -> None:
        people = talk.hamlet.people
        await talk.says(people["bob"], EVERYONE, "to three")
        await talk.says(people["phone"], "@bob", "from the phone")
        await talk.heard()
        await talk.reads(people["phone"], EVERYONE)

    assert at_all_points(Scenario(house, play), tmp_path) > 40


@pytest.mark.slow
def test_another_device(acquainted: Prepared, tmp_path: Path) -> None:
    """It comes in by the recovery key; nothing of a try that died is left in the account."""

    async def play(talk: Talk) -> None:
        alice = talk.hamlet.people["alice"]
        words = alice.me.recovery_key or ""
        phone = await talk.hamlet.logs_in("phone", "alice", words)
        await talk.hamlet.until(lambda: _not_two_devices(phone))

    assert at_all_points(Scenario(acquainted, play), tmp_path) > 40


def _not_two_devices(second: Person) -> list[str]:
    """Who does not know that this is the other one of its account's two devices."""
    found = []
    for person in second.hamlet.there:
        row = person.me._core.people.rows.get(second.me.account)
        devices = {each.device for each in row.devices if each.live} if row is not None else set()
        if len(devices) != 2 or second.me.device not in devices:
            found.append(f"{person.name} knows {len(devices)} devices")
    return found


@pytest.mark.slow
def test_a_device_is_revoked(house: Prepared, tmp_path: Path) -> None:
    async def play(talk: Talk) -> None:
        alice, phone = talk.hamlet.people["alice"], talk.hamlet.people["phone"]
        device = phone.me.device
        phone.away = True
        talk.forget(phone)

        def revoked(me: Me) -> bool:
            return next(each for each in me.devices() if each.id == device).revoked

        await alice.does(lambda me: me.revoke_device(device, password=PASSWORD), revoked)
        await talk.hamlet.until(lambda: [] if revoked(alice.me) else ["it is not revoked"])

    assert at_all_points(Scenario(house, play), tmp_path) > 25


@pytest.mark.slow
def test_another_password(acquainted: Prepared, tmp_path: Path) -> None:
    """Whenever somebody dies over it, the old one or the new one opens the profile; the new one in the end,
    and only that."""
    new = "harbour-lantern-wool-31"

    async def change(me: Me) -> None:
        await me.wait_live(PATIENCE_SECONDS)
        await me._wait(me._doors_settled, PATIENCE_SECONDS)
        if not opens(me, new):
            await me.change_password(PASSWORD, new)

    async def play(talk: Talk) -> None:
        alice = talk.hamlet.people["alice"]
        alice.passwords = (new, PASSWORD)
        await alice.does(change, lambda me: opens(me, new) and not opens(me, PASSWORD))
        await talk.heard()
        assert opens(alice.me, new)
        assert not opens(alice.me, PASSWORD)
        for word, code in ((PASSWORD, Code.WRONG_CREDENTIALS), (new, Code.NEEDS_RECOVERY_KEY)):
            assert await refused_at_the_door(talk.hamlet, "alice", word) is code

    assert at_all_points(Scenario(acquainted, play), tmp_path) >= 20


async def refused_at_the_door(hamlet: Hamlet, name: str, word: str) -> Code:
    """Why a password alone, typed on a new machine, does not do."""
    with pytest.raises(coterie.Refused) as refused:
        await coterie.log_in(
            server=hamlet.invite, name=name, password=word, home=hamlet.folder / "door", clock=hamlet.clock
        )
    return refused.value.code


def opens(me: Me, word: str) -> bool:
    """Whether a password opens a profile."""
    file = read_key_file(me._place)
    try:
        open_database_key(file, StoreWrapKind.PASSWORD, password_keys(file, word).store)
    except coterie.Refused:
        return False
    return True


@pytest.mark.slow
def test_a_copy_becomes_a_device_of_its_own(acquainted: Prepared, tmp_path: Path) -> None:
    """It is started beside the original, which goes on."""

    async def play(talk: Talk) -> None:
        hamlet = talk.hamlet
        alice, copy = hamlet.people["alice"], hamlet.person("copy", "alice")
        shutil.copytree(alice.lives[0].home, copy.home)
        await copy.is_up()
        await hamlet.until(lambda: _not_two_devices(copy))

    assert at_all_points(Scenario(acquainted, play), tmp_path) >= 20


@pytest.mark.slow
def test_what_came_while_nobody_was_there(waited: Prepared, tmp_path: Path) -> None:
    """A start with a backlog: first messages of two people, answered at once."""

    async def play(talk: Talk) -> None:
        await talk.says(talk.hamlet.people["alice"], "@bob", "I was away")

    assert at_all_points(Scenario(waited, play, awake=False), tmp_path) > 30


@pytest.mark.slow
def test_verified_on_all_devices(house: Prepared, tmp_path: Path) -> None:
    async def play(talk: Talk) -> None:
        alice, phone = talk.hamlet.people["alice"], talk.hamlet.people["phone"]
        await alice.does(lambda me: me.mark_verified("bob"), _bob_is_verified)
        await talk.hamlet.until(
            lambda: [each.name for each in (alice, phone) if not _bob_is_verified(each.me)]
        )

    assert at_all_points(Scenario(house, play), tmp_path) > 15


def _bob_is_verified(me: Me) -> bool:
    bob = me.person("bob")
    return bob is not None and bob.verified


@pytest.fixture(scope="module")
def used_up(acquainted: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The server has given out most one-time keys of both."""
    folder = tmp_path_factory.mktemp("used") / "v"
    shutil.copytree(acquainted.folder, folder)
    database = apsw.Connection(str(folder / "server" / "server.db"))
    database.execute("DELETE FROM one_time_keys WHERE id > 10")
    database.close()
    return Prepared(folder, acquainted.people, acquainted.said)


@pytest.mark.slow
@pytest.mark.parametrize("days", [8, 27.5])
def test_a_start_at_which_keys_are_renewed(used_up: Prepared, tmp_path: Path, days: float) -> None:
    """After a week, and after so long that the device is nearly dormant; one-time keys are used up too."""

    async def play(talk: Talk) -> None:
        pass

    assert at_all_points(Scenario(used_up, play, later_days=days, awake=False), tmp_path) > 40

"""Profiles of a home: making, finding, removing."""

from __future__ import annotations

import stat
import unicodedata
from pathlib import Path

import platformdirs
import pytest

from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import AccountId, UserName
from coterie.client.store.profiles import (
    HOME_VARIABLE,
    ProfilePlace,
    default_home,
    find_profile,
    new_profile,
    profiles,
    remove_profile,
    require_new,
)
from tests.client.store.places import write_sample_keys

SERVER = AccountId(bytes.fromhex("0123456789abcdef" * 4))
OTHER = AccountId(b"\xff" * 32)


def made(home: Path, name: str, server: AccountId = SERVER) -> ProfilePlace:
    place = new_profile(home, UserName(name), server)
    write_sample_keys(place)
    return place


def test_the_home_is_the_platforms_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    assert default_home() == platformdirs.user_data_path("coterie", appauthor=False)
    monkeypatch.setenv(HOME_VARIABLE, str(Path("some") / "where"))
    assert default_home() == Path("some") / "where"


def test_a_new_profile(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    place = new_profile(home, UserName("alice"), SERVER)
    assert place == ProfilePlace(home / "profiles" / "alice@01234567", "alice")
    for folder in (home, place.folder.parent, place.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert profiles(home) == ()
    write_sample_keys(place)
    assert profiles(home) == (place,)


def test_folders_that_others_may_read_are_closed(tmp_path: Path) -> None:
    folder = tmp_path / "profiles" / "alice@01234567"
    folder.mkdir(parents=True, mode=0o755)
    new_profile(tmp_path, UserName("alice"), SERVER)
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_a_profile_is_not_made_twice(tmp_path: Path) -> None:
    place = new_profile(tmp_path, UserName("alice"), SERVER)
    assert new_profile(tmp_path, UserName("alice"), SERVER) == place
    require_new(place)
    write_sample_keys(place)
    with pytest.raises(Refused) as raised:
        new_profile(tmp_path, UserName("alice"), SERVER)
    assert raised.value.code is Code.PROFILE_EXISTS
    with pytest.raises(Refused):
        require_new(place)
    assert new_profile(tmp_path, UserName("alice"), OTHER).folder.name == "alice@ffffffff"


def test_the_only_profile_needs_no_name(tmp_path: Path) -> None:
    with pytest.raises(Refused) as raised:
        find_profile(tmp_path, None)
    assert raised.value.code is Code.NO_PROFILE
    alice = made(tmp_path, "alice")
    assert find_profile(tmp_path, None) == alice
    made(tmp_path, "bob")
    with pytest.raises(Refused) as raised:
        find_profile(tmp_path, None)
    assert raised.value.code is Code.USAGE
    assert "several" in raised.value.note


def test_a_profile_by_its_name(tmp_path: Path) -> None:
    alice, twin, bob = made(tmp_path, "alice"), made(tmp_path, "alice", OTHER), made(tmp_path, "bob.b")
    assert profiles(tmp_path) == (alice, twin, bob)
    assert find_profile(tmp_path, "bob.b") == bob
    assert find_profile(tmp_path, "alice@01234567") == alice
    assert find_profile(tmp_path, "alice@ffffffff") == twin
    with pytest.raises(Refused) as raised:
        find_profile(tmp_path, "alice")
    assert raised.value.code is Code.USAGE
    for wanted in ("bob", "", "alice@", "..", "carol", "alice@0123456"):
        with pytest.raises(Refused) as raised:
            find_profile(tmp_path, wanted)
        assert raised.value.code is Code.NO_PROFILE


def test_accents_may_be_written_either_way(tmp_path: Path) -> None:
    rene = made(tmp_path, "rené")
    apart = unicodedata.normalize("NFD", "rené")
    assert apart != "rené"
    assert find_profile(tmp_path, apart) == rene
    other = tmp_path / "elsewhere" / "profiles" / f"{apart}@01234567"
    other.mkdir(parents=True)
    write_sample_keys(ProfilePlace(other, "rené"))
    assert find_profile(tmp_path / "elsewhere", "rené").folder == other


def test_a_removed_profile_leaves_nothing(tmp_path: Path) -> None:
    alice, bob = made(tmp_path, "alice"), made(tmp_path, "bob")
    remove_profile(alice)
    remove_profile(alice)
    assert not alice.folder.exists()
    assert profiles(tmp_path) == (bob,)


def test_a_home_that_cannot_be_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file")
    for attempt in (lambda: profiles(home), lambda: new_profile(home, UserName("alice"), SERVER)):
        with pytest.raises(Unavailable) as raised:
            attempt()
        assert raised.value.code is Code.DISK
        assert "ENOTDIR" in raised.value.note or "EEXIST" in raised.value.note

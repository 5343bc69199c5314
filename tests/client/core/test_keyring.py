"""Live ratchets: what is dropped from memory comes back from its pickle as the same one."""

from __future__ import annotations

import secrets

import pytest

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId, ConversationId, DeviceId, SessionId
from coterie.client.core import keyring as module
from coterie.client.core.keyring import Keyring
from coterie.client.store.records import GroupInRow, GroupOutRow, OwnXWing, PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.hybrid import XWingKey
from coterie.e2ee.vodo import DeviceKeys, GroupIn, GroupOut

ACCOUNT, DEVICE = AccountId(b"a" * 32), DeviceId(b"d" * 16)
CONVERSATION = ConversationId(b"c" * 16)


def with_root(store: ClientStore) -> Keyring:
    store.begin()
    store.apply((PutSetting(Setting.PICKLE_ROOT, secrets.token_bytes(32)),))
    store.commit()
    return Keyring(store)


def test_a_profile_without_its_root_says_that_it_is_damaged(store: ClientStore) -> None:
    with pytest.raises(Unavailable, match="root") as caught:
        Keyring(store)
    assert caught.value.code is Code.DISK


def test_a_profile_without_device_keys_says_that_it_is_damaged(store: ClientStore) -> None:
    keyring = with_root(store)
    with pytest.raises(Unavailable, match="device keys") as caught:
        _ = keyring.device
    assert caught.value.code is Code.DISK


def test_a_sending_session_that_had_to_go_goes_on_where_its_pickle_stands(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIVE_SESSIONS", 1)
    keyring = with_root(store)
    first, second = GroupOut.create(), GroupOut.create()
    keyring.hold_group_out(first)
    row = GroupOutRow(CONVERSATION, first.id, keyring.group_out_pickle(first), b"", 0, 0, 0)
    assert keyring.group_out(row) is first
    keyring.hold_group_out(second)
    again = keyring.group_out(row)
    assert again is not first
    assert (again.id, again.index, again.session_key()) == (first.id, first.index, first.session_key())
    assert keyring.group_out(row) is again
    assert len(keyring._out) == len(keyring._pickle_keys) == 1


def test_a_session_of_two_devices_that_had_to_go_comes_back(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIVE_SESSIONS", 1)
    keyring = with_root(store)
    mine, theirs = DeviceKeys.create(), DeviceKeys.create()
    one, two = (mine.start(theirs.curve25519, key) for key in theirs.new_one_time_keys(2))
    rows = [keyring.olm_record(each, ACCOUNT, DEVICE, 0) for each in (one, two)]
    keyring.hold_olm(one)
    assert keyring.olm(rows[0]) is one
    assert keyring.olm(rows[1]).id == two.id
    again = keyring.olm(rows[0])
    assert again is not one
    assert again.id == one.id
    assert len(keyring._olm) == 1


def test_a_receiving_session_that_had_to_go_comes_back(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIVE_SESSIONS", 1)
    keyring = with_root(store)
    rows, live = [], []
    for _ in range(2):
        out = GroupOut.create()
        session = GroupIn.from_session_key(out.session_key())
        pickle = keyring.group_in_pickle(CONVERSATION, DEVICE, session)
        rows.append(
            GroupInRow(CONVERSATION, ACCOUNT, DEVICE, SessionId(session.id), pickle, 0, b"", 0, b"", 0)
        )
        live.append(keyring.group_in(rows[-1]))
    assert keyring.group_in(rows[1]) is live[1]
    again = keyring.group_in(rows[0])
    assert again is not live[0]
    assert again.id == live[0].id
    assert len(keyring._in) == 1


def test_a_fresh_key_is_ready_for_the_device_that_was_given_it(
    store: ClientStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = with_root(store)
    key, other = XWingKey.generate(), DeviceId(b"e" * 16)
    keyring.hold_fresh_key(DEVICE, 7, key)
    assert (keyring.fresh_key(DEVICE, 7), keyring.fresh_key(DEVICE, 8)) == (key, None)
    assert keyring.fresh_key(other, 7) is None
    monkeypatch.setattr(module, "FRESH_KEYS", 1)
    keyring.hold_fresh_key(other, 7, key)
    assert (keyring.fresh_key(DEVICE, 7), keyring.fresh_key(other, 7)) == (None, key)
    keyring.forget()
    assert keyring.fresh_key(other, 7) is None


def test_the_signed_prekey_used_last_is_ready(store: ClientStore) -> None:
    keyring = with_root(store)
    first, second = (OwnXWing(id, XWingKey.generate().private, 0, 0) for id in (1, 2))
    ready = keyring.x_wing(first)
    assert ready.private == first.private
    assert keyring.x_wing(first) is ready
    assert keyring.x_wing(second).private == second.private
    assert keyring.x_wing(first) is not ready
    again = keyring.x_wing(first)
    keyring.forget()
    assert keyring.x_wing(first) is not again

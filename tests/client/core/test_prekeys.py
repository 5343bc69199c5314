"""Making, renewing and confirming this device's own prekeys (encryption rule 3)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from coterie.base import limits
from coterie.base.clock import FakeClock
from coterie.base.ids import AccountId, LedgerId, UserName
from coterie.client.api.enrolment import NewDevice
from coterie.client.core.keyring import Keyring
from coterie.client.core.prekeys import Prekeys
from coterie.client.core.profile import Profile
from coterie.client.core.requests import PrekeysGiven, Requests
from coterie.client.outcome import Outcome
from coterie.client.store.records import DropSetting, OwnXWing, PutSetting, Record, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.manifest import Prekey, PrekeyKind, SignedPrekey
from coterie.wire.frames import PublishPrekeys

ACCOUNT = AccountId(b"a" * 32)
START_MS = 1_800_000_000_000
DAY = limits.DAY_MS


class Maker:
    """The prekeys of one device, and the server's side of them."""

    def __init__(self, store: ClientStore, lacking: type[Record] | None = None) -> None:
        self.store = store
        device = NewDevice(ACCOUNT, "here", FakeClock(START_MS))
        self.given_first = device.prekeys
        store.begin()
        store.apply(tuple(each for each in device.records if type(each) is not lacking))
        store.commit()
        profile = Profile(
            name=UserName("alice"),
            account=ACCOUNT,
            device=device.id,
            device_name="here",
            host="127.0.0.1",
            port=1,
            server=AccountId(bytes(32)),
            founding_ledger=LedgerId(bytes(16)),
            ledger=LedgerId(bytes(16)),
            ledger_key=b"",
        )
        self.keyring = Keyring(store)
        self.prekeys = Prekeys(store, self.keyring, profile, Requests())

    def do(self, *outcomes: Outcome) -> list[tuple[bytes, ...]]:
        """Commit; the keys of each frame that is to be sent."""
        sent = []
        for outcome in outcomes:
            self.store.begin()
            self.store.apply(outcome.save)
            self.store.commit()
            for frame in outcome.send:
                assert isinstance(frame, PublishPrekeys)
                sent.append(frame.prekeys)
        return sent

    def connected(self, now_ms: int, left: int = 50) -> list[tuple[bytes, ...]]:
        sent = []
        for outcome in self.prekeys.connected(left, now_ms):
            sent += self.do(outcome)
        return sent

    def drained(self, now_ms: int) -> list[tuple[bytes, ...]]:
        return self.do(self.prekeys.drained(now_ms))

    def accepted(self, sent: Iterable[tuple[bytes, ...]]) -> None:
        for keys in sent:
            self.do(self.prekeys.accepted(PrekeysGiven(keys)))


def kinds(sent: Iterable[tuple[bytes, ...]]) -> list[list[PrekeyKind]]:
    return [[PrekeyKind(SignedPrekey.unpack(key).prekey.kind) for key in keys] for keys in sent]


@pytest.fixture
def maker(store: ClientStore) -> Maker:
    return Maker(store)


def test_nothing_is_made_anew_before_its_time(maker: Maker) -> None:
    assert maker.connected(START_MS + 6 * DAY) == []
    assert maker.drained(START_MS + 7 * DAY - 1) == []


def test_the_x_wing_key_is_renewed_every_week_and_the_fallback_every_month(maker: Maker) -> None:
    weeks = []
    for week in range(1, 6):
        maker.connected(START_MS + week * 7 * DAY)
        sent = maker.drained(START_MS + week * 7 * DAY)
        maker.accepted(sent)
        weeks.append(kinds(sent))
    x_wing = [[PrekeyKind.X_WING]]
    assert weeks == [x_wing, x_wing, x_wing, x_wing, [[PrekeyKind.X_WING, PrekeyKind.FALLBACK]]]


def test_one_that_stays_connected_looks_every_day(maker: Maker) -> None:
    wakes = []
    for step in (maker.connected, maker.drained):
        step(START_MS)
        wakes.append(maker.prekeys.wake_at_ms)
    assert wakes == [None, START_MS + DAY]
    assert maker.do(maker.prekeys.tick(START_MS + DAY - 1)) == []
    made = [day for day in range(1, 16) if maker.do(maker.prekeys.tick(START_MS + day * DAY))]
    assert made == [7, 14]


def test_nothing_is_renewed_before_what_waited_is_opened(maker: Maker) -> None:
    assert maker.connected(START_MS + 10 * DAY) == []
    assert maker.do(maker.prekeys.due(START_MS + 10 * DAY)) == []
    maker.prekeys.disconnected()
    assert maker.do(maker.prekeys.tick(START_MS + 20 * DAY)) == []


def test_a_key_that_is_overdue_by_a_week_is_renewed_before_anything_has_come(maker: Maker) -> None:
    assert kinds(maker.connected(START_MS + 14 * DAY - 1)) == []
    assert kinds(maker.connected(START_MS + 14 * DAY)) == [[PrekeyKind.X_WING]]


def test_a_dormant_device_publishes_before_anything_else(maker: Maker) -> None:
    assert kinds(maker.connected(START_MS + 29 * DAY)) == [[PrekeyKind.X_WING]]


def test_a_private_half_goes_thirty_days_after_its_replacement(maker: Maker) -> None:
    first = maker.store.current_x_wing()
    assert first is not None
    replaced_ms = START_MS + 8 * DAY
    maker.drained(replaced_ms)
    maker.drained(replaced_ms + 30 * DAY - 1)
    assert maker.store.own_x_wing(first.id) is not None
    maker.prekeys.disconnected()
    maker.do(maker.prekeys.due(replaced_ms + 40 * DAY))
    assert maker.store.own_x_wing(first.id) is not None, "its mailbox was not drained"
    maker.drained(replaced_ms + 30 * DAY)
    assert maker.store.own_x_wing(first.id) is None


def test_what_the_server_did_not_confirm_is_given_again_as_it_was(maker: Maker) -> None:
    (sent,) = maker.drained(START_MS + 8 * DAY)
    assert maker.connected(START_MS + 9 * DAY) == [sent]
    maker.accepted([sent])
    assert maker.connected(START_MS + 9 * DAY) == []


def test_what_it_would_no_longer_take_is_not_given_again(maker: Maker) -> None:
    maker.drained(START_MS + 8 * DAY)
    again = maker.connected(START_MS + 39 * DAY)
    assert kinds(again) == [[PrekeyKind.X_WING]]
    created = {SignedPrekey.unpack(key).prekey.created_ms for keys in again for key in keys}
    assert created == {START_MS + 39 * DAY}


def test_a_refusal_ends_it(maker: Maker) -> None:
    (sent,) = maker.drained(START_MS + 8 * DAY)
    maker.do(maker.prekeys.refused(PrekeysGiven(sent)))
    assert maker.connected(START_MS + 9 * DAY) == []


def test_one_time_keys_are_topped_up_now_and_then(maker: Maker) -> None:
    now_ms = START_MS + limits.TOP_UP_EVERY_MS
    assert maker.do(maker.prekeys.top_up(25, now_ms)) == []
    (sent,) = maker.do(maker.prekeys.top_up(24, now_ms))
    assert kinds([sent]) == [[PrekeyKind.ONE_TIME] * 26]
    assert maker.do(maker.prekeys.top_up(0, now_ms + 1)) == [], "whoever claims them all gets no more"
    (sent,) = maker.do(maker.prekeys.top_up(0, now_ms + limits.TOP_UP_EVERY_MS))
    assert len(sent) == limits.ONE_TIME_KEYS


def test_keys_from_the_future_are_replaced(maker: Maker) -> None:
    """The clock was wrong when they were made."""
    early_ms = START_MS - 2 * limits.HOUR_MS
    assert kinds(maker.drained(early_ms)) == [[PrekeyKind.X_WING, PrekeyKind.FALLBACK]]


def test_a_profile_without_times_renews_at_once(maker: Maker) -> None:
    maker.store.begin()
    maker.store.apply((DropSetting(Setting.FALLBACK_MADE_MS),))
    maker.store.commit()
    assert kinds(maker.drained(START_MS)) == [[PrekeyKind.FALLBACK]]


def test_a_device_without_an_x_wing_key_makes_one_when_it_connects(store: ClientStore) -> None:
    maker = Maker(store, lacking=OwnXWing)
    assert store.current_x_wing() is None
    assert kinds(maker.connected(START_MS)) == [[PrekeyKind.X_WING]]
    kept = store.current_x_wing()
    assert kept is not None
    assert kept.created_ms == START_MS


def test_a_device_knows_that_it_may_count_as_dormant(maker: Maker) -> None:
    """A day early, and before it renews anything."""
    assert not maker.prekeys.dormant(START_MS + 29 * DAY - 1)
    assert maker.prekeys.dormant(START_MS + 29 * DAY)
    maker.accepted(maker.connected(START_MS + 29 * DAY))
    assert not maker.prekeys.dormant(START_MS + 29 * DAY)


def test_a_key_that_the_server_did_not_confirm_keeps_no_device_awake(maker: Maker) -> None:
    """Others may still go by the one before it."""
    sent = maker.drained(START_MS + 8 * DAY)
    assert maker.prekeys.dormant(START_MS + 30 * DAY)
    maker.accepted(sent)
    assert not maker.prekeys.dormant(START_MS + 30 * DAY)


def test_a_device_without_a_confirmed_key_may_count_as_dormant(store: ClientStore) -> None:
    assert Maker(store, lacking=OwnXWing).prekeys.dormant(START_MS)


@pytest.mark.parametrize("days", [31, 59, 61])
def test_a_fallback_key_counts_as_made_when_it_is_given_at_last(maker: Maker, days: int) -> None:
    """Two are held: the one that the server still hands out may not go while it does, nor for thirty days
    after."""
    (sent,) = maker.drained(START_MS + 30 * DAY)
    (lost,) = [each for each in map(SignedPrekey.unpack, sent) if each.prekey.kind is PrekeyKind.FALLBACK]
    again = maker.connected(START_MS + days * DAY)
    keys = [SignedPrekey.unpack(key).prekey for frame in again for key in frame]
    (given,) = [key for key in keys if key.kind is PrekeyKind.FALLBACK]
    assert (given.key, given.created_ms) == (lost.prekey.key, START_MS + days * DAY)
    assert given.id > lost.prekey.id
    assert len({key.id for key in keys}) == len(keys)
    maker.accepted(again)
    made = []
    for day in range(days, days + 31):
        sent_then = maker.drained(START_MS + day * DAY)
        maker.accepted(sent_then)
        made += [day for frame in kinds(sent_then) if PrekeyKind.FALLBACK in frame]
    assert made == [days + 30]


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_restored_server_gets_the_newest_fallback_key_once_more(maker: Maker, *, confirmed: bool) -> None:
    """Its copy may have the one before, which somebody is handed until this device is back: a third one would
    push that out."""
    device = maker.prekeys._keyring.device
    (standing,) = fallbacks([maker.given_first])
    renewed = maker.drained(START_MS + 30 * DAY)
    (newest,) = fallbacks(renewed)
    if confirmed:
        maker.accepted(renewed)
    maker.do(Outcome(save=(PutSetting(Setting.PREKEYS_DUE, b"1"),)))
    again = maker.connected(START_MS + 31 * DAY)
    assert {(each.key, each.created_ms) for each in fallbacks(again)} == {(newest.key, START_MS + 31 * DAY)}
    assert PrekeyKind.X_WING in [kind for frame in kinds(again) for kind in frame]
    other = DeviceKeys.create()
    for key in (standing.key, newest.key):
        _, message = other.start(device.curve25519, key).seal(b"x")
        assert device.open_first(other.curve25519, message)[1] == b"x"


def fallbacks(sent: Iterable[tuple[bytes, ...]]) -> list[Prekey]:
    unpacked = (SignedPrekey.unpack(key).prekey for frame in sent for key in frame)
    return [prekey for prekey in unpacked if prekey.kind is PrekeyKind.FALLBACK]


def test_a_private_half_that_is_held_ready_goes_before_it_may_be_dropped(store: ClientStore) -> None:
    maker = Maker(store)
    (row,) = store.own_x_wings()
    ready = maker.keyring.x_wing(row)
    maker.connected(START_MS)
    assert maker.keyring.x_wing(row) is ready
    maker.drained(START_MS)
    assert maker.keyring.x_wing(row) is not ready

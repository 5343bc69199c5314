"""What could not be opened is kept and tried again, never thrown away."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base import limits
from coterie.base.ids import AccountId, DeviceId, LedgerId, StreamId, UserName, mailbox_of
from coterie.base.signing import LedgerKeys
from coterie.client.commands import Tick
from coterie.client.core.profile import Profile
from coterie.client.core.switchboard import Switchboard
from coterie.client.store.records import PutSetting, Setting, WaitingReason, WaitingRow
from coterie.client.store.sqlite import ClientStore
from coterie.wire.frames.messages import MailboxEntry

DEVICE = DeviceId(bytes(16))
STREAM: StreamId = mailbox_of(DEVICE)


@pytest.fixture
def core(store: ClientStore) -> Switchboard:
    store.begin()
    store.apply((PutSetting(Setting.PICKLE_ROOT, secrets.token_bytes(32)),))
    store.commit()
    profile = Profile(
        name=UserName("alice"),
        account=AccountId(bytes(32)),
        device=DEVICE,
        device_name="here",
        host="127.0.0.1",
        port=1,
        server=AccountId(bytes(32)),
        founding_ledger=LedgerId(bytes(16)),
        ledger=LedgerId(bytes(16)),
        ledger_key=LedgerKeys.generate().public.pack(),
    )
    return Switchboard(store, profile)


def tick(core: Switchboard, store: ClientStore, now_ms: int) -> list[WaitingRow]:
    store.begin()
    for outcome in core.command(Tick(), now_ms):
        store.apply(outcome.save)
    store.commit()
    return store.waiting()


def test_what_was_kept_for_the_hour_is_tried_again_after_it(core: Switchboard, store: ClientStore) -> None:
    entry = MailboxEntry(1, bytes(32), secrets.token_bytes(16), bytes(16), b"sealed", 0)
    kept = WaitingRow(
        stream=STREAM,
        seq=1,
        account=AccountId(entry.account),
        device=DeviceId(entry.device),
        session=b"",
        entry=msgspec.msgpack.encode(entry),
        reason=WaitingReason.TOO_MANY_FAILURES,
        since_ms=1_000,
    )
    store.begin()
    store.apply((kept,))
    store.commit()
    assert tick(core, store, 1_000 + limits.HOUR_MS - 1) == [kept]
    (tried,) = tick(core, store, 1_000 + limits.HOUR_MS)
    assert tried.reason is WaitingReason.UNKNOWN_DEVICE
    assert tried.entry == kept.entry

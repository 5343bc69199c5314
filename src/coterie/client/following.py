"""A device goes on in the account that follows its own (encryption rules 8 and 22).

It keeps its keys and its store, and has another id there. Its sessions end, its prekeys are signed anew; what
others sent to the account before was drained before this. What was said and never sealed is said again, in
the conversation that takes the place of the one before; what was sealed and not answered is unsure.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from coterie.base import limits
from coterie.base.conversations import direct_id
from coterie.base.ids import AccountId, DeviceId, MessageId
from coterie.client.commands import Say
from coterie.client.core.alarms import asked_devices
from coterie.client.core.prekeys import PrekeyMaker, fallback_records
from coterie.client.core.standing import may_write
from coterie.client.core.succeeding import pending_succession
from coterie.client.core.switchboard import Switchboard
from coterie.client.core.unsent import unaccepted
from coterie.client.events import IdentityReplaced
from coterie.client.store.records import (
    BecomeDevice,
    DropSetting,
    GiveUp,
    OutboxState,
    PutSetting,
    Record,
    Setting,
    Standing,
)
from coterie.client.store.sqlite import ClientStore
from coterie.content.body import unpack
from coterie.ledger.manifest import SignedManifest
from coterie.ledger.succession import heir_device


def follow(
    store: ClientStore, core: Switchboard, heir: AccountId, now_ms: int
) -> tuple[Switchboard, IdentityReplaced]:
    """The core of this device from now on, and what to tell of it. heir: proven, and it lists this device.
    All in one transaction."""
    sure_from = store.last_order() + 1
    profile = msgspec.structs.replace(
        core.profile, account=heir, device=heir_device(core.profile.device, heir)
    )
    store.begin()
    try:
        again = tuple(_to_say_again(store, core, heir))
        store.apply([GiveUp(order) for order, _ in again])
        unsure = unaccepted(store, sure_from)
        store.apply(_as_device(store, core, heir, sure_from, now_ms))
        store.apply((PutSetting(Setting.PROFILE, profile.pack()), *_secrets(store, heir)))
        new = Switchboard(store, profile)
        for _, said in again:
            for outcome in new.command(said, now_ms):
                store.apply(outcome.save)
        store.commit()
    except BaseException:
        store.rollback()
        raise
    return new, IdentityReplaced(heir, new.views.messages(unsure))


def readdressed(say: Say, me: AccountId, heir: AccountId) -> Say:
    """What was said to somebody by the account before, said by the one of now."""
    if not say.peer:
        return say
    peer = heir if say.peer == me else AccountId(say.peer)
    return msgspec.structs.replace(say, peer=peer, conversation=direct_id(heir, peer))


def _to_say_again(store: ClientStore, core: Switchboard, heir: AccountId) -> Iterator[tuple[int, Say]]:
    """Messages that people wrote and this device has not sealed, with their orders. What may not be said to
    somebody now becomes unsure with the others."""
    me = core.profile.account
    for conversation in store.outbox_conversations():
        where = store.conversation(conversation)
        if where is None or not (where.peer == me or may_write(core.people, where.peer)):
            continue
        for waiting in store.outbox(conversation, OutboxState.WAITING, store.last_order()):
            row = store.message(waiting.order)
            if row is not None and row.shown:
                said = Say(conversation, where.peer, MessageId(row.message), unpack(row.body))
                yield waiting.order, readdressed(said, me, heir)


def _as_device(
    store: ClientStore, core: Switchboard, heir: AccountId, sure_from: int, now_ms: int
) -> tuple[Record, ...]:
    """What this device has as one of the other account."""
    before = core.profile.device
    id = heir_device(before, heir)
    next_id = int.from_bytes(store.setting(Setting.NEXT_PREKEY_ID) or b"\x01", "big")
    maker = PrekeyMaker(core.keyring.device, heir, id, next_id)
    x_wing, private = maker.x_wing(now_ms)
    fallback = maker.fallback(now_ms)
    prekeys = (*maker.one_time(limits.ONE_TIME_KEYS, now_ms), fallback, x_wing)
    asked = tuple(heir_device(DeviceId(each), heir) for each in asked_devices(store))
    return (
        BecomeDevice(id, before, sure_from),
        core.keyring.device_record(),
        maker.counter(),
        private,
        msgspec.structs.replace(core.people.rows[heir], standing=Standing.PINNED, changed_ms=0, from_ms=0),
        *fallback_records(fallback),
        PutSetting(Setting.TOPPED_UP_MS, now_ms.to_bytes(8, "big")),
        PutSetting(Setting.PENDING_PREKEYS, msgspec.msgpack.encode(prekeys)),
        PutSetting(Setting.OWN_QUESTIONS, msgspec.msgpack.encode(asked)),
        DropSetting(Setting.PENDING_MANIFEST),
        DropSetting(Setting.EXPOSED_VAULT),
    )


def _secrets(store: ClientStore, heir: AccountId) -> tuple[Record, ...]:
    """Who signed the succession has the new vault. Every other device asks the server for it, and what opened
    the private keys before is of no use."""
    pending = pending_succession(store)
    dropped = DropSetting(Setting.PENDING_SUCCESSION)
    if pending is not None and SignedManifest.unpack(pending.manifest).manifest.account == heir:
        return (PutSetting(Setting.VAULT, pending.vault), dropped)
    return (DropSetting(Setting.OWN_SECRET), dropped)

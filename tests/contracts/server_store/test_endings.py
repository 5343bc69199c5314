"""Accounts that end, and names that begin anew: what every server store has to hold to."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import log_of
from coterie.server.store.protocol import Store
from coterie.server.store.records import (
    BeginReset,
    ClaimKeys,
    CompleteResets,
    EndAccount,
    NewLeaf,
)
from coterie.server.store.results import AccountEnded, KeysClaimed, LeafAdded, ResetsCompleted
from tests.server.town import NOW_MS, Resident, denied, save, say, settle_in, talk

pytestmark = pytest.mark.asyncio


def end_of(resident: Resident) -> EndAccount:
    leaf = NewLeaf(b"tombstone", resident.name_hash, resident.leaf)
    return EndAccount(resident.account, resident.hash, b"signed", leaf)


def heir_of(resident: Resident) -> tuple[Resident, BeginReset]:
    heir = Resident(resident.name)
    register = msgspec.structs.replace(
        heir.register(token=b"m" * 32), leaf=NewLeaf(b"reset", resident.name_hash, resident.leaf)
    )
    return heir, BeginReset(register, resident.hash)


async def test_an_account_ends_once_and_what_it_said_stays(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob, one_time=2)
    await talk(store, alice, bob)
    await say(store, alice.device, alice.device.message(alice.direct_with(bob), bob.account))
    stale = msgspec.structs.replace(end_of(alice), previous=bytes(32))
    assert denied(await save(store, stale)) is Code.STALE_MANIFEST
    assert await save(store, end_of(alice)) == AccountEnded(3, b"tombstone", (alice.device.id,))
    assert denied(await save(store, end_of(alice))) is Code.DELETED
    assert denied(await save(store, end_of(Resident("nobody")))) is Code.UNKNOWN_PERSON
    assert await store.deletion(alice.account) == b"signed"
    assert await store.deletion(bob.account) is None
    assert await store.account(alice.account) is None
    assert await store.login(alice.name) is None
    assert await store.salt(alice.name) is None
    device = await store.device(alice.device.id)
    assert device is not None
    assert (device.revoked, device.ended, device.name) == (True, True, "")
    assert await store.standing_keys(alice.account) == ()
    claimed = await save(store, ClaimKeys(((alice.account, alice.device.id),), NOW_MS))
    assert claimed == KeysClaimed(())
    assert len(await store.log(log_of(alice.direct_with(bob)), 0, 9, 1 << 20)) == 1
    assert len(await store.mailbox(bob.device.id, 0, 9, 1 << 20)) == 1
    late = bob.device.message(alice.direct_with(bob), alice.account)
    assert denied(await save(store, late)) is Code.DELETED
    heir = Resident("alice").register()
    assert denied(await save(store, heir)) is Code.NAME_TAKEN


async def test_a_reset_needs_a_token_of_its_name(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    _, begin = heir_of(alice)
    assert denied(await save(store, begin)) is Code.SIGN_UP_CLOSED
    nobody = msgspec.structs.replace(begin.register, name=Resident("nobody").name)
    assert denied(await save(store, BeginReset(nobody, alice.hash))) is Code.UNKNOWN_PERSON
    assert await save(store, CompleteResets(NOW_MS + 2 * limits.RESET_AFTER_MS)) == ResetsCompleted(())
    assert not await store.resets_due(NOW_MS + 2 * limits.RESET_AFTER_MS)
    assert isinstance(await save(store, end_of(alice)), AccountEnded)
    assert not isinstance(await save(store, begin), LeafAdded)

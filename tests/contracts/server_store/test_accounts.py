"""What every store promises about the server itself, accounts and prekeys."""

from __future__ import annotations

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.ledger.manifest import PrekeyKind
from coterie.server.store.protocol import Store
from coterie.server.store.records import (
    ClaimKeys,
    NewLeaf,
    PutFact,
    PutHead,
    PutPrekeys,
    PutRun,
    PutStatement,
    PutToken,
)
from coterie.server.store.results import (
    Denied,
    Done,
    KeysClaimed,
    LeafAdded,
)
from tests.server.town import (
    NOW_MS,
    Machine,
    Resident,
    denied,
    founding,
    key,
    save,
    settle_in,
)


@pytest.mark.asyncio
async def test_a_server_is_founded_once(store: Store) -> None:
    assert await store.fact("secrets") is None
    assert await store.head() is None
    assert await save(store, founding()) == LeafAdded(0, b"leaf 0")
    assert denied(await save(store, founding())) is not None
    assert await store.fact("secrets") == b"s"
    assert await store.statement() == b"statement 1"
    assert await store.leaves(0, 10) == (b"leaf 0",)


@pytest.mark.asyncio
async def test_statements_and_heads_only_go_forward(store: Store) -> None:
    await save(store, founding())
    leaf = NewLeaf(b"leaf 1", b"server".ljust(32, b"\0"), 0)
    assert denied(await save(store, PutStatement(3, b"statement 3", leaf))) is Code.STALE_MANIFEST
    assert await save(store, PutStatement(2, b"statement 2", leaf)) == LeafAdded(1, b"leaf 1")
    assert denied(await save(store, PutStatement(3, b"statement 3", leaf))) is Code.STALE_MANIFEST
    assert await store.statement() == b"statement 2"
    assert denied(await save(store, PutHead(3, NOW_MS, b"head 3"))) is Code.STALE_MANIFEST
    assert isinstance(await save(store, PutHead(2, NOW_MS, b"head 2")), Done)
    for size, time_ms in ((1, NOW_MS + 1), (2, NOW_MS), (2, NOW_MS - 1)):
        assert denied(await save(store, PutHead(size, time_ms, b"late"))) is Code.STALE_MANIFEST
    head = await store.head()
    assert head is not None
    assert (head.size, head.signed) == (2, b"head 2")
    assert isinstance(await save(store, PutHead(2, NOW_MS + 1, b"newer")), Done)


@pytest.mark.asyncio
async def test_facts_and_tokens_are_kept(store: Store) -> None:
    await store.commit([PutFact("name", b"1"), PutFact("name", b"2"), PutToken(b"mac", 3, NOW_MS + 10)])
    assert await store.fact("name") == b"2"
    await store.commit([PutFact("name", b"3", once=True), PutFact("other", b"4", once=True)])
    assert (await store.fact("name"), await store.fact("other")) == (b"2", b"4")
    assert await store.token_uses(b"mac", NOW_MS) == 3
    assert await store.token_uses(b"mac", NOW_MS + 10) == 0
    assert await store.token_uses(b"other", NOW_MS) == 0


@pytest.mark.asyncio
async def test_a_name_is_given_once_also_within_one_batch(store: Store, alice: Resident) -> None:
    await settle_in(store)
    rival = Resident("alice")
    first, second = await store.commit([alice.register(), rival.register()])
    assert first == LeafAdded(1, alice.register().leaf.packed)
    assert denied(second) is Code.NAME_TAKEN
    assert await store.name_taken(alice.name)
    assert await store.account(rival.account) is None
    assert len(await store.leaves(0, 10)) == 2


@pytest.mark.asyncio
async def test_a_repeated_sign_up_changes_nothing_and_spends_no_token(store: Store, alice: Resident) -> None:
    await settle_in(store)
    await save(store, PutToken(b"mac", 1, NOW_MS + 10))
    assert denied(await save(store, alice.register(token=b"other"))) is Code.SIGN_UP_CLOSED
    assert isinstance(await save(store, alice.register(token=b"mac")), LeafAdded)
    assert await store.token_uses(b"mac", NOW_MS) == 0
    assert await save(store, alice.register(token=b"mac")) == LeafAdded(1, b"")
    assert denied(await save(store, Resident("bob").register(token=b"mac"))) is Code.SIGN_UP_CLOSED


@pytest.mark.asyncio
async def test_a_name_that_is_taken_spends_no_token(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    await save(store, PutToken(b"mac", 1, NOW_MS + 10))
    assert denied(await save(store, Resident("alice").register(token=b"mac"))) is Code.NAME_TAKEN
    assert await store.token_uses(b"mac", NOW_MS) == 1


@pytest.mark.asyncio
async def test_one_account_has_one_name_and_one_device_one_account(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice)
    bob.account = alice.account
    assert denied(await save(store, bob.register())) is Code.BAD_MANIFEST
    carol = Resident("carol")
    carol.devices = alice.devices
    assert denied(await save(store, carol.register())) is Code.BAD_MANIFEST


@pytest.mark.asyncio
async def test_login_and_account_give_the_newest_manifest(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    record = alice.change(Machine(alice.account))
    alice.changed(record, await save(store, record))
    login = await store.login(alice.name)
    account = await store.account(alice.account)
    assert login is not None
    assert account is not None
    assert (login.manifest, login.vault) == (b"manifest 2", b"vault")
    assert await store.salt(alice.name) == b"salt".ljust(16, b"\0")
    assert await store.salt(Resident("nobody").name) is None
    assert login.verifiers == alice.register().verifiers == account.verifiers
    assert (account.seq, account.hash, account.leaf, account.name) == (2, alice.hash, 2, "alice")
    assert await store.login(Resident("nobody").name) is None


@pytest.mark.asyncio
async def test_a_manifest_follows_the_newest_one_or_is_refused(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    winner, loser = alice.change(Machine(alice.account)), alice.change(Machine(alice.account))
    first, second = await store.commit([winner, loser])
    assert isinstance(first, LeafAdded)
    assert denied(second) is Code.STALE_MANIFEST
    assert await save(store, winner) == LeafAdded(first.index, b""), "a repetition"
    alice.changed(winner, first)
    wrong_hash = alice.change(Machine(alice.account), previous=b"x" * 32)
    assert denied(await save(store, wrong_hash)) is Code.STALE_MANIFEST
    wrong_leaf = alice.change(Machine(alice.account))
    wrong_leaf = msgspec.structs.replace(
        wrong_leaf, leaf=msgspec.structs.replace(wrong_leaf.leaf, previous=1)
    )
    assert denied(await save(store, wrong_leaf)) is Code.STALE_MANIFEST
    assert len(await store.leaves(0, 10)) == 3


@pytest.mark.asyncio
async def test_manifests_are_given_as_far_as_the_ledger_is_published(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    for _ in range(3):
        record = alice.change(Machine(alice.account))
        alice.changed(record, await save(store, record))
    packed = tuple(f"manifest {seq}".encode() for seq in range(1, 5))
    assert await store.manifests(alice.account, 0, 5, 1 << 20) == packed[3:]
    assert await store.manifests(alice.account, 0, 3, 1 << 20) == packed[1:2]
    assert await store.manifests(alice.account, 1, 5, 1 << 20) == packed[1:]
    assert await store.manifests(alice.account, 1, 4, 1 << 20) == packed[1:3]
    assert await store.manifests(alice.account, 4, 5, 1 << 20) == ()
    assert await store.manifests(alice.account, 1, 5, 5) == packed[1:2], "one at least"
    assert await store.manifests(Resident("bob").account, 0, 5, 1 << 20) is None


@pytest.mark.asyncio
async def test_not_more_manifests_a_day_than_the_limit(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    for _ in range(limits.MANIFESTS_PER_DAY - 1):
        record = alice.change()
        alice.changed(record, await save(store, record))
    refused = await save(store, alice.change(now_ms=NOW_MS + 1000))
    assert isinstance(refused, Denied)
    assert (refused.code, refused.retry_after_ms) == (Code.TOO_MANY_TRIES, limits.DAY_MS - 1000)
    assert isinstance(await save(store, alice.change(now_ms=NOW_MS + limits.DAY_MS)), LeafAdded)


@pytest.mark.asyncio
async def test_runs_only_go_up(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    device = alice.device.id
    assert isinstance(await save(store, PutRun(device, 5, b"a" * 16)), Done)
    assert isinstance(await save(store, PutRun(device, 5, b"a" * 16)), Done)
    assert denied(await save(store, PutRun(device, 5, b"b" * 16))) is Code.RESTORED_PROFILE
    assert denied(await save(store, PutRun(device, 4, b"a" * 16))) is Code.RESTORED_PROFILE
    assert isinstance(await save(store, PutRun(device, 6, b"b" * 16)), Done)
    row = await store.device(device)
    assert row is not None
    assert (row.run, row.run_nonce, row.account, row.name) == (6, b"b" * 16, alice.account, "alice")
    assert await store.device(Machine(alice.account).id) is None


@pytest.mark.asyncio
async def test_a_one_time_key_is_given_out_once_whoever_uploads_it_again(
    store: Store, alice: Resident
) -> None:
    await settle_in(store, alice, one_time=2)
    device = alice.device.id
    claim = ClaimKeys(((alice.account, device),), NOW_MS)
    given = []
    for result in await store.commit([claim, claim, claim]):
        assert isinstance(result, KeysClaimed)
        (keys,) = result.keys
        assert (keys.fallback, keys.x_wing) == (b"FALLBACK 1001", b"X_WING 1002")
        given.append(keys.one_time)
    assert given == [b"ONE_TIME 1", b"ONE_TIME 2", b""]
    again = PutPrekeys(device, (key(PrekeyKind.ONE_TIME, 1), key(PrekeyKind.ONE_TIME, 7)), NOW_MS)
    await store.commit([again, again])
    assert await store.one_time_keys_left(device, NOW_MS) == 1
    (last,) = await store.commit([claim])
    assert isinstance(last, KeysClaimed)
    assert last.keys[0].one_time == b"ONE_TIME 7"


@pytest.mark.asyncio
async def test_one_time_keys_that_others_would_refuse_are_not_given(store: Store, alice: Resident) -> None:
    await settle_in(store, alice, one_time=2)
    late_ms = NOW_MS + limits.PREKEY_MAX_AGE_MS
    assert await store.one_time_keys_left(alice.device.id, late_ms) == 0
    (result,) = await store.commit([ClaimKeys(((alice.account, alice.device.id),), late_ms)])
    assert isinstance(result, KeysClaimed)
    assert result.keys[0].one_time == b""


@pytest.mark.asyncio
async def test_standing_keys_are_replaced_by_newer_ones(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    newer = key(PrekeyKind.FALLBACK, 2000, created_ms=NOW_MS + 1)
    older = key(PrekeyKind.X_WING, 2001, created_ms=NOW_MS - 1)
    await save(store, PutPrekeys(alice.device.id, (newer, older), NOW_MS))
    (keys,) = await store.standing_keys(alice.account)
    assert (keys.fallback, keys.x_wing) == (b"FALLBACK 2000", b"X_WING 1002")


@pytest.mark.asyncio
async def test_a_device_keeps_a_hundred_one_time_keys_at_most(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    keys = tuple(key(PrekeyKind.ONE_TIME, id) for id in range(1, 102))
    assert denied(await save(store, PutPrekeys(alice.device.id, keys, NOW_MS))) is Code.TOO_LARGE
    assert isinstance(await save(store, PutPrekeys(alice.device.id, keys[1:], NOW_MS)), Done)


@pytest.mark.asyncio
async def test_claims_for_others_and_for_unknown_devices_are_left_out(
    store: Store, alice: Resident, bob: Resident
) -> None:
    await settle_in(store, alice, bob)
    asked = (
        (alice.account, bob.device.id),
        (alice.account, Machine(alice.account).id),
        (bob.account, bob.device.id),
    )
    result = await save(store, ClaimKeys(asked, NOW_MS))
    assert isinstance(result, KeysClaimed)
    assert [keys.device for keys in result.keys] == [bob.device.id]

"""Sealed files, as the database knows them: what every server store has to hold to."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.ids import BlobId
from coterie.server.store.blob_records import BeginBlob, BlobState, EndBlob, ForgetBlob, KeepBlob
from coterie.server.store.blobs import KEEP_COMING_MS, BlobRow
from coterie.server.store.protocol import Store
from coterie.server.store.results import DONE, BlobBegun
from tests.contracts.server_store.test_endings import end_of
from tests.server.town import NOW_MS, Machine, Resident, denied, save, settle_in

pytestmark = pytest.mark.asyncio

ALL = limits.BLOB_BYTES_PER_ACCOUNT


def file_of(device: Machine, size: int = 1000, *, now_ms: int = NOW_MS) -> BeginBlob:
    return BeginBlob(device.id, BlobId(secrets.token_bytes(16)), size, secrets.token_bytes(32), now_ms)


async def uploaded(store: Store, device: Machine, size: int = 1000, *, now_ms: int = NOW_MS) -> BlobId:
    begun = file_of(device, size, now_ms=now_ms)
    assert await save(store, begun) == BlobBegun(whole=False)
    assert await save(store, KeepBlob(device.id, begun.blob, now_ms)) == DONE
    return begun.blob


async def test_a_file_comes_is_there_and_goes(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    begun = file_of(alice.device)
    assert await store.blob(begun.blob) is None
    assert await save(store, begun) == BlobBegun(whole=False)
    assert await save(store, begun) == BlobBegun(whole=False), "again after a lost connection"
    assert await store.blob(begun.blob) == BlobRow(alice.account, 1000, BlobState.COMING)
    assert denied(await save(store, ForgetBlob(begun.blob))) is Code.UNKNOWN_FILE
    assert await save(store, KeepBlob(alice.device.id, begun.blob, NOW_MS)) == DONE
    assert await save(store, begun) == BlobBegun(whole=True)
    assert denied(await save(store, EndBlob(begun.blob, only=BlobState.COMING))) is Code.BUSY
    assert await save(store, EndBlob(begun.blob, alice.account)) == DONE
    assert await store.blob(begun.blob) == BlobRow(alice.account, 1000, BlobState.GOING)
    assert denied(await save(store, begun)) is Code.BUSY
    assert denied(await save(store, KeepBlob(alice.device.id, begun.blob, NOW_MS))) is Code.UNKNOWN_FILE
    assert await save(store, ForgetBlob(begun.blob)) == DONE
    assert await store.blob(begun.blob) is None
    assert denied(await save(store, ForgetBlob(begun.blob))) is Code.UNKNOWN_FILE


async def test_an_id_stands_for_one_file_of_one_account(store: Store, alice: Resident, bob: Resident) -> None:
    await settle_in(store, alice, bob)
    begun = file_of(alice.device)
    await save(store, begun)
    for other in (
        msgspec.structs.replace(begun, size_bytes=1001),
        msgspec.structs.replace(begun, sha256=bytes(32)),
        msgspec.structs.replace(begun, device=bob.device.id),
    ):
        assert denied(await save(store, other)) is Code.BAD_FILE
    assert denied(await save(store, KeepBlob(bob.device.id, begun.blob, NOW_MS))) is Code.UNKNOWN_FILE
    assert denied(await save(store, EndBlob(begun.blob, bob.account))) is Code.UNKNOWN_FILE
    assert await save(store, EndBlob(begun.blob)) == DONE


async def test_an_account_has_so_much_room_and_no_more(
    store: Store, alice: Resident, bob: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settle_in(store, alice, bob)
    first = await uploaded(store, alice.device, ALL - 10)
    assert denied(await save(store, file_of(alice.device, 11))) is Code.FILES_FULL
    await uploaded(store, alice.device, 10)
    assert denied(await save(store, file_of(alice.device, 1))) is Code.FILES_FULL
    await uploaded(store, bob.device, ALL)
    await save(store, EndBlob(first))
    assert denied(await save(store, file_of(alice.device, 1))) is Code.FILES_FULL, "its bytes are there still"
    await save(store, ForgetBlob(first))
    await uploaded(store, alice.device, ALL - 10)
    monkeypatch.setattr(limits, "BLOB_BYTES_PER_ACCOUNT", 2 * ALL)
    monkeypatch.setattr(limits, "BLOBS_PER_ACCOUNT", 3)
    await uploaded(store, alice.device, 1)
    assert denied(await save(store, file_of(alice.device, 1))) is Code.FILES_FULL, "files are counted too"


async def test_who_is_revoked_or_unknown_uploads_nothing(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    begun, stranger = file_of(alice.device), Resident("stranger").device
    await save(store, begun)
    assert denied(await save(store, file_of(stranger))) is Code.UNKNOWN_DEVICE
    assert denied(await save(store, KeepBlob(stranger.id, begun.blob, NOW_MS))) is Code.UNKNOWN_DEVICE
    await save(store, end_of(alice))
    assert denied(await save(store, file_of(alice.device))) is Code.REVOKED
    assert denied(await save(store, KeepBlob(alice.device.id, begun.blob, NOW_MS))) is Code.REVOKED
    assert await store.blobs_due(NOW_MS, 10) == (begun.blob,), "files of an account that ended go"


async def test_files_are_due_when_their_time_is_over(store: Store, alice: Resident) -> None:
    await settle_in(store, alice)
    came = await uploaded(store, alice.device)
    begun = file_of(alice.device)
    await save(store, begun)
    ended = await uploaded(store, alice.device)
    await save(store, EndBlob(ended))
    assert await store.blobs_due(NOW_MS, 10) == (ended,)
    assert await store.blobs_due(NOW_MS + KEEP_COMING_MS, 10) == (ended,)
    assert set(await store.blobs_due(NOW_MS + KEEP_COMING_MS + 1, 10)) == {ended, begun.blob}
    assert await store.blobs_due(NOW_MS + limits.KEEP_BLOB_MS, 1) == (ended,)
    assert set(await store.blobs_due(NOW_MS + limits.KEEP_BLOB_MS + 1, 10)) == {ended, begun.blob, came}


async def test_what_is_kept_is_told(store: Store, alice: Resident, bob: Resident) -> None:
    await settle_in(store, alice, bob)
    assert await store.files_kept() == (0, 0)
    first = await uploaded(store, alice.device, 100)
    await save(store, file_of(bob.device, 20))
    assert await store.files_kept() == (2, 120)
    await save(store, EndBlob(first))
    await save(store, ForgetBlob(first))
    assert await store.files_kept() == (1, 20)

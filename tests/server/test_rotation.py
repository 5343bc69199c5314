"""A server that goes on under another identity, which its old one signed (encryption rule 7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from coterie.base.codes import Code
from coterie.base.errors import SecurityStop, Unavailable
from coterie.base.signing import IdentityPublic, account_id
from coterie.ledger.checks import check_recorded, check_welcome
from coterie.ledger.leaves import LedgerView
from coterie.server.folder import DataFolder
from coterie.server.founding import next_identity, open_realm
from coterie.server.rotation import rotate_identity
from coterie.server.store.results import Denied
from coterie.server.store.sqlite import SqliteStore
from tests.ledger.accounts import NOW_MS
from tests.server.house import TLS_KEY, house_in

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]

LATER_MS = NOW_MS + 1000


async def test_clients_follow_the_chain_and_find_it_in_the_ledger(folder: Path) -> None:
    async with house_in(folder) as house:
        realm = house.realm
        founding, first, known = realm.server, realm.statement, realm.identity
    for changes in (1, 2):
        new = await rotate_identity(folder, LATER_MS)
        async with house_in(folder) as house:
            realm = house.realm
            assert (realm.server, len(realm.chain)) == (founding, changes)
            said = check_welcome(
                founding,
                realm.identity,
                realm.chain,
                realm.statement,
                TLS_KEY,
                LATER_MS,
                known_identity=known,
            )
            known = said.identity
            assert (account_id(IdentityPublic.unpack(known)), said.seq) == (new, 1 + 2 * changes)
            view = LedgerView.from_leaves(await house.store.leaves(0, 100))
            assert view.size == realm.ledger.size == said.seq, "published before anybody connects"
            check_recorded(realm.chain, realm.statement, view)
    with pytest.raises(SecurityStop):
        check_welcome(founding, realm.identity, (), first, TLS_KEY, LATER_MS, known_identity=known)


async def test_a_certificate_may_change_afterwards_too(folder: Path) -> None:
    async with house_in(folder) as house:
        founding = house.realm.server
    await rotate_identity(folder, LATER_MS)
    async with house_in(folder, tls_key=b"n" * 32) as house:
        realm = house.realm
        said = check_welcome(founding, realm.identity, realm.chain, realm.statement, b"n" * 32, LATER_MS)
        assert said.seq == 4
        check_recorded(realm.chain, realm.statement, LedgerView.from_leaves(await house.store.leaves(0, 9)))


async def test_only_a_server_that_is_there_and_stopped(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await rotate_identity(tmp_path / "nothing", NOW_MS)
    assert caught.value.code is Code.DISK
    assert not (tmp_path / "nothing").exists()
    async with house_in(tmp_path):
        pass
    running = DataFolder.open(tmp_path)
    try:
        with pytest.raises(Unavailable):
            await rotate_identity(tmp_path, NOW_MS)
    finally:
        running.close()


async def test_a_change_that_does_not_follow_changes_nothing(folder: Path) -> None:
    async with house_in(folder):
        pass
    store = SqliteStore(folder / "server.db")
    try:
        realm = await open_realm(store, TLS_KEY, True, NOW_MS)
        wrong = [next_identity(realm, size, leaf, NOW_MS) for size, leaf in ((0, 0), (1, -1))]
        for result in await store.commit(wrong):
            assert result == Denied(Code.STALE_MANIFEST)
        again = await open_realm(store, TLS_KEY, True, NOW_MS)
        assert (again.chain, again.statement) == ((), realm.statement)
    finally:
        await store.close()

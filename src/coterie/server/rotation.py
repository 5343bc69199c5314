"""A new identity for a server, signed by its old one (encryption rule 7): for an operator who fears that the
old one was copied, or wants to be rid of it after some years."""

from __future__ import annotations

from pathlib import Path

from coterie.base.codes import Code
from coterie.base.errors import Unavailable
from coterie.base.ids import AccountId
from coterie.base.signing import IdentityPublic, account_id
from coterie.ledger.statements import ServerStatement, SignedStatement
from coterie.server.folder import DataFolder, database_of
from coterie.server.founding import next_identity, open_realm
from coterie.server.sequencer import Sequencer
from coterie.server.store.opening import is_elsewhere, open_store
from coterie.server.store.protocol import Store
from coterie.server.store.results import LeafAdded


async def rotate_identity(path: Path, now_ms: int, url: str = "") -> AccountId:
    """Change the identity of the server in this data folder; the id of the new one. The old private keys are
    gone then, and the next start publishes the change. url: of the PostgreSQL that has the data, "" for none.

    Raises Unavailable(disk) where no server is there, or one is running.
    """
    file = database_of(path)
    if not (is_elsewhere(file) if url else file.exists()):
        raise Unavailable(Code.DISK, "there is no server in this folder")
    folder = DataFolder.open(path)
    try:
        store = await open_store(folder.database, url)
        try:
            return await _rotate(store, now_ms)
        finally:
            await store.close()
    finally:
        folder.close()


async def _rotate(store: Store, now_ms: int) -> AccountId:
    realm = await open_realm(store, tls_key=b"", open_signup=False, now_ms=now_ms)
    sequencer = await Sequencer.load(store, realm)
    record = next_identity(realm, sequencer.size, sequencer.newest_server_leaf, now_ms)
    (result,) = await store.commit([record])
    if not isinstance(result, LeafAdded):
        raise Unavailable(Code.DISK, "the ledger has grown meanwhile")
    said = ServerStatement.unpack(SignedStatement.unpack(record.statement.signed).payload)
    return account_id(IdentityPublic.unpack(said.identity))

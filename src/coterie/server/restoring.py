"""A server whose data was put back from a copy begins another life: a new incarnation and a new ledger.

What was signed after the copy was made is in nobody's database here, but on people's devices: to go on in the
old ledger would be to sign a second past. So the new one begins with the server's own statements and the
tombstones, which nobody can be ahead of; everybody else comes back by what people bring (decision 0039).
"""

from __future__ import annotations

import logging
import secrets

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import AccountId
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.ledger.deletion import SignedDeletion
from coterie.ledger.heads import Head, SignedHead, sign_head
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind
from coterie.ledger.restores import unpack_restores
from coterie.ledger.statements import (
    RestoreStatement,
    ServerStatement,
    SignedStatement,
    ledger_id,
    sign_statement,
)
from coterie.ledger.tree import Tree
from coterie.server.founding import INCARNATION, RESTORES, open_realm
from coterie.server.realm import Realm
from coterie.server.store.lives import RESTORED
from coterie.server.store.protocol import Store
from coterie.server.store.records import BeginLife, NewLeaf, PutFact
from coterie.server.store.results import DONE

log = logging.getLogger("coterie.server")

ALONE_TRIES = 15
EACH_TRY_SECONDS = 1.0
_restores = msgspec.msgpack.Encoder().encode


async def open_or_begin_life(store: Store, tls_key: bytes, open_signup: bool, now_ms: int) -> Realm:
    """open_realm(); where the data was restored, its next life begins first, once no other
    server is at it. Raises Unavailable: disk, profile-in-use."""
    realm = await open_realm(store, tls_key, open_signup, now_ms)
    if not await store.fact(RESTORED):
        return realm
    if not await _has_to_begin(store):
        return await open_realm(store, tls_key, open_signup, now_ms)
    realm = await open_realm(store, tls_key, open_signup, now_ms)
    record = next_life(
        realm,
        await store.leaves(0, realm.ledger.size),
        await store.deletions(),
        secrets.token_bytes(16),
        now_ms,
    )
    (result,) = await store.commit([record])
    if result != DONE:
        raise Unavailable(Code.DISK, "the restored data could not be begun with")
    log.warning("restored from a copy: a new ledger begins")
    return await open_realm(store, tls_key, open_signup, now_ms)


async def _has_to_begin(store: Store) -> bool:
    """Once no other server is at the data, or one of them has begun the next life. Raises
    Unavailable(profile-in-use) where somebody goes on in the one before."""
    for tries_left in reversed(range(ALONE_TRIES)):
        try:
            await store.alone(EACH_TRY_SECONDS)
        except Unavailable:
            if not tries_left:
                raise
        else:
            return bool(await store.fact(RESTORED))
        if not await store.fact(RESTORED):
            return False
    return False


async def mark_restored(store: Store) -> None:
    """The data is a copy of what this server knew: the next opening begins another life."""
    await store.commit([PutFact(RESTORED, b"1")])


async def mark_copy(store: Store, now_ms: int) -> Realm:
    """The same, of data that an operator has put back; what the copy knows. Raises Refused(too-many-tries)
    where the copy itself was made within a day of a restore."""
    realm = await open_realm(store, tls_key=b"", open_signup=False, now_ms=now_ms)
    wait_ms = too_soon_ms(realm, now_ms)
    if wait_ms:
        raise Refused(Code.TOO_MANY_TRIES, "made within a day of a restore", wait_ms / 1000)
    await mark_restored(store)
    return realm


def next_life(
    realm: Realm, leaves: tuple[bytes, ...], deletions: tuple[bytes, ...], nonce: bytes, now_ms: int
) -> BeginLife:
    """leaves: all that the copy's newest head covers; deletions: packed SignedDeletions; nonce: 16 random
    bytes for the id of the new ledger."""
    signed = SignedStatement.unpack(realm.statement)
    said = ServerStatement.unpack(signed.payload)
    identity = IdentityKeys.unpack(realm.secrets.identity)
    old = Head.unpack(SignedHead.unpack(realm.ledger.head).payload)
    incarnation = secrets.token_bytes(16)
    restore = sign_statement(
        RestoreStatement(
            server=said.server,
            identity=account_id(identity.public),
            seq=len(realm.restores) + 1,
            old_ledger=old.ledger,
            old_size=old.size,
            old_root=old.root,
            ledger=ledger_id(said.server, nonce),
            incarnation=incarnation,
            copied_ms=old.time_ms,
            time_ms=now_ms,
        ),
        identity,
    )
    following = msgspec.structs.replace(
        said,
        seq=said.seq + 2,
        tls_key=realm.tls_key,
        ledger=ledger_id(said.server, nonce),
        ledger_nonce=nonce,
        incarnation=incarnation,
        issued_ms=now_ms,
        expires_ms=now_ms + limits.STATEMENT_MS,
        previous=signed.hash,
    )
    statement = sign_statement(following, identity)
    first = _first_leaves(said.server, leaves, (restore.hash, statement.hash), deletions)
    tree = Tree()
    for leaf in first:
        tree.append(leaf.packed)
    head = Head(following.ledger, tree.size, tree.root(), now_ms)
    return BeginLife(
        facts=(
            (INCARNATION, incarnation),
            (RESTORES, _restores((*realm.restores, restore.pack()))),
            (RESTORED, b""),
        ),
        seq=following.seq,
        statement=statement.pack(),
        leaves=first,
        head=sign_head(head, LedgerKeys.unpack(realm.secrets.ledger)).pack(),
        dormant_before_ms=old.time_ms - limits.DORMANT_AFTER_MS,
        now_ms=now_ms,
    )


def too_soon_ms(realm: Realm, now_ms: int) -> int:
    """How long until a restore from this data would be believed: not before a day after the last one that it
    knows of. 0: it would be."""
    if not realm.restores:
        return 0
    (last,) = unpack_restores(realm.restores[-1:])
    return max(0, last.time_ms + limits.RESTORE_EVERY_MS - now_ms)


def _first_leaves(
    server: AccountId, leaves: tuple[bytes, ...], new: tuple[bytes, ...], deletions: tuple[bytes, ...]
) -> tuple[NewLeaf, ...]:
    """All that the server's identities ever signed, with its two new statements; then who is gone."""
    known = [each for each in map(Leaf.unpack, leaves) if each.kind is LeafKind.SERVER]
    hashes = [*(each.hash for each in known), *new]
    first: list[NewLeaf] = []
    for seq, hash in enumerate(hashes, start=1):
        previous = seq - 2 if seq > 1 else NO_LEAF
        leaf = Leaf(LeafKind.SERVER, SERVER_NAME_HASH, server, seq, hash, previous)
        first.append(NewLeaf(leaf.pack(), SERVER_NAME_HASH, previous))
    for packed in deletions:
        signed = SignedDeletion.unpack(packed)
        gone = signed.deletion
        leaf = Leaf(LeafKind.TOMBSTONE, gone.name_hash, gone.account, gone.seq, signed.hash, NO_LEAF)
        first.append(NewLeaf(leaf.pack(), gone.name_hash, NO_LEAF))
    return tuple(first)

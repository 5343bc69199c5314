"""How a server's data begins, is opened again, and its statement renewed (encryption rules 7 and 19)."""

from __future__ import annotations

import secrets

import msgspec

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.conversations import everyone_id
from coterie.base.errors import RemoteError, Unavailable
from coterie.base.ids import NO_HASH, AccountId, UserName
from coterie.base.invite import Invite
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.ledger.heads import Head, sign_head
from coterie.ledger.leaves import NO_LEAF, SERVER_NAME_HASH, Leaf, LeafKind
from coterie.ledger.statements import (
    IdentityStatement,
    ServerStatement,
    SignedStatement,
    ledger_id,
    sign_statement,
)
from coterie.ledger.tree import Tree
from coterie.server.realm import SECRET_BYTES, LedgerNow, Realm, ServerSecrets
from coterie.server.store.protocol import Store
from coterie.server.store.records import ChangeIdentity, FoundServer, NewLeaf, PutFact, PutStatement, PutToken

SECRETS = "secrets"
INCARNATION = "incarnation"
CHAIN = "chain"
RESTORES = "restores"
"""Signed statements by which the first ledger became the present one, packed."""
INVITE_TOKEN = "invite-token"
NAME = UserName("server")

TOKEN_BYTES = 16
TOKEN_USES = 100
TOKEN_MS = 30 * limits.DAY_MS
RENEW_BEFORE_MS = limits.STATEMENT_MS // 2

_secrets_decoder = msgspec.msgpack.Decoder(ServerSecrets)
_chain_decoder = msgspec.msgpack.Decoder(tuple[bytes, tuple[bytes, ...]])
"""The founding identity, packed, and the signed statements from there to the current one."""
_restores_decoder = msgspec.msgpack.Decoder(tuple[bytes, ...])


async def open_realm(store: Store, tls_key: bytes, open_signup: bool, now_ms: int) -> Realm:
    """Found the server where nothing was founded yet; else what was. Raises Unavailable(disk)."""
    packed = await store.fact(SECRETS)
    if packed is None:
        await _found(store, tls_key, now_ms)
        packed = await store.fact(SECRETS)
    incarnation, signed, head = await store.fact(INCARNATION), await store.statement(), await store.head()
    if packed is None or incarnation is None or signed is None or head is None:
        raise Unavailable(Code.DISK, "the database lacks what the server is")
    try:
        kept = _secrets_decoder.decode(packed)
        said = ServerStatement.unpack(SignedStatement.unpack(signed).payload)
        changes = await store.fact(CHAIN)
        founding, chain = _chain_decoder.decode(changes) if changes else (said.identity, ())
        restores = _restores_decoder.decode(await store.fact(RESTORES) or b"\x90")
    except (msgspec.MsgspecError, ValueError, RemoteError):
        raise Unavailable(Code.DISK, "the server's own records are damaged") from None
    return Realm(
        secrets=kept,
        incarnation=incarnation,
        server=said.server,
        identity=founding,
        chain=chain,
        restores=restores,
        founding_ledger=said.founding_ledger,
        everyone=everyone_id(said.founding_ledger),
        tls_key=tls_key,
        open_signup=open_signup,
        statement=signed,
        ledger=LedgerNow(head.size, head.time_ms, head.signed),
    )


def next_statement(realm: Realm, previous_leaf: int, now_ms: int) -> PutStatement | None:
    """The statement that has to follow now; None while the present one is true and fresh enough."""
    signed = SignedStatement.unpack(realm.statement)
    said = ServerStatement.unpack(signed.payload)
    if said.tls_key == realm.tls_key and now_ms < said.expires_ms - RENEW_BEFORE_MS:
        return None
    following = msgspec.structs.replace(
        said,
        seq=said.seq + 1,
        tls_key=realm.tls_key,
        issued_ms=now_ms,
        expires_ms=now_ms + limits.STATEMENT_MS,
        previous=signed.hash,
    )
    new = sign_statement(following, IdentityKeys.unpack(realm.secrets.identity))
    return PutStatement(following.seq, new.pack(), _leaf(said.server, following.seq, new, previous_leaf))


def next_identity(realm: Realm, ledger_size: int, previous_leaf: int, now_ms: int) -> ChangeIdentity:
    """Draw another identity for the server: the old one signs it, and both that and the new one's first
    statement stand in the ledger (encryption rule 7). previous_leaf: index of the newest SERVER leaf."""
    signed = SignedStatement.unpack(realm.statement)
    said = ServerStatement.unpack(signed.payload)
    old, new = IdentityKeys.unpack(realm.secrets.identity), IdentityKeys.generate()
    change = sign_statement(
        IdentityStatement(account_id(old.public), new.public.pack(), len(realm.chain) + 1, now_ms), old
    )
    following = msgspec.structs.replace(
        said,
        identity=new.public.pack(),
        seq=said.seq + 2,
        issued_ms=now_ms,
        expires_ms=now_ms + limits.STATEMENT_MS,
        previous=signed.hash,
    )
    statement = sign_statement(following, new)
    kept = msgspec.structs.replace(realm.secrets, identity=new.pack())
    chain = (realm.identity, (*realm.chain, change.pack()))
    return ChangeIdentity(
        facts=((SECRETS, msgspec.msgpack.encode(kept)), (CHAIN, msgspec.msgpack.encode(chain))),
        change=_leaf(said.server, said.seq + 1, change, previous_leaf),
        statement=PutStatement(
            following.seq, statement.pack(), _leaf(said.server, following.seq, statement, ledger_size)
        ),
    )


def _leaf(server: AccountId, seq: int, signed: SignedStatement, previous: int) -> NewLeaf:
    leaf = Leaf(LeafKind.SERVER, SERVER_NAME_HASH, server, seq, signed.hash, previous)
    return NewLeaf(leaf.pack(), SERVER_NAME_HASH, previous)


async def invite_of(store: Store, realm: Realm, host: str, port: int, now_ms: int) -> Invite:
    """The invite that people sign up with; where sign-up is closed, with a token that has uses left."""
    if realm.open_signup:
        return Invite(host, port, realm.server)
    token = await store.fact(INVITE_TOKEN)
    if token is None or not await store.token_uses(realm.token_mac(token), now_ms):
        token = secrets.token_bytes(TOKEN_BYTES)
        mac = realm.token_mac(token)
        await store.commit([PutFact(INVITE_TOKEN, token), PutToken(mac, TOKEN_USES, now_ms + TOKEN_MS)])
    return Invite(host, port, realm.server, token)


async def _found(store: Store, tls_key: bytes, now_ms: int) -> None:
    """Draw every key, make statement 1, leaf 0 and the head over it, and commit them together; nothing is
    changed where another server was quicker."""
    identity, ledger_keys = IdentityKeys.generate(), LedgerKeys.generate()
    server, nonce, incarnation = account_id(identity.public), secrets.token_bytes(16), secrets.token_bytes(16)
    ledger = ledger_id(server, nonce)
    statement = ServerStatement(
        server=server,
        identity=identity.public.pack(),
        seq=1,
        tls_key=tls_key,
        ledger=ledger,
        ledger_nonce=nonce,
        founding_ledger=ledger,
        ledger_key=ledger_keys.public.pack(),
        incarnation=incarnation,
        issued_ms=now_ms,
        expires_ms=now_ms + limits.STATEMENT_MS,
        previous=NO_HASH,
    )
    signed = sign_statement(statement, identity)
    leaf = _leaf(server, 1, signed, NO_LEAF)
    tree = Tree()
    tree.append(leaf.packed)
    kept = ServerSecrets(
        identity.pack(),
        ledger_keys.pack(),
        *(secrets.token_bytes(SECRET_BYTES) for _ in range(4)),
    )
    record = FoundServer(
        facts=((SECRETS, msgspec.msgpack.encode(kept)), (INCARNATION, incarnation)),
        statement=signed.pack(),
        leaf=leaf,
        head=sign_head(Head(ledger, 1, tree.root(), now_ms), ledger_keys).pack(),
        everyone=everyone_id(ledger),
        now_ms=now_ms,
    )
    await store.commit([record])

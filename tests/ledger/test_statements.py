"""Statements of identities: their format."""

from __future__ import annotations

import hashlib

import msgspec
import pytest

from coterie.base.errors import RemoteError
from coterie.base.ids import NO_HASH, AccountId, LedgerId
from coterie.base.signing import IdentityKeys, account_id, verify_identity
from coterie.ledger.statements import (
    IdentityStatement,
    ServerStatement,
    SignedStatement,
    ledger_id,
    sign_statement,
)
from tests.ledger.accounts import NOW_MS

FOUNDING = AccountId(b"f" * 32)
SERVER = ServerStatement(
    server=FOUNDING,
    identity=b"\xff" * 2336,
    seq=1,
    tls_key=b"t" * 32,
    ledger=LedgerId(b"l" * 16),
    ledger_nonce=b"n" * 16,
    founding_ledger=LedgerId(b"l" * 16),
    ledger_key=b"k" * 1984,
    incarnation=b"i" * 16,
    issued_ms=NOW_MS,
    expires_ms=NOW_MS + 1,
    previous=NO_HASH,
)
CHANGE = IdentityStatement(FOUNDING, b"\xff" * 2336, 1, NOW_MS)


def test_statements_come_back() -> None:
    assert ServerStatement.unpack(SERVER.pack()) == SERVER
    assert IdentityStatement.unpack(CHANGE.pack()) == CHANGE


def test_one_cannot_pass_for_the_other() -> None:
    with pytest.raises(RemoteError):
        ServerStatement.unpack(CHANGE.pack())
    with pytest.raises(RemoteError):
        IdentityStatement.unpack(SERVER.pack())


def test_a_signed_statement_comes_back_and_verifies(identity: IdentityKeys) -> None:
    for statement in (SERVER, CHANGE):
        signed = sign_statement(statement, identity)
        again = SignedStatement.unpack(signed.pack())
        assert again == signed
        assert again.hash == hashlib.sha256(statement.pack()).digest()
        verify_identity(identity.public, again.payload, again.signature)


@pytest.mark.parametrize(
    "changes",
    [
        {"server": AccountId(b"")},
        {"identity": b""},
        {"seq": 0},
        {"tls_key": b""},
        {"ledger": LedgerId(b"")},
        {"ledger_nonce": b""},
        {"founding_ledger": LedgerId(b"")},
        {"ledger_key": bytes(1983)},
        {"incarnation": b""},
        {"issued_ms": -1},
        {"expires_ms": -1},
        {"previous": b""},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_field_out_of_bounds_is_malformed(changes: dict[str, object]) -> None:
    with pytest.raises(RemoteError):
        ServerStatement.unpack(msgspec.structs.replace(SERVER, **changes).pack())


def test_a_ledger_id_depends_on_founder_and_nonce(identity: IdentityKeys) -> None:
    mine = account_id(identity.public)
    ids = {ledger_id(mine, b"n" * 16), ledger_id(mine, b"m" * 16), ledger_id(FOUNDING, b"n" * 16)}
    assert len(ids) == 3
    assert {len(each) for each in ids} == {16}

"""Who may say that a server was restored, and from where to where."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SecurityStop
from coterie.base.ids import LedgerId
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.ledger.checks import check_recorded, check_welcome
from coterie.ledger.leaves import SERVER_NAME_HASH, Leaf, LeafKind, LedgerView
from coterie.ledger.restores import unpack_restores
from coterie.ledger.statements import (
    RestoreStatement,
    ServerStatement,
    SignedStatement,
    ledger_id,
    sign_statement,
)
from tests.ledger.accounts import NOW_MS
from tests.ledger.servers import NONCE, TLS_KEY, Server

NEW_NONCE = b"m" * 16
LIFE = b"j" * 16


@pytest.fixture
def server(identity: IdentityKeys, ledger_keys: LedgerKeys) -> Server:
    return Server(identity, ledger_keys)


def restore(by: Server, signer: IdentityKeys | None = None, **changes: object) -> bytes:
    """What the server's identity signs after a restore; changes: of its fields."""
    said = RestoreStatement(
        server=by.id,
        identity=account_id(by.current.public),
        seq=1,
        old_ledger=ledger_id(by.id, NONCE),
        old_size=3,
        old_root=b"r" * 32,
        ledger=ledger_id(by.id, NEW_NONCE),
        incarnation=LIFE,
        copied_ms=NOW_MS,
        time_ms=NOW_MS,
    )
    said = msgspec.structs.replace(said, **changes)
    return sign_statement(said, signer or by.current).pack()


def statement(server: Server, **changes: object) -> bytes:
    new = {"ledger": ledger_id(server.id, NEW_NONCE), "ledger_nonce": NEW_NONCE, "incarnation": LIFE}
    return server.says(**(new | changes))


def greeted(server: Server, restores: tuple[bytes, ...], said: bytes | None = None) -> ServerStatement:
    shown = said or statement(server)
    return check_welcome(server.id, server.identity, server.chain, shown, TLS_KEY, NOW_MS, restores=restores)


def test_a_restore_leads_to_another_ledger(server: Server) -> None:
    said = greeted(server, (restore(server),))
    assert said.ledger == ledger_id(server.id, NEW_NONCE) != said.founding_ledger
    assert unpack_restores((restore(server),))[0].copied_ms == NOW_MS


def test_one_that_a_former_identity_signed_stays_true(server: Server, other_identity: IdentityKeys) -> None:
    before = restore(server)
    server.change(other_identity)
    greeted(server, (before,))


def stops(server: Server, restores: tuple[bytes, ...], said: bytes | None = None) -> None:
    with pytest.raises(SecurityStop) as stop:
        greeted(server, restores, said)
    assert stop.value.code is Code.IDENTITY_CHANGED


def test_a_restore_that_its_identity_did_not_sign(server: Server, other_identity: IdentityKeys) -> None:
    """Attack: somebody with the certificate's key says that the server was restored."""
    stops(server, (restore(server, other_identity),))


def test_a_restore_of_an_identity_that_is_not_the_server_s(
    server: Server, other_identity: IdentityKeys
) -> None:
    other = account_id(other_identity.public)
    stops(server, (restore(server, other_identity, identity=other),))
    stops(server, (restore(server, identity=other),))


def test_a_ledger_to_which_no_restore_leads(server: Server) -> None:
    """Attack: a server begins another ledger, and says nothing of it."""
    stops(server, ())
    stops(server, (restore(server, ledger=LedgerId(b"x" * 16)),))


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 2},
        {"old_ledger": LedgerId(b"x" * 16)},
        {"server": b"x" * 32},
        {"incarnation": b"x" * 16},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_step_that_does_not_fit(server: Server, changes: dict[str, object]) -> None:
    stops(server, (restore(server, None, **changes),))


def test_a_restore_stands_in_the_new_ledger_for_all_to_see(server: Server) -> None:
    """Attack: one person is shown a restore that the others do not see."""
    said = statement(server, seq=2)
    hidden = restore(server)
    view = LedgerView(follows=True)
    for seq, hash in enumerate((b"h" * 32, SignedStatement.unpack(said).hash), start=1):
        view.append(Leaf(LeafKind.SERVER, SERVER_NAME_HASH, server.id, seq, hash, seq - 2).pack())
    with pytest.raises(SecurityStop):
        check_recorded((), said, view, (hidden,))
    true = LedgerView(follows=True)
    for seq, packed in enumerate((hidden, said), start=1):
        hash = SignedStatement.unpack(packed).hash
        true.append(Leaf(LeafKind.SERVER, SERVER_NAME_HASH, server.id, seq, hash, seq - 2).pack())
    check_recorded((), said, true, (hidden,))


@given(st.binary(max_size=300))
def test_garbage_is_no_restore(data: bytes) -> None:
    with pytest.raises(RemoteError):
        RestoreStatement.unpack(data)

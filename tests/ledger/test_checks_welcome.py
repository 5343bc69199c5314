"""Which servers are believed: encryption rule 7."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coterie.base import limits
from coterie.base.codes import Code
from coterie.base.errors import RemoteError, SecurityStop, Unavailable
from coterie.base.ids import AccountId, LedgerId
from coterie.base.signing import IdentityKeys, LedgerKeys, account_id
from coterie.ledger.checks import check_recorded, check_welcome
from coterie.ledger.leaves import SERVER_NAME_HASH, Leaf, LeafKind, LedgerView
from coterie.ledger.statements import (
    IdentityStatement,
    ServerStatement,
    SignedStatement,
    sign_statement,
)
from tests.examples import examples
from tests.ledger.accounts import NOW_MS
from tests.ledger.servers import TLS_KEY, Server


@pytest.fixture
def server(identity: IdentityKeys, ledger_keys: LedgerKeys) -> Server:
    return Server(identity, ledger_keys)


@pytest.fixture(scope="session")
def third_identity() -> IdentityKeys:
    return IdentityKeys.generate()


def greeted(
    server: Server,
    *,
    pinned: AccountId | None = None,
    identity: bytes | None = None,
    chain: tuple[bytes, ...] | None = None,
    statement: bytes | None = None,
    tls_key: bytes = TLS_KEY,
    now_ms: int = NOW_MS,
    known_identity: bytes = b"",
) -> ServerStatement:
    return check_welcome(
        pinned,
        server.identity if identity is None else identity,
        server.chain if chain is None else chain,
        server.says() if statement is None else statement,
        tls_key,
        now_ms,
        known_identity=known_identity,
    )


def stops(caught: pytest.ExceptionInfo[SecurityStop]) -> None:
    assert caught.value.code is Code.IDENTITY_CHANGED


def test_a_true_server_is_believed(server: Server) -> None:
    assert greeted(server) == server.statement()
    assert greeted(server, pinned=server.id) == server.statement()


def test_another_server_under_the_same_address_is_stopped(
    server: Server, other_identity: IdentityKeys, ledger_keys: LedgerKeys
) -> None:
    false = Server(other_identity, ledger_keys)
    with pytest.raises(SecurityStop) as caught:
        greeted(false, pinned=server.id)
    stops(caught)
    with pytest.raises(SecurityStop) as caught:
        greeted(false, pinned=server.id, identity=server.identity)
    stops(caught)
    with pytest.raises(SecurityStop) as caught:
        greeted(false, pinned=server.id, identity=server.identity, statement=server.says(), tls_key=b"x" * 32)
    stops(caught)


@pytest.mark.parametrize(
    "changes",
    [
        {"server": AccountId(b"x" * 32)},
        {"identity": b"\xff" * 2336},
        {"tls_key": b"x" * 32},
        {"ledger": LedgerId(b"x" * 16)},
        {"ledger_nonce": b"x" * 16},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_signed_statement_that_does_not_fit_is_stopped(server: Server, changes: dict[str, object]) -> None:
    with pytest.raises(SecurityStop) as caught:
        greeted(server, statement=server.says(**changes))
    stops(caught)


def test_a_statement_is_valid_for_its_time(server: Server) -> None:
    said = server.statement()
    greeted(server, now_ms=said.expires_ms - 1)
    greeted(server, now_ms=said.issued_ms - limits.CLOCK_SKEW_MS)
    for now_ms in (said.expires_ms, said.issued_ms - limits.CLOCK_SKEW_MS - 1):
        with pytest.raises(Unavailable) as caught:
            greeted(server, now_ms=now_ms)
        assert caught.value.code is Code.STATEMENT_EXPIRED


def test_an_expired_false_statement_is_false_before_it_is_expired(
    server: Server, other_identity: IdentityKeys
) -> None:
    forged = sign_statement(server.statement(), other_identity).pack()
    with pytest.raises(SecurityStop):
        greeted(server, statement=forged, now_ms=NOW_MS * 2)


def test_the_identity_may_change_by_a_statement_of_the_old_one(
    server: Server, other_identity: IdentityKeys, third_identity: IdentityKeys
) -> None:
    server.change(other_identity)
    assert greeted(server, pinned=server.id).identity == other_identity.public.pack()
    server.change(third_identity)
    assert greeted(server, pinned=server.id).identity == third_identity.public.pack()


def test_a_chain_with_a_gap_a_forgery_or_another_end_is_stopped(
    server: Server, identity: IdentityKeys, other_identity: IdentityKeys, third_identity: IdentityKeys
) -> None:
    before = server.says()
    server.change(other_identity)
    server.change(third_identity)
    first, second = server.chain
    link = IdentityStatement(account_id(other_identity.public), third_identity.public.pack(), 2, NOW_MS)
    forged = sign_statement(link, third_identity).pack()
    skipped = sign_statement(msgspec.structs.replace(link, seq=3), other_identity).pack()
    foreign = sign_statement(
        msgspec.structs.replace(link, old=account_id(identity.public)), other_identity
    ).pack()
    for chain in ((first,), (second,), (), (second, first), (first, first, second)):
        with pytest.raises(SecurityStop) as caught:
            greeted(server, chain=chain)
        stops(caught)
    for wrong in (forged, skipped, foreign):
        with pytest.raises(SecurityStop) as caught:
            greeted(server, chain=(first, wrong))
        stops(caught)
    with pytest.raises(SecurityStop) as caught:
        greeted(server, statement=before)
    stops(caught)


def test_what_was_known_as_the_identity_stays_in_the_chain(
    server: Server, other_identity: IdentityKeys, third_identity: IdentityKeys
) -> None:
    """A stolen old identity cannot speak for the server to those who know a newer one."""
    old_says, old_chain = server.says(), server.chain
    server.change(other_identity)
    known = greeted(server, pinned=server.id).identity
    greeted(server, known_identity=known)
    with pytest.raises(SecurityStop) as caught:
        greeted(server, chain=old_chain, statement=old_says, known_identity=known)
    stops(caught)
    server.change(third_identity)
    greeted(server, known_identity=known)


def test_a_statement_for_another_purpose_is_none(server: Server, identity: IdentityKeys) -> None:
    """The founding identity signed it, but as a change of identity."""
    change = IdentityStatement(server.id, identity.public.pack(), 1, NOW_MS)
    with pytest.raises(RemoteError):
        greeted(server, statement=sign_statement(change, identity).pack())
    with pytest.raises(RemoteError):
        greeted(server, chain=(server.says(),))


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
@settings(max_examples=examples(100), deadline=None)
def test_one_corrupted_bit_is_refused(
    identity: IdentityKeys, ledger_keys: LedgerKeys, at: int, bit: int
) -> None:
    server = Server(identity, ledger_keys)
    packed = bytearray(server.says())
    packed[at % len(packed)] ^= 1 << bit
    with pytest.raises((SecurityStop, RemoteError)):
        greeted(server, statement=bytes(packed))


@given(data=st.binary(max_size=3000))
@settings(max_examples=examples(60))
def test_garbage_is_refused(identity: IdentityKeys, ledger_keys: LedgerKeys, data: bytes) -> None:
    server = Server(identity, ledger_keys)
    with pytest.raises((SecurityStop, RemoteError)):
        greeted(server, statement=data)
    with pytest.raises((SecurityStop, RemoteError)):
        greeted(server, chain=(data,))
    with pytest.raises(RemoteError):
        greeted(server, identity=data[:2000])


def test_a_malformed_ledger_key_or_identity_is_malformed(server: Server) -> None:
    signed = SignedStatement.unpack(server.says())
    with pytest.raises(RemoteError):
        greeted(server, statement=msgspec.structs.replace(signed, signature=b"s" * 10).pack())
    even = bytearray(server.identity)
    even[383] &= 0xFE
    with pytest.raises(RemoteError):
        greeted(server, identity=bytes(even))


def recorded(*signed: bytes) -> LedgerView:
    """A ledger with a leaf for each of these, and somebody's between them."""
    view = LedgerView()
    previous = -1
    for seq, packed in enumerate(signed, start=1):
        hash = SignedStatement.unpack(packed).hash
        leaf = Leaf(LeafKind.SERVER, SERVER_NAME_HASH, AccountId(b"S" * 32), seq, hash, previous)
        previous = view.size
        view.append(leaf.pack())
        person = AccountId(bytes((seq,)) * 32)
        view.append(Leaf(LeafKind.MANIFEST, bytes((seq,)) * 32, person, 1, b"h" * 32, -1).pack())
    return view


def test_what_a_server_says_of_itself_stands_in_its_ledger(
    server: Server, other_identity: IdentityKeys, third_identity: IdentityKeys
) -> None:
    first = server.says()
    check_recorded((), first, recorded(first))
    check_recorded((), first, recorded(first, server.says(seq=2)))
    server.change(other_identity)
    server.change(third_identity)
    one, two = server.chain
    last = server.says(seq=4)
    check_recorded(server.chain, last, recorded(first, one, two, last))
    for chain, said, view in (
        ((), first, recorded()),
        ((), server.says(tls_key=b"x" * 32), recorded(first)),
        ((), server.says(seq=2), recorded(first)),
        (server.chain, last, recorded(first, one, one, last)),
        (server.chain, last, recorded(first, two, one, last)),
        (server.chain, server.says(seq=3), recorded(first, one, server.says(seq=3), two)),
    ):
        with pytest.raises(SecurityStop) as caught:
            check_recorded(chain, said, view)
        stops(caught)

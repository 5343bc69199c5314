"""A server that changes its identity or certificate, and those that are not the one (encryption rule 7)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import coterie
from coterie.base.codes import Code
from coterie.base.signing import IdentityKeys, IdentityPublic, account_id
from coterie.ledger.audit import LedgerFile, audit
from coterie.ledger.statements import (
    IdentityStatement,
    ServerStatement,
    SignedStatement,
    sign_statement,
)
from coterie.server.caller import Caller
from coterie.server.commands import hello
from coterie.server.commands.outcome import Outcome
from coterie.server.realm import Realm
from coterie.server.rotation import rotate_identity
from coterie.wire.frames import Hello, Send, Welcome
from tests.village.conftest import PASSWORD, PATIENCE_SECONDS, Days, Heard, Village, acquainted

pytestmark = [pytest.mark.asyncio, pytest.mark.slow]


async def test_people_follow_a_server_to_its_new_identity(village: Village) -> None:
    """Also those who come later, with the old invite; and everybody can check it."""
    alice, bob = await village.person("alice"), await village.person("bob")
    await acquainted(alice, bob)
    port, ears = village.port, Heard(bob)
    await village.stop()
    new = await rotate_identity(village.folder / "server", village.clock.wall_ms())
    await village.start(port)
    sent = await alice.send("@bob", "the same server?", timeout_seconds=PATIENCE_SECONDS)
    assert sent.state is coterie.MessageState.SENT
    assert await ears.texts(1) == ["the same server?"]
    carol = await village.person("carol")
    for me in (alice, carol):
        file = LedgerFile.unpack(me.ledger_file())
        change = IdentityStatement.unpack(SignedStatement.unpack(file.chain[0]).payload)
        said = ServerStatement.unpack(SignedStatement.unpack(file.statement).payload)
        assert change.new == said.identity
        assert account_id(IdentityPublic.unpack(said.identity)) == new
        assert audit(file).fraud is None


async def test_a_certificate_may_change(village: Village) -> None:
    """The invite pins the identity, which signs for another key."""
    alice = await village.person("alice")
    port, before = village.port, alice._runtime._connection
    assert before is not None
    await village.stop()
    (village.folder / "server" / "tls.pem").unlink()
    await village.start(port)
    await alice.send("@alice", "a note", timeout_seconds=PATIENCE_SECONDS)
    after = alice._runtime._connection
    assert after is not None
    assert after.tls_key != before.tls_key


def says(monkeypatch: pytest.MonkeyPatch, change: Callable[[Welcome, Realm], Welcome]) -> None:
    """The server's Welcome is changed."""
    honest = hello.handle

    def handle(frame: Hello, who: Caller, realm: Realm) -> Outcome:
        (welcome,) = honest(frame, who, realm).reply
        assert isinstance(welcome, Welcome)
        return Outcome(0, reply=(change(welcome, realm),))

    monkeypatch.setattr(hello, "handle", handle)


def under_another_identity(welcome: Welcome, realm: Realm, signer: IdentityKeys) -> Welcome:
    """A new identity, to which this signer leads."""
    new = IdentityKeys.generate()
    said = ServerStatement.unpack(SignedStatement.unpack(welcome.statement).payload)
    link = sign_statement(IdentityStatement(realm.server, new.public.pack(), 1, said.issued_ms), signer)
    following = msgspec.structs.replace(said, identity=new.public.pack(), seq=said.seq + 2)
    return msgspec.structs.replace(
        welcome, chain=(link.pack(),), statement=sign_statement(following, new).pack()
    )


def hidden_statement(welcome: Welcome, realm: Realm) -> Welcome:
    said = ServerStatement.unpack(SignedStatement.unpack(welcome.statement).payload)
    secret = msgspec.structs.replace(said, seq=said.seq + 1)
    signed = sign_statement(secret, IdentityKeys.unpack(realm.secrets.identity))
    return msgspec.structs.replace(welcome, statement=signed.pack())


FALSE: dict[str, Callable[[Welcome, Realm], Welcome]] = {
    "a chain that the old identity did not sign": lambda welcome, realm: under_another_identity(
        welcome, realm, IdentityKeys.generate()
    ),
    "a change that the ledger does not record": lambda welcome, realm: under_another_identity(
        welcome, realm, IdentityKeys.unpack(realm.secrets.identity)
    ),
    "a statement that the ledger does not record": hidden_statement,
}


@pytest.mark.parametrize("how", FALSE)
async def test_whoever_proves_itself_by_less_is_refused(
    village: Village, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Attack: somebody with a stolen identity, or the server itself, shows one person a certificate or an
    identity of its own. What is not in the ledger for all to see does not count, and nothing is said."""
    alice = await village.person("alice")
    ears = Heard(alice)
    port = village.port
    await village.stop()
    says(monkeypatch, FALSE[how])
    await village.start(port)
    await ears.until(lambda _: alice.link is coterie.LinkState.STOPPED)
    with pytest.raises(coterie.SecurityStop) as stop:
        await alice.send("@alice", "to nobody", timeout_seconds=PATIENCE_SECONDS)
    assert stop.value.code is Code.IDENTITY_CHANGED
    said = [frame for each in alice.frames_sent() for frame in each.frames]
    assert not any(isinstance(frame, Send) for frame in said)
    assert audit(LedgerFile.unpack(alice.ledger_file())).fraud is None, "a thief is not the server"


async def test_a_statement_out_of_date_is_no_fraud(village: Village) -> None:
    """The person's clock is ahead, or the server's renewals were kept from them."""
    alice = await village.person("alice")
    await alice.close()
    clock = Days()
    clock.pass_days(8)
    async with coterie.open(village.home("alice"), password=PASSWORD, clock=clock) as again:
        ears = Heard(again)
        await ears.until(
            lambda events: coterie.LinkChanged(coterie.LinkState.OFFLINE, Code.STATEMENT_EXPIRED) in events
        )


async def test_a_certificate_that_was_replaced_is_not_taken_back(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: somebody stole the key of the old certificate, and shows the statement that named it."""
    alice = await village.person("alice")
    port, place = village.port, village.folder / "server" / "tls.pem"
    old, proof = place.read_bytes(), LedgerFile.unpack(alice.ledger_file())
    await village.stop()
    place.unlink()
    await village.start(port)
    await alice.send("@alice", "a note", timeout_seconds=PATIENCE_SECONDS)
    await village.stop()
    place.write_bytes(old)
    says(monkeypatch, lambda welcome, _: msgspec.structs.replace(welcome, statement=proof.statement))
    ears = Heard(alice)
    await village.start(port)
    refused = coterie.LinkChanged(coterie.LinkState.OFFLINE, Code.STATEMENT_EXPIRED)
    await ears.until(lambda events: refused in events)
    sent = await alice.send("@alice", "to nobody", timeout_seconds=0.1)
    assert sent.state is coterie.MessageState.QUEUED

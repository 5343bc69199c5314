"""Tombstones that nobody asked for, and vaults out of the past (encryption rules 2, 6, 19 and 20)."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import Refused, SecurityStop
from coterie.base.signing import IdentityKeys
from coterie.client.changes import NewVault
from coterie.client.commands import ChangeAccount, Disconnected, EndAccount, Tick
from coterie.client.core.own_account import successor
from coterie.client.events import AccountChangeAnswered, AccountDeleted, SendingStuck, VaultRenewed
from coterie.client.store.records import OutboxState, PutSetting, Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.identity import Vault, vault_hash
from coterie.ledger.deletion import SignedDeletion, sign_deletion
from coterie.ledger.leaves import Leaf, LeafKind, name_hash
from coterie.ledger.manifest import sign_manifest
from coterie.wire.frames import (
    Accepted,
    ClientFrame,
    DeleteAccount,
    FetchVault,
    LedgerGrew,
    PublishManifest,
    Refusal,
    ServerFrame,
    VaultGiven,
)
from coterie.wire.frames.accounts import AccountRecord
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Server, Victim
from tests.attacks.test_manifests import grow


class Undertaker(Server):
    """A server that says which deletion it has of an account."""

    deletion = b""
    of: Peer | None = None

    def record(self, peer: Peer) -> AccountRecord:
        if peer is not self.of:
            return super().record(peer)
        return AccountRecord(peer.account, (), (), self.deletion)


def ended(peer: Peer) -> SignedDeletion:
    return sign_deletion(peer.signed, peer.identity, peer.device, peer.keys, NOW_MS)


def bury(bob: Victim, server: Server, peer: Peer, hash: bytes, deletion: bytes) -> Undertaker:
    """The ledger gets a tombstone of somebody, and Bob hears of it."""
    undertaker = Undertaker(server.ledger, server.peers, server.got)
    undertaker.of, undertaker.deletion, bob.server = peer, deletion, undertaker
    found = server.ledger.view.newest_of_name(name_hash(peer.name))
    assert found is not None
    index, leaf = found
    server.ledger.put(Leaf(LeafKind.TOMBSTONE, leaf.name_hash, peer.account, leaf.seq + 1, hash, index))
    bob.frame(LedgerGrew(server.ledger.head()))
    return undertaker


def test_a_deletion_is_believed_by_its_signatures(alice: Peer, bob: Victim, server: Server) -> None:
    """What waits for her is kept and never sealed; nothing more can be said."""
    signed = ended(alice)
    bob.command(Disconnected(None, final=False))
    bob.say(alice, "too late")
    bob.say(alice, "again")
    bury(bob, server, alice, signed.hash, signed.pack())
    assert bob.core.people.is_deleted(alice.account)
    assert [event for event in bob.shown if isinstance(event, AccountDeleted)]
    with pytest.raises(Refused) as refused:
        bob.say(alice, "and more")
    assert refused.value.code is Code.DELETED
    bob.shown.clear()
    bob.connect()
    bob.command(Tick())
    stuck = [event for event in bob.shown if isinstance(event, SendingStuck)]
    assert [event.code for event in stuck] == [Code.DELETED], "said once"
    assert len(bob.store.outbox(direct_id(bob.account, alice.account), OutboxState.WAITING, 9)) == 2
    assert server.sends() == []
    bob.core = bob.new_core()
    bob.connect()
    assert bob.core.people.is_deleted(alice.account)


@pytest.mark.parametrize("forged", [b"", b"garbage", "mallory", "unsigned"])
def test_a_tombstone_that_its_owner_did_not_sign_deletes_nobody(
    alice: Peer, mallory: Peer, bob: Victim, server: Server, forged: bytes | str
) -> None:
    """Attack: the server ends Alice's account by itself. Rules 2 and 19: the leaf stands in everybody's
    ledger, and nobody believes it; nothing is sealed for her, as if her manifest were withheld."""
    true = ended(alice)
    if forged == "mallory":
        signature = mallory.identity.sign(true.payload)
        forged = msgspec.structs.replace(true, identity_signature=signature).pack()
    elif forged == "unsigned":
        forged = msgspec.structs.replace(true, device_signature=bytes(64)).pack()
    assert isinstance(forged, bytes)
    undertaker = bury(bob, server, alice, true.hash, forged)
    assert not bob.core.people.is_deleted(alice.account)
    bob.say(alice, "are you there?")
    assert server.sends() == []
    undertaker.deletion = true.pack()
    bob.connect()
    assert bob.core.people.is_deleted(alice.account)


def test_a_tombstone_of_another_deletion_is_not_believed(alice: Peer, bob: Victim, server: Server) -> None:
    bury(bob, server, alice, secrets.token_bytes(32), ended(alice).pack())
    assert not bob.core.people.is_deleted(alice.account)


def test_who_was_never_known_is_not_asked_for(mallory: Peer, bob: Victim, server: Server) -> None:
    """A newcomer learns nothing of those who were gone before."""
    stranger = Peer(mallory.identity, "somebody")
    stranger.account = type(stranger.account)(b"z" * 32)
    server.ledger.put(Leaf(LeafKind.MANIFEST, name_hash(stranger.name), stranger.account, 1, bytes(32), -1))
    asked = len(server.got)
    found = server.ledger.view.newest_of_name(name_hash(stranger.name))
    assert found is not None
    server.ledger.put(
        Leaf(LeafKind.TOMBSTONE, name_hash(stranger.name), stranger.account, 2, bytes(32), found[0])
    )
    bob.core = bob.new_core()
    server.peers[stranger.account] = stranger
    bob.connect()
    assert stranger.account not in bob.core.people.rows
    assert len(server.got) > asked


def test_the_own_account_is_ended_by_nobody_else(bob: Victim, server: Server) -> None:
    """Attack: the server ends Bob's account and goes on serving him. Rule 20: his own devices know that none
    of them signed it, and stop."""
    true = ended(bob)
    with pytest.raises(SecurityStop) as stop:
        bury(bob, server, bob, true.hash, b"")
    assert stop.value.code is Code.IDENTITY_CHANGED


class Archivist(Server):
    """A server that answers with a vault of its choice."""

    vault = b""
    answers_changes: bool = True

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        answer = super().answer(frame)
        if isinstance(frame, FetchVault):
            return VaultGiven(frame.request, self.vault)
        if isinstance(frame, PublishManifest) and self.answers_changes:
            return Accepted(frame.request, 9)
        return answer


def vault(random: bytes) -> bytes:
    return Vault(random, (), (b"a" * 16, b"b" * 16)).pack()


def with_vault(bob: Victim, server: Server, newest: bytes, given: bytes) -> Archivist:
    """Another device of Bob's puts a vault in place; the server hands out the one given."""
    archivist = Archivist(server.ledger, server.peers, server.got)
    archivist.vault, bob.server = given, archivist
    before = bob.signed
    manifest = msgspec.structs.replace(
        before.manifest, seq=before.manifest.seq + 1, previous=before.hash, vault_hash=vault_hash(newest)
    )
    bob.signed = sign_manifest(manifest, bob.identity, bob.device, bob.keys)
    grow(bob, server, bob.signed)
    return archivist


def test_an_old_vault_is_not_taken(bob: Victim, server: Server) -> None:
    """Attack: another device has made a new recovery key, and the server goes on handing out the vault of the
    old one, so that this device builds on it and the old key lives again. Rule 2: the newest manifest names
    the vault's hash."""
    first, old, new = (vault(letter * 16) for letter in (b"f", b"o", b"n"))
    bob.apply(PutSetting(Setting.VAULT, first))
    archivist = with_vault(bob, server, new, old)
    assert bob.store.setting(Setting.VAULT) == first
    archivist.vault = new
    bob.connect()
    assert bob.core.own_vault.is_newest
    assert bob.store.setting(Setting.VAULT) == new
    assert [event for event in bob.shown if isinstance(event, VaultRenewed)]


def test_a_vault_made_from_an_older_one_is_not_signed(bob: Victim, server: Server) -> None:
    """Attack: the same, by a race: a vault made before another device's change is not put on top of it."""
    newest, other = vault(b"n" * 16), vault(b"x" * 16)
    with_vault(bob, server, newest, newest)
    stale = NewVault(other, vault_hash(vault(b"o" * 16)), b"k" * 32)
    with pytest.raises(Exception) as refused:
        bob.command(ChangeAccount(b"c" * 16, (stale,), bob.identity))
    assert getattr(refused.value, "code", None) is Code.STALE_MANIFEST
    right = NewVault(other, vault_hash(newest), b"k" * 32)
    bob.command(ChangeAccount(b"d" * 16, (right,), bob.identity))
    given = [frame for frame in server.got if isinstance(frame, PublishManifest)]
    assert (given[-1].vault, given[-1].auth_key) == (other, b"k" * 32)
    assert bob.store.setting(Setting.VAULT) == other
    again = successor(bob.signed, (NewVault(newest, bytes(32)),), NOW_MS)
    assert again is None, "what holds already is no change"


class Refusing(Server):
    code = Code.STALE_MANIFEST

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        answer = super().answer(frame)
        if isinstance(frame, DeleteAccount):
            return Refusal(frame.request, self.code.value)
        return answer


def test_an_end_that_lost_a_race_is_answered_once_the_newer_manifest_is_here(
    bob: Victim, server: Server
) -> None:
    refusing = Refusing(server.ledger, server.peers, server.got)
    bob.server = refusing
    bob.command(EndAccount(b"e" * 16, bob.identity))
    answers = [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    assert answers == []
    bob.signed = bob.sign(bob.entry(), after=bob.signed)
    grow(bob, server, bob.signed)
    answers = [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    assert [(each.change, each.code) for each in answers] == [(b"e" * 16, Code.STALE_MANIFEST)]
    refusing.code = Code.TOO_MANY_TRIES
    bob.command(EndAccount(b"f" * 16, bob.identity))
    answers = [event for event in bob.shown if isinstance(event, AccountChangeAnswered)]
    assert answers[-1].code is Code.TOO_MANY_TRIES


def test_a_vault_that_nobody_asked_for_is_ignored(bob: Victim) -> None:
    before = bob.store.setting(Setting.VAULT)
    bob.frame(VaultGiven(99, vault(b"n" * 16)))
    assert bob.store.setting(Setting.VAULT) == before


def test_before_the_own_manifest_has_come_no_vault_is_the_newest(
    identities: dict[str, IdentityKeys], store: ClientStore, server: Server
) -> None:
    assert not Victim(identities["bob"], "bob", store, server).core.own_vault.is_newest

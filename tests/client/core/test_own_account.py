"""Changes of one's own account: signed on the newest proven manifest, given until answered, signed again."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import pytest

from coterie.base.codes import Code
from coterie.base.conversations import direct_id
from coterie.base.errors import Refused, Unavailable
from coterie.base.ids import DeviceId
from coterie.base.signing import IdentityKeys
from coterie.client.changes import (
    AddApproved,
    Change,
    LoseDevice,
    NewVault,
    RenameDevice,
    RevokeDevice,
    UnmarkDevice,
)
from coterie.client.commands import ChangeAccount
from coterie.client.core.own_account import successor
from coterie.client.events import AccountChangeAnswered
from coterie.client.store.records import Setting
from coterie.client.store.sqlite import ClientStore
from coterie.e2ee.vodo import DeviceKeys
from coterie.ledger.checks import check_successor
from coterie.ledger.manifest import RECOVERY, DeviceEntry, SignedManifest
from coterie.wire.frames import Accepted, ClientFrame, LedgerGrew, PublishManifest, Refusal, ServerFrame
from tests.attacks.conftest import alice, bob, identities, mallory
from tests.attacks.peers import NOW_MS, Peer
from tests.attacks.street import Ledger, Server, Victim

__all__ = ["alice", "bob", "identities", "mallory"]


@dataclass
class Registrar(Server):
    """Takes manifests as a server does, until a test has it answer otherwise. mute: it takes them and its
    answer is lost; refuses: with what."""

    mute: bool = False
    refuses: Refusal | None = None

    def answer(self, frame: ClientFrame) -> ServerFrame | None:
        if not isinstance(frame, PublishManifest):
            return super().answer(frame)
        self.got.append(frame)
        if self.refuses is not None:
            return Refusal(frame.request, self.refuses.code, self.refuses.retry_after_ms)
        signed = SignedManifest.unpack(frame.manifest)
        peer = self.peers[signed.manifest.account]
        if signed.hash != peer.signed.hash:
            if signed.manifest.previous != peer.signed.hash:
                return Refusal(frame.request, Code.STALE_MANIFEST.value)
            check_successor(peer.signed, signed)
            peer.signed = signed
            self.ledger.add(signed)
        return None if self.mute else Accepted(frame.request, self.ledger.view.size - 1)

    @property
    def given(self) -> list[PublishManifest]:
        return [frame for frame in self.got if isinstance(frame, PublishManifest)]


@pytest.fixture
def server(alice: Peer, mallory: Peer) -> Registrar:
    made = Registrar(Ledger())
    for peer in (alice, mallory):
        made.peers[peer.account] = peer
    return made


def change(victim: Victim, *changes: Change) -> bytes:
    """Ask for changes; gives the number by which the answer is known."""
    number = secrets.token_bytes(16)
    victim.command(ChangeAccount(number, changes, victim.identity))
    return number


def answers(victim: Victim) -> list[AccountChangeAnswered]:
    return [each for each in victim.shown if isinstance(each, AccountChangeAnswered)]


def tell(victim: Victim, server: Registrar) -> None:
    """The server publishes its head."""
    victim.frame(LedgerGrew(server.ledger.head()))


def elsewhere(victim: Victim, server: Registrar, *, marked: bool = True) -> DeviceId:
    """Another device of the account comes in, by recovery, and is proven here."""
    keys, id = DeviceKeys.create(), DeviceId(secrets.token_bytes(16))
    origin = RECOVERY if marked else victim.device
    new = DeviceEntry(id, "phone", keys.curve25519, keys.ed25519, NOW_MS, 0, origin, marked)
    victim.signed = victim.sign(*victim.signed.manifest.devices, new, after=victim.signed)
    server.ledger.add(victim.signed)
    tell(victim, server)
    return id


def name_of(victim: Victim, device: DeviceId) -> str:
    return next(each.name for each in victim.core.people.own_devices() if each.id == device)


def test_a_change_counts_once_it_is_proven_here(bob: Victim, server: Registrar) -> None:
    """Not with the server's word, and who asked hears of it once."""
    number = change(bob, RenameDevice(bob.device, "kitchen"))
    assert answers(bob) == []
    assert bob.store.setting(Setting.PENDING_MANIFEST) is None
    tell(bob, server)
    assert answers(bob) == [AccountChangeAnswered(number, None)]
    assert name_of(bob, bob.device) == "kitchen"
    elsewhere(bob, server)
    assert len(answers(bob)) == 1


def test_what_holds_already_is_not_signed(bob: Victim, server: Registrar) -> None:
    number = change(bob, RenameDevice(bob.device, "desk"))
    assert answers(bob) == [AccountChangeAnswered(number, None)]
    assert server.given == []


def test_who_loses_a_race_signs_again_on_what_won(bob: Victim, server: Registrar) -> None:
    """stale-manifest means nothing before the newer manifest is proven here."""
    phone = elsewhere(bob, server)
    before = bob.signed
    bob.signed = bob.sign(
        *(each if each.id != phone else each.revoked(NOW_MS) for each in before.manifest.devices),
        after=before,
    )
    server.ledger.add(bob.signed)
    lost = change(bob, RenameDevice(bob.device, "kitchen"))
    assert answers(bob) == []
    assert bob.store.setting(Setting.PENDING_MANIFEST) is None
    tell(bob, server)
    assert answers(bob) == [AccountChangeAnswered(lost, Code.STALE_MANIFEST)]
    again = change(bob, RenameDevice(bob.device, "kitchen"))
    tell(bob, server)
    assert answers(bob)[1:] == [AccountChangeAnswered(again, None)]
    assert [each.revoked for each in bob.core.people.own_devices()] == [False, True]


def test_an_answer_that_was_lost_is_asked_for_again_by_every_start(bob: Victim, server: Registrar) -> None:
    """The same bytes, until there is an answer; the server takes them once."""
    server.mute = True
    number = change(bob, RenameDevice(bob.device, "kitchen"))
    bob.connect()
    bob.core, bob.shown = bob.new_core(), []
    server.mute = False
    bob.connect()
    assert {frame.manifest for frame in server.given} == {bob.signed.pack()}
    assert len(server.given) == 3
    assert bob.signed.manifest.seq == 2
    assert AccountChangeAnswered(number, None) in answers(bob)
    bob.connect()
    assert len(server.given) == 3


def test_a_device_that_was_approved_is_given_on_one_connection_only(bob: Victim, server: Registrar) -> None:
    """It has heard that it came to nothing, and keeps nothing: nobody may ever list it."""
    server.mute = True
    keys = DeviceKeys.create()
    added = AddApproved(DeviceId(bytes(16)), "phone", keys.curve25519, keys.ed25519, NOW_MS, bob.device)
    number = change(bob, added)
    bob.core = bob.new_core()
    bob.connect()
    assert len(server.given) == 1
    assert answers(bob) == [AccountChangeAnswered(number, Code.NOT_APPROVED)]
    assert bob.store.setting(Setting.PENDING_MANIFEST) is None


def test_an_accepted_change_that_is_proven_before_its_answer_comes(bob: Victim, server: Registrar) -> None:
    server.mute = True
    number = change(bob, RenameDevice(bob.device, "kitchen"))
    tell(bob, server)
    assert answers(bob) == []
    bob.frame(Accepted(server.given[-1].request, 1))
    assert answers(bob) == [AccountChangeAnswered(number, None)]


def test_a_refusal_is_told_and_nothing_is_given_again(bob: Victim, server: Registrar) -> None:
    server.refuses = Refusal(0, Code.TOO_MANY_TRIES.value, 7000)
    number = change(bob, RenameDevice(bob.device, "kitchen"))
    assert answers(bob) == [AccountChangeAnswered(number, Code.TOO_MANY_TRIES, 7000)]
    bob.connect()
    assert len(server.given) == 1


def test_what_passes_is_no_refusal(bob: Victim, server: Registrar) -> None:
    """A busy server is asked again with the next connection."""
    server.refuses = Refusal(0, Code.BUSY.value)
    with pytest.raises(Unavailable):
        change(bob, RenameDevice(bob.device, "kitchen"))
    server.refuses = None
    bob.connect()
    assert len(server.given) == 2
    tell(bob, server)
    assert [each.code for each in answers(bob)] == [None]


def test_a_new_vault_travels_with_its_manifest(bob: Victim, server: Registrar) -> None:
    change(bob, NewVault(b"a vault", bytes(32)), RenameDevice(bob.device, "kitchen"))
    (given,) = server.given
    assert given.vault == b"a vault"
    assert bob.signed.manifest.vault_hash == hashlib.sha256(b"a vault").digest()


def test_a_lost_device_is_revoked_and_exposes_the_vault_that_it_knew(
    alice: Peer, bob: Victim, server: Registrar
) -> None:
    phone = elsewhere(bob, server)
    bob.say(alice, "hi")
    session = direct_id(bob.account, alice.account)
    assert bob.store.group_out(session) is not None
    change(bob, LoseDevice(phone))
    assert bob.signed.manifest.entry(phone).live is False  # type: ignore[union-attr]  # it is listed
    assert bob.store.setting(Setting.EXPOSED_VAULT) == bytes(32)
    assert bob.store.group_out(session) is None


@pytest.mark.parametrize("of_nobody", [True, False])
def test_a_device_that_is_unknown_or_revoked_is_not_changed(
    bob: Victim, server: Registrar, of_nobody: bool
) -> None:
    device = DeviceId(b"?" * 16)
    if not of_nobody:
        device = elsewhere(bob, server)
        change(bob, RevokeDevice(device))
        tell(bob, server)
    with pytest.raises(Refused) as refused:
        change(bob, RenameDevice(device, "back"))
    assert refused.value.code is Code.UNKNOWN_DEVICE


def test_what_nobody_would_take_is_not_given(bob: Victim, server: Registrar) -> None:
    with pytest.raises(Refused) as refused:
        change(bob, RenameDevice(bob.device, "é" * 33))
    assert refused.value.code is Code.BAD_MANIFEST
    assert server.given == []
    assert bob.store.setting(Setting.PENDING_MANIFEST) is None


def test_a_mark_ends_by_an_unmarked_device(bob: Victim, server: Registrar) -> None:
    phone = elsewhere(bob, server)
    change(bob, UnmarkDevice(phone))
    tell(bob, server)
    assert [each.marked for each in bob.core.people.own_devices()] == [False, False]


def test_changes_add_up_and_time_does_not_go_back(bob: Victim) -> None:
    before = bob.signed
    changes = (RenameDevice(bob.device, "one"), RenameDevice(bob.device, "two"), NewVault(b"v", bytes(32)))
    after = successor(before, changes, NOW_MS - 5)
    assert after is not None
    assert (after.seq, after.previous, after.time_ms) == (2, before.hash, NOW_MS)
    assert after.devices[0].name == "two"
    assert successor(before, (NewVault(b"", bytes(32)), RenameDevice(bob.device, "desk")), NOW_MS) is not None


def test_without_the_own_manifest_nothing_is_signed(
    identities: dict[str, IdentityKeys], store: ClientStore, server: Registrar
) -> None:
    victim = Victim(identities["bob"], "bob", store, server)
    with pytest.raises(Unavailable):
        change(victim, RenameDevice(victim.device, "kitchen"))
